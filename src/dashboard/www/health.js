// What is not well, and what to do.
import { h, state } from './dom.js';

export function findings(rows) {
  if (rows.length === 0) return h('p', { class: 'hint' }, 'All is well, as far as the janitor has looked.');
  return h('ul', { class: 'findings' }, rows.map((row) => h('li', {}, state(row.level), ' ',
    h('b', {}, row.check), ': ', row.finding, row.fix && h('span', { class: 'fix' }, ` ${row.fix}`))));
}
