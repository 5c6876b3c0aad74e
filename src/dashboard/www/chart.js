// Lines over time as SVG.  Presentation is by classes and attributes: the page's policy
// allows no inline styles.
import { h, svg } from './dom.js';
import { rate } from './format.js';

// Of the drawing, which is stretched to its place; words stand beside it, unstretched.
const WIDTH = 600;
const HEIGHT = 150;

// The next of 1, 2, 5, 10, 20 ... that is not less.
function roof(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return Math.max([1, 2, 5, 10].find((step) => value <= step * power) * power, 1);
}

const heightOf = (value, top) => ((HEIGHT - 2) * (1 - Math.min(value / top, 1)) + 1).toFixed(1);

function path(points, key, top) {
  const step = WIDTH / Math.max(points.length - 1, 1);
  return points.map((point, i) => `${i === 0 ? 'M' : 'L'}${(i * step).toFixed(1)} ${heightOf(point[key] ?? 0, top)}`).join('');
}

function legend(s, last) {
  return h('span', { class: `key key-${s.key}` }, h('span', { class: 'line', 'aria-hidden': 'true' }),
    `${s.name} `, h('b', {}, rate(last[s.key] ?? 0)));
}

function ago(points) {
  const s = points.length > 1 ? Math.round((new Date(points.at(-1).at) - new Date(points[0].at)) / 1000) : 0;
  return s >= 120 ? `${Math.round(s / 60)} min ago` : `${s} s ago`;
}

// points: [{at, ...}], oldest first; series: [{key, name}].  What it shows is told in words, too.
export function chart(title, points, series, unit) {
  const top = roof(Math.max(1, ...points.flatMap((p) => series.map((s) => p[s.key] ?? 0))));
  const last = points.at(-1) ?? {};
  const words = series.map((s) => `${s.name} ${rate(last[s.key] ?? 0)}`).join(', ');
  const parts = [1, 0.5, 0];
  return h('figure', { class: 'chart' },
    h('figcaption', {}, h('span', {}, title), series.map((s) => legend(s, last))),
    h('div', { class: 'plot' },
      h('div', { class: 'scale', 'aria-hidden': 'true' }, parts.map((part) => h('span', {}, rate(top * part)))),
      svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', preserveAspectRatio: 'none',
        'aria-label': `${title}, ${unit}, now: ${words}` },
      parts.map((part) => svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: heightOf(part, 1), y2: heightOf(part, 1) })),
      series.map((s) => svg('path', { class: `series series-${s.key}`, d: path(points, s.key, top) }))),
      h('div', { class: 'span', 'aria-hidden': 'true' }, h('span', {}, ago(points)), h('span', {}, 'now'))));
}
