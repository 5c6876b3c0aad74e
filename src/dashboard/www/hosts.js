// Hosts, their workers, and whether database and daemon are well.
import * as api from './api.js';
import { facts, h, redraw, state, table } from './dom.js';
import { bytes, duration, number, time } from './format.js';
import { findings } from './health.js';
import { repeat } from './ui.js';

export const title = () => 'Hosts';

const workers = [
  { head: 'Worker', cell: (w) => number(w.slot), number: true },
  { head: 'Process', cell: (w) => w.pid ?? '', number: true },
  { head: 'State', cell: (w) => state(w.state ?? (w.idle ? 'idle' : 'busy')) },
  { head: 'Runs', cell: (w) => (w.running ?? []).map((id) => [h('a', { href: `#/jobs/${id}` }, `#${id}`), ' ']) },
  { head: 'Slots', cell: (w) => number(w.slots), number: true },
  { head: 'Queues', cell: (w) => (w.queues ?? []).join(', '), class: 'words' },
  { head: 'Kinds', cell: (w) => (w.kinds ?? ['any']).join(', '), class: 'words' },
  { head: 'Last seen', cell: (w) => time(w.seen_at) },
];

function daemonFacts(d) {
  if (!d) return null;
  const pss = Object.entries(d.pss_bytes ?? {}).map(([role, n]) => `${role} ${bytes(n)}`).join(', ');
  const restarts = Object.entries(d.restarts ?? {}).filter(([, n]) => n > 0).map(([why, n]) => `${n} ${why}`).join(', ');
  return h('section', {}, h('h2', {}, `The daemon on ${d.name}`), facts([
    ['State', state(d.state)], ['Version', d.version], ['Process', d.pid], ['Up for', duration(d.uptime_ms)],
    ['Lease renewed', d.lease_ok_ms === null ? null : `${duration(d.lease_ok_ms)} ago`], ['Jobs running', number(d.running)],
    ['Memory', pss], ['Restarts', restarts || 'none'], ['Control groups', d.control_groups]]));
}

function draw({ hosts, daemon, health }) {
  return h('div', {},
    h('section', {}, h('h2', {}, 'Health'), findings(health ?? [])),
    hosts.map((host) => h('section', { 'data-key': host.name }, h('h2', {}, host.name),
      h('p', {}, `pgcrew ${host.version ?? ''}, last seen `, time(host.seen_at)),
      table(`Workers of ${host.name}`, workers, host.workers ?? [], (w) => `${w.slot} ${w.pid}`))),
    daemonFacts(daemon));
}

export async function show(root, { signal }) {
  const place = root.appendChild(h('div', {}));
  await repeat(async () => {
    redraw(place, draw(await api.get('hosts', {}, signal)));
  }, 2000, signal);
}
