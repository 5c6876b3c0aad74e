// What goes wrong, grouped by what was said.
import * as api from './api.js';
import { h, table } from './dom.js';
import { number, time } from './format.js';

export const title = () => 'Errors';

const SPANS = [['1', 'the last hour'], ['24', 'the last day'], ['168', 'the last week'], ['', 'all that is kept']];

const columns = [
  { head: 'Message', cell: (e) => e.message, class: 'words long' },
  { head: 'Times', cell: (e) => number(e.count), number: true },
  { head: 'Kinds', cell: (e) => (e.kinds ?? []).join(', '), class: 'words' },
  { head: 'Causes', cell: (e) => (e.causes ?? []).join(', ') },
  { head: 'First', cell: (e) => time(e.first_at) },
  { head: 'Last', cell: (e) => time(e.last_at) },
  { head: 'For example', cell: (e) => e.sample_job_id && h('a', { href: `#/jobs/${e.sample_job_id}` }, `#${e.sample_job_id}`) },
];

export async function show(root, { query, signal }) {
  const hours = query.hours ?? '24';
  const since = hours ? new Date(Date.now() - hours * 3600000).toISOString() : '';
  const choice = h('select', { id: 'span' }, SPANS.map(([value, name]) => h('option', { value, selected: value === hours }, name)));
  choice.addEventListener('change', () => { location.hash = `#/errors?hours=${choice.value}`; });
  root.append(h('p', {}, h('label', { for: 'span' }, 'Attempts that ended in '), choice));
  const { errors } = await api.get('errors', { since }, signal);
  root.append(table('Errors, the most frequent first', columns, errors));
}
