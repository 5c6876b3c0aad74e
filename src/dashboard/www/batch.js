// One batch: its progress and its jobs.
import * as api from './api.js';
import { bar, facts, h, onDo, redraw, state, table } from './dom.js';
import { duration, number, time } from './format.js';
import { busy, confirm, note, repeat } from './ui.js';

export const title = (id) => `Batch ${id.slice(0, 8)}`;

const columns = [
  { head: 'Job', cell: (j) => h('a', { href: `#/jobs/${j.id}` }, `#${j.id}`) },
  { head: 'State', cell: (j) => state(j.status) },
  { head: 'Kind', cell: (j) => j.kind, class: 'words' },
  { head: 'Progress', cell: (j) => bar(j.progress, `Progress of job ${j.id}`) },
  { head: 'Attempts', cell: (j) => `${number(j.attempts)} of ${number(j.max_attempts)}`, number: true },
  { head: 'Ended', cell: (j) => (j.finished_at ? time(j.finished_at) : '') },
  { head: 'Said', cell: (j) => j.error ?? j.progress_note ?? '', class: 'words long' },
];

function draw(b) {
  return h('div', {},
    h('p', { class: 'headline' }, state(b.status), ` ${number(b.percent)} %`, b.eta_seconds !== null && ` · about ${duration(b.eta_seconds * 1000)} left`),
    bar(b.percent, 'Progress of the batch'),
    h('div', { class: 'actions' },
      h('button', { type: 'button', 'data-do': 'retry', disabled: b.failed + b.cancelled === 0 }, 'Retry what failed'),
      h('button', { type: 'button', 'data-do': 'cancel', class: 'danger', disabled: b.done }, 'Cancel what is left…'),
      h('a', { href: `#/jobs?batch=${encodeURIComponent(b.batch_id)}` }, 'Search in it')),
    facts([['Batch', b.batch_id], ['Jobs', number(b.total)], ['Queued', number(b.queued)], ['Running', number(b.running)],
      ['Succeeded', number(b.succeeded)], ['Failed', number(b.failed)], ['Cancelled', number(b.cancelled)],
      ['Enqueued', time(b.created_at)], ['Started', b.started_at && time(b.started_at)], ['Ended', b.finished_at && time(b.finished_at)]]),
    table(b.jobs_truncated ? `The first ${number(b.jobs.length)} jobs` : 'Jobs', columns, b.jobs, (j) => String(j.id)));
}

export async function show(root, { id, signal }) {
  const place = root.appendChild(h('div', {}));
  const path = `batches/${encodeURIComponent(id)}`;
  let done = false;
  const load = async () => {
    const found = await api.get(path, {}, signal);
    done = found.done;
    redraw(place, draw(found));
  };
  onDo(place, {
    retry: (button) => busy(button, async () => {
      const { count } = await api.post(`${path}/retry`);
      note(`${number(count)} jobs were queued again.`);
      await load();
    }),
    cancel: async (button) => {
      const sure = await confirm({ title: 'Cancel this batch?', text: 'Jobs that wait are cancelled, those that run are asked to stop.', button: 'Cancel what is left' });
      if (sure) await busy(button, async () => {
        const { count } = await api.post(`${path}/cancel`);
        note(`${number(count)} jobs were cancelled or asked to stop.`);
        await load();
      });
    },
  }, signal);
  await load();
  repeat(() => (done ? null : load()), 1000, signal);
}
