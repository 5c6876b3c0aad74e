// Which page is shown, and who may see it.
import * as api from './api.js';
import { h } from './dom.js';
import { onLink } from './live.js';
import { noteError } from './ui.js';
import { showLogin } from './login.js';
import * as overview from './overview.js';
import * as jobs from './jobs.js';
import * as job from './job.js';
import * as batches from './batches.js';
import * as batch from './batch.js';
import * as queues from './queues.js';
import * as schedules from './schedules.js';
import * as errors from './errors.js';
import * as hosts from './hosts.js';

// A page is {title, show(root, {id, query, signal})}; signal is aborted when it is left.
const pages = [
  { path: 'overview', name: 'Overview', page: overview },
  { path: 'jobs', name: 'Jobs', page: jobs, one: job },
  { path: 'batches', name: 'Batches', page: batches, one: batch },
  { path: 'queues', name: 'Queues', page: queues },
  { path: 'schedules', name: 'Schedules', page: schedules },
  { path: 'errors', name: 'Errors', page: errors },
  { path: 'hosts', name: 'Hosts', page: hosts },
];

const main = document.getElementById('main');
const top = document.getElementById('top');
let leave = new AbortController();
let shown = null;

// "#/jobs/12?state=failed"
function place() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, id] = path.split('/');
  const known = pages.find((p) => p.path === name) ?? pages[0];
  return { known, id: id ? decodeURIComponent(id) : null, query: Object.fromEntries(new URLSearchParams(query ?? '')) };
}

function drawNav(current) {
  document.getElementById('nav').replaceChildren(...pages.map((p) => h('a', {
    href: `#/${p.path}`, 'aria-current': p === current ? 'page' : null }, p.name)));
}

async function go() {
  const { known, id, query } = place();
  const page = id && known.one ? known.one : known.page;
  const title = id ? page.title(id) : page.title();
  leave.abort();
  leave = new AbortController();
  drawNav(known);
  document.title = `${title} · pgcrew`;
  const root = h('div', { class: `page page-${known.path}` }, h('h1', { tabindex: '-1' }, title));
  main.replaceChildren(root);
  // A screen reader begins at the new page; the first one of all begins at its top.
  if (shown !== null && shown !== `${known.path}/${id}`) root.querySelector('h1').focus();
  shown = `${known.path}/${id}`;
  try {
    await page.show(root, { id, query, signal: leave.signal });
  } catch (error) {
    if (error.name === 'AbortError' || error.status === 401) return;
    root.append(h('p', { class: 'problem', role: 'alert' }, error.message, error.hint && ` ${error.hint}`));
  }
}

function start(session) {
  document.getElementById('host').textContent = session.name ?? 'pgcrew';
  document.getElementById('host').title = `pgcrew ${session.version ?? ''}`;
  top.hidden = false;
  if (!location.hash) history.replaceState(null, '', '#/overview');
  window.addEventListener('hashchange', go);
  return go();
}

function signIn(why) {
  leave.abort();
  window.removeEventListener('hashchange', go);
  top.hidden = true;
  shown = null;
  document.title = 'Log in · pgcrew';
  showLogin(main, why, start);
}

// --- theme ---------------------------------------------------------------------------------

const themes = ['', 'light', 'dark'];
const themeNames = { '': 'Theme: auto', light: 'Theme: light', dark: 'Theme: dark' };

function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  document.getElementById('theme').textContent = themeNames[name];
  try {
    if (name) localStorage.setItem('pgcrew.theme', name);
    else localStorage.removeItem('pgcrew.theme');
  } catch { /* no storage: for this page only */ }
}

// --- beginning ------------------------------------------------------------------------------

setTheme(document.documentElement.dataset.theme ?? '');
document.getElementById('theme').addEventListener('click', () => {
  const now = document.documentElement.dataset.theme ?? '';
  setTheme(themes[(themes.indexOf(now) + 1) % themes.length]);
});
document.getElementById('logout').addEventListener('click', () => {
  api.logout().then(() => signIn('You have logged out.'), noteError);
});
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
const LINKS = { live: 'live', waiting: 'waiting for the daemon', '': '' };
onLink((link) => {
  const line = document.getElementById('link');
  if (line.textContent !== LINKS[link]) line.textContent = LINKS[link];
  line.className = link;
});
api.whenSignedOut(() => { if (!top.hidden) signIn('Your session has ended.'); });
api.session().then(start, (error) => signIn(error.status === 401 ? '' : error.message));
