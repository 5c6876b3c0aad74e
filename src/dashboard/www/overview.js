// What happens right now, on one page.
import * as api from './api.js';
import { chart } from './chart.js';
import { bar, h, onDo, redraw, state, table } from './dom.js';
import { duration, number, rate, time } from './format.js';
import { subscribe } from './live.js';
import { findings } from './health.js';
import { queueActions, queueColumns } from './queues.js';

export const title = () => 'Overview';

function tile(name, value, more, href) {
  return h(href ? 'a' : 'div', { class: 'tile', href }, h('span', { class: 'name' }, name),
    h('span', { class: 'value' }, value), h('span', { class: 'more' }, more));
}

const sum = (rows, key) => (rows ?? []).reduce((total, row) => total + (row[key] ?? 0), 0);

function tiles(o) {
  const oldest = Math.max(0, ...(o.queues ?? []).map((q) => q.oldest_ms ?? 0));
  return h('section', { class: 'tiles', 'aria-label': 'Figures' },
    tile('Waiting', number(sum(o.queues, 'ready')), oldest ? `the oldest for ${duration(oldest)}` : 'nothing waits', '#/jobs?state=queued'),
    tile('Running', number(sum(o.queues, 'claimed')), `${number(sum(o.hosts, 'busy'))} of ${number(sum(o.hosts, 'workers'))} workers busy`, '#/jobs?state=running'),
    tile('Scheduled', number(sum(o.queues, 'scheduled')), 'for later', '#/schedules'),
    tile('Finished', `${rate(o.rates?.finished_per_s)}/s`, `${rate(o.rates?.enqueued_per_s)}/s enqueued`),
    tile('Failed', `${rate(o.rates?.failed_per_s)}/s`, 'see errors', '#/errors'),
    tile('Wait', duration(o.latency?.wait_p50_ms), `95 %: ${duration(o.latency?.wait_p95_ms)}`),
    tile('Run', duration(o.latency?.run_p50_ms), `95 %: ${duration(o.latency?.run_p95_ms)}`));
}

const running = [
  { head: 'Job', cell: (r) => h('a', { href: `#/jobs/${r.id}` }, `#${r.id}`) },
  { head: 'Kind', cell: (r) => r.kind, class: 'words' },
  { head: 'Queue', cell: (r) => r.queue, class: 'words' },
  { head: 'Worker', cell: (r) => [r.host, r.worker].filter((x) => x !== null && x !== undefined).join(' / ') },
  { head: 'For', cell: (r) => duration(r.run_ms), number: true },
  { head: 'Progress', cell: (r) => [bar(r.progress, `Progress of job ${r.id}`), r.progress_note && ` ${r.progress_note}`], class: 'words' },
];

const hostColumns = [
  { head: 'Host', cell: (r) => r.name, class: 'words' },
  { head: 'State', cell: (r) => state(r.state) },
  { head: 'Workers', cell: (r) => `${number(r.busy)} of ${number(r.workers)} busy`, number: true },
  { head: 'Slots', cell: (r) => number(r.slots), number: true },
  { head: 'Version', cell: (r) => r.version },
  { head: 'Last seen', cell: (r) => time(r.seen_at) },
];

function draw(o) {
  const wrong = (o.health ?? []).filter((x) => x.level !== 'ok');
  return h('div', { class: 'live' },
    o.daemon?.stall && h('p', { class: 'problem' }, `STALLED for ${duration(o.daemon.stall.ms)}: ${o.daemon.stall.why}`),
    tiles(o),
    h('div', { class: 'charts' },
      chart('Jobs a second', o.history ?? [], [{ key: 'finished', name: 'finished' }, { key: 'failed', name: 'failed' },
        { key: 'enqueued', name: 'enqueued' }], 'jobs a second'),
      chart('Jobs that wait', o.history ?? [], [{ key: 'waiting', name: 'waiting' }], 'jobs')),
    wrong.length > 0 && h('section', {}, h('h2', {}, 'Health'), findings(wrong)),
    table('Queues', queueColumns, o.queues ?? [], (q) => `queue ${q.queue}`),
    table('Running now', running, o.running ?? [], (r) => `job ${r.id}`),
    table('Hosts', hostColumns, o.hosts ?? [], (r) => `host ${r.name}`));
}

export async function show(root, { signal }) {
  const place = root.appendChild(h('div', {}));
  onDo(place, queueActions(() => {}), signal);
  const update = (o) => {
    redraw(place, draw(o));
  };
  update(await api.get('overview', {}, signal));
  subscribe(update, signal);
}
