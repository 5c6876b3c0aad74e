// One job: what it is, what has happened to it, what it said.
import * as api from './api.js';
import { bar, facts, h, onDo, redraw, state, table } from './dom.js';
import { bytes, clock, duration, json, number, time } from './format.js';
import { busy, confirm, note, repeat } from './ui.js';

export const title = (id) => `Job ${id}`;

const attemptColumns = [
  { head: 'Attempt', cell: (a) => number(a.attempt), number: true },
  { head: 'Cause', cell: (a) => a.cause, class: 'words' },
  { head: 'Exit', cell: (a) => (a.signal ? `signal ${a.signal}` : a.exit_code ?? '') },
  { head: 'Took', cell: (a) => (a.started_at ? duration(new Date(a.finished_at) - new Date(a.started_at)) : '–'), number: true },
  { head: 'CPU', cell: (a) => (a.user_ms === null ? '–' : duration(a.user_ms + (a.system_ms ?? 0))), number: true },
  { head: 'Memory', cell: (a) => bytes(a.max_rss_bytes), number: true },
  { head: 'By', cell: (a) => a.holder_name ?? '', class: 'words' },
  { head: 'Ended', cell: (a) => time(a.finished_at) },
  { head: 'Said', cell: (a) => [a.error, a.stderr_tail && h('details', {}, h('summary', {}, 'End of its log'), h('pre', { tabindex: '0' }, a.stderr_tail))], class: 'words long' },
];

const MOMENT = /\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)/g;

const hasEnded = (j) => ['succeeded', 'failed', 'cancelled'].includes(j.status);

function actions(j) {
  const ended = hasEnded(j);
  return h('div', { class: 'actions' },
    h('button', { type: 'button', 'data-do': 'retry', disabled: !ended || j.status === 'succeeded' }, 'Retry'),
    h('button', { type: 'button', 'data-do': 'cancel', disabled: ended }, 'Cancel'),
    h('button', { type: 'button', 'data-do': 'delete', class: 'danger' }, 'Delete…'));
}

function block(name, text) {
  if (text === null || text === undefined) return null;
  const cut = text.length >= 262144;
  return h('section', {}, h('h2', {}, name), h('pre', { tabindex: '0', 'aria-label': name }, cut ? text : json(text)),
    cut && h('p', { class: 'hint' }, 'Only its beginning is shown.'));
}

function link(page, key, value) {
  return value && h('a', { href: `#/${page}${key ? `?${key}=${encodeURIComponent(value)}` : `/${encodeURIComponent(value)}`}` }, value);
}

function draw({ job: j, attempts, timeline, claim, why }) {
  // Of what has ended, its error says it all.
  const reason = hasEnded(j) ? '' : (why ?? '').replace(MOMENT, (iso) => clock(iso));
  return h('div', {},
    h('p', { class: 'headline' }, state(j.status), ' ', h('b', {}, j.kind), reason && h('span', { class: 'why' }, ` ${reason}`)),
    j.status === 'running' && h('p', {}, bar(j.progress, 'Progress'), ` ${number(j.progress)} % ${j.progress_note ?? ''}`),
    actions(j),
    j.error && h('p', { class: 'problem' }, j.error),
    facts([
      ['Queue', link('jobs', 'queue', j.queue)], ['Priority', number(j.priority)],
      ['Attempts', `${number(j.attempts)} of ${number(j.max_attempts)}`],
      ['Batch', link('batches', '', j.batch_id)], ['User', link('jobs', 'user', j.user_id)], ['Unique key', j.unique_key],
      ['Enqueued', time(j.created_at)], ['May start', time(j.run_at)], ['Started', j.started_at && time(j.started_at)],
      ['Ended', j.finished_at && time(j.finished_at)],
      ['Claimed by', claim && `${claim.name} / worker ${claim.slot}`], ['Note', j.progress_note],
    ]),
    h('section', {}, h('h2', {}, 'Timeline'), h('ol', { class: 'timeline' }, (timeline ?? []).map((t) => h('li', {},
      h('time', { datetime: t.at }, clock(t.at)), ' ', h('b', {}, t.what), t.detail && ` ${t.detail}`)))),
    attempts?.length > 0 && table('Attempts', attemptColumns, attempts, (a) => `${a.attempt} ${a.finished_at}`),
    block('Payload', j.payload_text), block('Result', j.result_text));
}

export async function show(root, { id, signal }) {
  const place = root.appendChild(h('div', {}));
  let status = null;
  const load = async () => {
    const found = await api.get(`jobs/${encodeURIComponent(id)}`, {}, signal);
    status = found.job.status;
    redraw(place, draw(found));
  };
  const act = (what) => (button) => busy(button, async () => {
    const answer = await api.post(`jobs/${encodeURIComponent(id)}/${what}`);
    note(answer.message ?? 'Done.', answer.count ? 'good' : 'bad');
    return answer;
  });
  onDo(place, {
    retry: async (button) => { await act('retry')(button); await load(); },
    cancel: async (button) => { await act('cancel')(button); await load(); },
    delete: async (button) => {
      const sure = await confirm({ title: `Delete job ${id}?`, text: 'It is gone with its payload, result and attempts.', button: 'Delete it' });
      if (sure && (await act('delete')(button))?.count) location.hash = '#/jobs';
    },
  }, signal);
  await load();
  // What has ended does not change by itself.
  repeat(() => (status === 'queued' || status === 'running' ? load() : null), 1000, signal);
}
