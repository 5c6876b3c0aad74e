// Queues: what waits in each, and whether it is taken.
import * as api from './api.js';
import { h, onDo, redraw, state, table } from './dom.js';
import { duration, number, time } from './format.js';
import { busy, note, repeat } from './ui.js';

export const title = () => 'Queues';

export const queueColumns = [
  { head: 'Queue', cell: (q) => h('a', { href: `#/jobs?queue=${encodeURIComponent(q.queue)}` }, q.queue), class: 'words' },
  { head: 'Ready', cell: (q) => number(q.ready), number: true },
  { head: 'Scheduled', cell: (q) => number(q.scheduled), number: true },
  { head: 'Claimed', cell: (q) => number(q.claimed), number: true },
  { head: 'Workers', cell: (q) => number(q.workers), number: true },
  { head: 'Oldest', cell: (q) => (q.ready ? duration(q.oldest_ms) : '–'), number: true },
  { head: 'State', cell: (q) => (q.paused_at ? [state('paused'), ' ', time(q.paused_at)]
    : state(q.workers ? 'ok' : q.ready ? 'warn' : 'ok')) },
  { head: '', cell: (q) => h('button', { type: 'button', 'data-do': q.paused_at ? 'resume' : 'pause', 'data-queue': q.queue,
    'aria-label': `${q.paused_at ? 'Resume' : 'Pause'} queue ${q.queue}` }, q.paused_at ? 'Resume' : 'Pause') },
];

// after() when something was done.
export function queueActions(after) {
  const act = (what, said) => (button) => busy(button, async () => {
    await api.post(`queues/${encodeURIComponent(button.dataset.queue)}/${what}`);
    note(`Queue ${button.dataset.queue} ${said}`);
    await after();
  });
  return {
    pause: act('pause', 'is paused: what runs goes on, nothing more is taken.'),
    resume: act('resume', 'goes on.'),
  };
}

const kinds = [
  { head: 'Kind', cell: (k) => k.kind, class: 'words' },
  { head: 'Ready', cell: (k) => number(k.ready), number: true },
];

function draw(queues) {
  return h('div', {}, table('Queues', queueColumns, queues, (q) => `queue ${q.queue}`),
    queues.filter((q) => q.kinds?.length).map((q) => h('details', { 'data-key': `kinds ${q.queue}` },
      h('summary', {}, `What waits in ${q.queue}`), table(`Kinds in ${q.queue}`, kinds, q.kinds, (k) => k.kind))));
}

export async function show(root, { signal }) {
  const place = root.appendChild(h('div', {}));
  const load = async () => {
    const { queues } = await api.get('queues', {}, signal);
    redraw(place, draw(queues));
  };
  onDo(place, queueActions(load), signal);
  await repeat(load, 2000, signal);
}
