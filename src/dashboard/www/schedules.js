// Recurring jobs, and single ones that wait for their time.
import * as api from './api.js';
import { h, onDo, redraw, state, table } from './dom.js';
import { clock, json, number, time } from './format.js';
import { busy, note, repeat } from './ui.js';

export const title = () => 'Schedules';

const columns = [
  { head: 'Schedule', cell: (s) => s.name, class: 'words' },
  { head: 'When', cell: (s) => [h('code', {}, s.cron), ` ${s.timezone}`] },
  { head: 'Kind', cell: (s) => s.kind, class: 'words' },
  { head: 'Queue', cell: (s) => s.queue, class: 'words' },
  { head: 'Next', cell: (s) => (s.paused_at ? [state('paused'), ' ', time(s.paused_at)] : [time(s.next_at), ` (${clock(s.next_at)})`]) },
  { head: 'Last', cell: (s) => (s.last_job_id ? [h('a', { href: `#/jobs/${s.last_job_id}` }, `#${s.last_job_id}`), ' ', time(s.last_at)] : '–') },
  { head: 'With', cell: (s) => h('details', {}, h('summary', {}, 'Payload'), h('pre', { tabindex: '0' }, json(s.payload_text))) },
  { head: '', cell: (s) => h('div', { class: 'actions' },
    h('button', { type: 'button', 'data-do': 'run', 'data-name': s.name, 'aria-label': `Run now: ${s.name}` }, 'Run now'),
    h('button', { type: 'button', 'data-do': s.paused_at ? 'resume' : 'pause', 'data-name': s.name,
      'aria-label': `${s.paused_at ? 'Resume' : 'Pause'} ${s.name}` }, s.paused_at ? 'Resume' : 'Pause')) },
];

const laterColumns = [
  { head: 'Job', cell: (j) => h('a', { href: `#/jobs/${j.id}` }, `#${j.id}`) },
  { head: 'Kind', cell: (j) => j.kind, class: 'words' },
  { head: 'Queue', cell: (j) => j.queue, class: 'words' },
  { head: 'May start', cell: (j) => time(j.run_at) },
  { head: 'Attempts', cell: (j) => number(j.attempts), number: true },
];

function draw({ schedules, scheduled }) {
  return h('div', {}, table('Recurring jobs', columns, schedules, (s) => s.name),
    schedules.length === 0 && h('p', { class: 'hint' }, 'Add one with ', h('code', {}, 'pgcrew schedule add'), '.'),
    table('The next jobs that wait for their time', laterColumns, scheduled, (j) => String(j.id)));
}

export async function show(root, { signal }) {
  const place = root.appendChild(h('div', {}));
  const load = async () => {
    redraw(place, draw(await api.get('schedules', {}, signal)));
  };
  const act = (what, said) => (button) => busy(button, async () => {
    await api.post(`schedules/${encodeURIComponent(button.dataset.name)}/${what}`);
    note(`${button.dataset.name} ${said}`);
    await load();
  });
  onDo(place, { run: act('run', 'was enqueued once more.'), pause: act('pause', 'is paused.'), resume: act('resume', 'goes on.') }, signal);
  await repeat(load, 5000, signal);
}
