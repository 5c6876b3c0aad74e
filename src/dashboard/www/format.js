// Numbers and times for people.
import { h } from './dom.js';

const whole = new Intl.NumberFormat('en');
const tenth = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'medium' });

export const number = (n) => (n === null || n === undefined ? '–' : whole.format(n));
export const rate = (n) => (n === null || n === undefined ? '–' : tenth.format(n));

const UNITS = [['d', 86400000], ['h', 3600000], ['min', 60000], ['s', 1000]];

// 90500 is "1 min 30 s"; below ten seconds tenths are told, below one milliseconds.
export function duration(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10000) return `${tenth.format(ms / 1000)} s`;
  const at = UNITS.findIndex(([, size]) => ms >= size);
  const [name, size] = UNITS[at];
  const next = UNITS[at + 1];
  const rest = next ? Math.floor((ms % size) / next[1]) : 0;
  return `${Math.floor(ms / size)} ${name}${rest ? ` ${rest} ${next[0]}` : ''}`;
}

// The server's clock counts, not that of the one who looks.
let ahead = 0;
export const setNow = (iso) => { if (iso) ahead = new Date(iso) - Date.now(); };
export const nowMs = () => Date.now() + ahead;

// "3 min ago", and the moment itself for who asks.
export function time(iso) {
  if (!iso) return '–';
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return String(iso);
  const ms = nowMs() - at;
  const about = Math.abs(ms) < 60000 ? duration(Math.floor(Math.abs(ms) / 1000) * 1000) : duration(Math.abs(ms)).replace(/ (\S+) .*/, ' $1');
  const text = Math.abs(ms) < 1000 ? 'now' : ms >= 0 ? `${about} ago` : `in ${about}`;
  return h('time', { datetime: iso, title: moment.format(at) }, text);
}

export const clock = (iso) => (iso ? moment.format(new Date(iso)) : '–');

export function bytes(n) {
  if (n === null || n === undefined) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  for (; n >= 1024 && at < units.length - 1; at++) n /= 1024;
  return `${tenth.format(n)} ${units[at]}`;
}

// The text of a JSON value with line ends and indents; numbers keep their digits, which
// JSON.parse() would round.
export function json(text) {
  let out = '';
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of (text ?? '').matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/gs)) {
    const before = out.at(-1);
    if (token === '{' || token === '[') {
      depth++;
      out += token;
      continue;
    }
    if (token === '}' || token === ']') {
      depth = Math.max(depth - 1, 0);
      out += before === '{' || before === '[' ? token : line() + token;
      continue;
    }
    if (before === '{' || before === '[') out += line();
    out += token === ',' ? `,${line()}` : token === ':' ? ': ' : token;
  }
  return out;
}
