// Lines over time as SVG.  Presentation is by classes and attributes: the page's policy
// allows no inline styles.
import { h, svg } from './dom.js';
import { rate } from './format.js';

const WIDTH = 600;
const HEIGHT = 160;
const LEFT = 44;
const BOTTOM = 18;

// The next of 1, 2, 5, 10, 20 ... that is not less.
function roof(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return Math.max([1, 2, 5, 10].find((step) => value <= step * power) * power, 1);
}

function path(points, key, top) {
  const stepX = (WIDTH - LEFT) / Math.max(points.length - 1, 1);
  return points.map((point, i) => {
    const y = (HEIGHT - BOTTOM) * (1 - Math.min((point[key] ?? 0) / top, 1)) + 4;
    return `${i === 0 ? 'M' : 'L'}${(LEFT + i * stepX).toFixed(1)} ${y.toFixed(1)}`;
  }).join('');
}

function grid(top) {
  return [0, 0.5, 1].map((part) => {
    const y = (HEIGHT - BOTTOM) * (1 - part) + 4;
    return [svg('line', { class: 'grid', x1: LEFT, x2: WIDTH, y1: y, y2: y }),
      svg('text', { x: LEFT - 6, y: y + 4, 'text-anchor': 'end' }, rate(top * part))];
  });
}

// points: [{at, ...}], oldest first; series: [{key, name}].  What it shows is told in words, too.
export function chart(title, points, series, unit) {
  const top = roof(Math.max(1, ...points.flatMap((p) => series.map((s) => p[s.key] ?? 0))));
  const last = points.at(-1) ?? {};
  const words = series.map((s) => `${s.name} ${rate(last[s.key] ?? 0)}`).join(', ');
  const span = points.length > 1 ? Math.round((new Date(last.at) - new Date(points[0].at)) / 1000) : 0;
  return h('figure', { class: 'chart' },
    h('figcaption', {}, h('span', {}, title),
      series.map((s) => h('span', { class: `key key-${s.key}` }, h('span', { class: 'line', 'aria-hidden': 'true' }),
        `${s.name} `, h('b', {}, rate(last[s.key] ?? 0))))),
    svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT + 4}`, role: 'img', 'aria-label': `${title}, ${unit}, now: ${words}`,
      preserveAspectRatio: 'none' },
    grid(top),
    svg('text', { x: LEFT, y: HEIGHT + 1 }, span >= 120 ? `${Math.round(span / 60)} min ago` : `${span} s ago`),
    svg('text', { x: WIDTH, y: HEIGHT + 1, 'text-anchor': 'end' }, 'now'),
    series.map((s) => svg('path', { class: `series series-${s.key}`, d: path(points, s.key, top),
      'vector-effect': 'non-scaling-stroke' }))));
}
