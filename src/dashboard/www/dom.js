// Elements, made and brought up to date.  Text goes in as text nodes only: nothing here
// reads HTML, so nothing that a job says can become an element.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false)
    .map((c) => (c instanceof Node ? c : document.createTextNode(String(c)))));
  return node;
}

// h('a', {href: '#/jobs', onclick: f}, 'Jobs', [more]): an element.
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

// What a person typed or clicks in must not be taken from under the hands.
const KEPT = new Set(['open', 'checked', 'value']);

function patchAttributes(old, fresh) {
  for (const { name } of [...old.attributes])
    if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes])
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

function isSame(old, fresh) {
  return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName
    && (old.nodeType !== Node.ELEMENT_NODE || old.getAttribute('data-key') === fresh.getAttribute('data-key'));
}

// Make old look like fresh, keeping the elements that are alike: focus, selection and what
// is unfolded stay.  Listeners are not carried over: live parts use data-do, see onDo().
function patch(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  patchAttributes(old, fresh);
  const keyed = new Map([...old.childNodes].filter((c) => c.dataset?.key).map((c) => [c.dataset.key, c]));
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const known = child.dataset?.key ? keyed.get(child.dataset.key) : at;
    if (known && isSame(known, child)) {
      if (known !== at) old.insertBefore(known, at);
      else at = at.nextSibling;
      patch(known, child);
    } else {
      old.insertBefore(child, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// What place shows becomes fresh: drawn the first time, brought up to date from then on.
export function redraw(place, fresh) {
  if (place.firstChild) patch(place.firstChild, fresh);
  else place.append(fresh);
}

// Clicks on elements with data-do="name", below root: actions.name(element).
export function onDo(root, actions, signal) {
  root.addEventListener('click', (event) => {
    const button = event.target.closest('[data-do]');
    if (button && root.contains(button) && !button.disabled) actions[button.dataset.do]?.(button);
  }, { signal });
}

// One element, however many a cell is made of: on a phone it stands beside its head.
function cell(content) {
  const isEmpty = content === null || content === undefined || content === '' || content === false;
  return isEmpty ? null : h('div', { class: 'cell' }, content);
}

// Columns are {head, cell(row), number, class}; on a phone each row is a card, with the heads
// beside.  The roles say again what is a table once its elements are laid out as blocks.
export function table(caption, columns, rows, key) {
  return h('div', { class: 'scroll' },
    h('table', { role: 'table' }, h('caption', {}, caption),
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map((c) => h('th', { scope: 'col', role: 'columnheader',
        class: c.number && 'number' }, c.head || h('span', { class: 'unseen' }, 'Actions'))))),
      h('tbody', { role: 'rowgroup' }, rows.map((row) => h('tr', { role: 'row', 'data-key': key ? key(row) : null },
        columns.map((c) => h('td', { role: 'cell', 'data-head': c.head, class: c.number ? 'number' : c.class }, cell(c.cell(row)))))))),
    rows.length === 0 && h('p', { class: 'nothing' }, 'Nothing here.'));
}

export function facts(pairs) {
  return h('dl', { class: 'facts' }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

const SIGNS = { queued: '○', running: '◐', succeeded: '●', failed: '✕', cancelled: '–', ok: '●', warn: '▲',
  warning: '▲', error: '✕', lost: '✕', paused: '‖', busy: '◐', idle: '○' };

// A state, by word and sign, so that it is told without colours, too.
export function state(name) {
  return h('span', { class: `state state-${/^[a-z_]+$/.test(name ?? '') ? name : 'other'}` },
    h('span', { 'aria-hidden': 'true' }, `${SIGNS[name] ?? '○'} `), name);
}

export function bar(percent, label) {
  return h('progress', { max: 100, value: percent ?? 0, 'aria-label': label }, `${percent ?? 0} %`);
}
