// Search for jobs, and do something with all that were found.
import * as api from './api.js';
import { bar, h, state, table } from './dom.js';
import { number, time } from './format.js';
import { busy, confirm, note } from './ui.js';

export const title = () => 'Jobs';

const STATES = ['', 'queued', 'running', 'succeeded', 'failed', 'cancelled'];
const FIELDS = [
  { key: 'kind', name: 'Kind' }, { key: 'queue', name: 'Queue' }, { key: 'batch', name: 'Batch' },
  { key: 'user', name: 'User' }, { key: 'id', name: 'Job id', inputmode: 'numeric', pattern: '[0-9]+' },
  { key: 'text', name: 'Text in error or payload' },
  { key: 'since', name: 'Enqueued after', type: 'datetime-local' }, { key: 'until', name: 'Enqueued before', type: 'datetime-local' },
];
const ACTIONS = {
  retry: { verb: 'Retry', done: 'queued again', text: 'Those that have failed or were cancelled are queued again.' },
  cancel: { verb: 'Cancel', done: 'cancelled', text: 'Those that wait are cancelled, those that run are asked to stop.' },
  delete: { verb: 'Delete', done: 'deleted', text: 'They are gone with their payloads, results and attempts. This cannot be undone.' },
};

export const jobColumns = [
  { head: 'Job', cell: (j) => h('a', { href: `#/jobs/${j.id}` }, `#${j.id}`) },
  { head: 'State', cell: (j) => state(j.status) },
  { head: 'Kind', cell: (j) => j.kind, class: 'words' },
  { head: 'Queue', cell: (j) => j.queue, class: 'words' },
  { head: 'Attempts', cell: (j) => `${number(j.attempts)} of ${number(j.max_attempts)}`, number: true },
  { head: 'Progress', cell: (j) => (j.status === 'running' ? bar(j.progress, `Progress of job ${j.id}`) : '') },
  { head: 'Enqueued', cell: (j) => time(j.created_at) },
  { head: 'Ended', cell: (j) => (j.finished_at ? time(j.finished_at) : '') },
  { head: 'Said', cell: (j) => j.error ?? j.progress_note ?? '', class: 'words long' },
];

// datetime-local has no zone: it is that of who looks.
const toIso = (value) => (value ? new Date(value).toISOString() : '');

function asked(query) {
  const { since, until, ...rest } = query;
  return { ...rest, since: toIso(since), until: toIso(until) };
}

function searchForm(query) {
  const form = h('form', { class: 'search', role: 'search', 'aria-label': 'Jobs' },
    h('label', {}, 'State', h('select', { name: 'state' }, STATES.map((s) => h('option', { value: s, selected: s === (query.state ?? '') }, s || 'any')))),
    FIELDS.map((f) => h('label', {}, f.name, h('input', { name: f.key, type: f.type ?? 'text', value: query[f.key] ?? '',
      inputmode: f.inputmode, pattern: f.pattern, autocomplete: 'off', spellcheck: 'false' }))),
    h('div', { class: 'actions' }, h('button', { type: 'submit', class: 'strong' }, 'Search'), h('a', { href: '#/jobs' }, 'Clear')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const wanted = [...new FormData(form)].map(([k, v]) => [k, v.trim()]).filter(([, v]) => v !== '');
    const hash = `#/jobs?${new URLSearchParams(wanted)}`;
    if (location.hash === hash) window.dispatchEvent(new HashChangeEvent('hashchange'));
    else location.hash = hash;
  });
  return form;
}

// --- bulk --------------------------------------------------------------------------------------

async function bulk(action, filter, progress, reload) {
  const { verb, done, text } = ACTIONS[action];
  const { count, exact } = await api.post('bulk', { action, filter, preview: true });
  if (count === 0) {
    note('No job that this is for matches the search.');
    return;
  }
  const many = `${exact ? '' : 'more than '}${number(count)} ${count === 1 ? 'job' : 'jobs'}`;
  const sure = await confirm({ title: `${verb} ${many}?`, text, button: `${verb} ${many}`,
    word: action === 'delete' ? String(count) : null });
  if (!sure) return;
  let total = 0;
  progress.hidden = false;
  try {
    for (let left = 1; left > 0;) {
      const step = await api.post('bulk', { action, filter, preview: false, expected: exact ? Math.max(count - total, 0) : null });
      total += step.done;
      left = step.done > 0 ? step.left : 0;
      progress.max = total + left || 1;
      progress.value = total;
    }
  } finally {
    progress.hidden = true;
    note(`${number(total)} ${total === 1 ? 'job was' : 'jobs were'} ${done}.`);
    await reload();
  }
}

function bulkBar(filter, reload) {
  const progress = h('progress', { hidden: true, 'aria-label': 'Jobs done', max: 1, value: 0 });
  return h('div', { class: 'actions bulk' }, h('span', {}, 'All that match:'),
    Object.entries(ACTIONS).map(([action, { verb }]) => h('button', { type: 'button', class: action === 'delete' ? 'danger' : null,
      onclick: (event) => busy(event.currentTarget, () => bulk(action, filter, progress, reload)) }, `${verb}…`)), progress);
}

// --- the page ------------------------------------------------------------------------------------

export async function show(root, { query, signal }) {
  const filter = asked(query);
  const found = h('div', { 'aria-live': 'off' });
  const more = h('button', { type: 'button', hidden: true }, 'Older ones');
  let rows = [];
  let next = null;

  const load = async (before) => {
    const page = await api.get('jobs', { ...filter, before, limit: 50 }, signal);
    rows = before ? rows.concat(page.jobs) : page.jobs;
    found.replaceChildren(table(`${number(rows.length)}${page.more ? ' newest' : ''} jobs`, jobColumns, rows, (j) => String(j.id)));
    // A search looks at so many jobs at a time: there may be more to find behind a page that is not full.
    next = page.next ?? rows.at(-1)?.id;
    more.hidden = !page.more;
  };
  more.addEventListener('click', () => busy(more, () => load(next)));
  const narrow = Object.entries(query).filter(([k, v]) => v && k !== 'state').length > 0;
  root.append(h('details', { class: 'filters', open: narrow || window.matchMedia('(min-width: 50rem)').matches },
    h('summary', {}, 'Search'), searchForm(query)), bulkBar(filter, () => load()), found, more);
  await load();
}
