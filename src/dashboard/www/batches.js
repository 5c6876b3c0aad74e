// The newest batches and how far they are.
import * as api from './api.js';
import { bar, h, table } from './dom.js';
import { number, time } from './format.js';
import { busy } from './ui.js';

export const title = () => 'Batches';

const columns = [
  { head: 'Batch', cell: (b) => h('a', { href: `#/batches/${b.batch_id}` }, b.batch_id), class: 'words' },
  { head: 'Progress', cell: (b) => [bar(b.percent, `Progress of batch ${b.batch_id}`), ` ${number(b.percent)} %`] },
  { head: 'Jobs', cell: (b) => number(b.total), number: true },
  { head: 'Queued', cell: (b) => number(b.queued), number: true },
  { head: 'Running', cell: (b) => number(b.running), number: true },
  { head: 'Succeeded', cell: (b) => number(b.succeeded), number: true },
  { head: 'Failed', cell: (b) => number(b.failed), number: true },
  { head: 'Cancelled', cell: (b) => number(b.cancelled), number: true },
  { head: 'User', cell: (b) => b.user_id ?? '', class: 'words' },
  { head: 'Enqueued', cell: (b) => time(b.created_at) },
  { head: 'Ended', cell: (b) => (b.finished_at ? time(b.finished_at) : '') },
];

export async function show(root, { signal }) {
  const found = h('div', {});
  const more = h('button', { type: 'button', hidden: true }, 'Older ones');
  let rows = [];
  let next = null;
  const load = async (before) => {
    const page = await api.get('batches', { before, limit: 50 }, signal);
    rows = before ? rows.concat(page.batches) : page.batches;
    next = page.next ?? page.batches.at(-1)?.before ?? null;
    found.replaceChildren(table('Newest batches', columns, rows, (b) => b.batch_id));
    more.hidden = !page.more;
  };
  more.addEventListener('click', () => busy(more, () => load(next)));
  root.append(found, more);
  await load();
}
