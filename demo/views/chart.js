/** A chart over time: uPlot, in the page's colours. */

import { make, shortBytes } from '../page/dom.js';
import { colour, onTheme } from '../page/theme.js';

/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./recording.js').Figure} Figure */

/**
 * @typedef {object} Line
 * @property {Figure} figure
 * @property {string} label
 * @property {string} colour a custom property: '--data'
 * @property {boolean} [isStepped] it keeps its value until the next
 *
 * @typedef {object} ChartOptions
 * @property {string} title
 * @property {Line[]} lines
 * @property {(value: number) => string} [format] of values: bytes, unless given
 * @property {boolean} [marks] both marks of the write buffer, and each PW and RW where it came
 */

/** Which is there before any module runs: index.html. @type {any} */
const { uPlot } = /** @type {any} */ (globalThis);

/** What axes of bytes are divided by. */
const POWERS = Array.from({ length: 40 }, (_, power) => 2 ** power);
const HEIGHT = 136;
/** How much is seen of what goes on, in milliseconds; of a file, all. */
const WINDOW = 12000;
/** How often it is drawn at most. */
const PAUSE = 60;

export class Chart {
  /** @type {any} */
  #plot;
  #drawn = 0;
  /** The colour of marks. */
  #flow = '';

  /** @param {Recording} recording @param {ChartOptions} options */
  constructor(recording, options) {
    this.recording = recording;
    this.options = options;
    this.place = make('div', { class: 'plot' });
    const { title, lines } = options;
    this.values = lines.map(() => make('span', { class: 'value' }, '–'));
    const legend = lines.map(({ label, colour }, index) => {
      const item = make('span', { class: 'key' }, `${label} `, this.values[index]);
      item.style.setProperty('--key', `var(${colour})`);
      return item;
    });
    this.element = make(
      'section',
      { class: 'card chart', 'aria-label': title },
      make(
        'div',
        { class: 'title' },
        make('h2', {}, title),
        make('span', { class: 'legend' }, ...legend),
      ),
      this.place,
    );
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect.width)).observe(this.place);
    onTheme(() => {
      this.#make();
      this.draw(true);
    });
  }

  /** @param {Recording} recording */
  show(recording) {
    this.recording = recording;
    this.draw(true);
  }

  /** @param {number} width */
  #resize(width) {
    if (width === 0) return;
    if (this.#plot) this.#plot.setSize({ width, height: HEIGHT });
    else this.#make();
    this.draw(true);
  }

  #make() {
    const { lines, format = shortBytes } = this.options;
    const width = this.place.clientWidth;
    if (width === 0) return;
    this.#plot?.destroy();
    this.#flow = colour('--flow');
    const stepped = uPlot.paths.stepped({ align: 1 });
    const axis = {
      stroke: colour('--muted'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const font = '11px system-ui, sans-serif';
    this.#plot = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false },
          y: {
            range: (
              /** @type {any} */ _plot,
              /** @type {number} */ _min,
              /** @type {number} */ max,
            ) => [0, this.#top(max)],
          },
        },
        axes: [
          {
            ...axis,
            font,
            size: 24,
            values: (/** @type {any} */ _plot, /** @type {number[]} */ splits) =>
              splits.map((at) => `${at} s`),
          },
          {
            ...axis,
            font,
            size: 56,
            space: 32,
            ...(format === shortBytes && { incrs: POWERS }),
            values: (/** @type {any} */ _plot, /** @type {number[]} */ splits) =>
              splits.map(format),
          },
        ],
        series: [
          {},
          ...lines.map(({ label, colour: property, isStepped }) => ({
            label,
            stroke: colour(property),
            width: 1.5,
            points: { show: false },
            spanGaps: true,
            ...(isStepped && { paths: stepped }),
          })),
        ],
        hooks: { draw: [(/** @type {any} */ plot) => this.options.marks && this.#drawMarks(plot)] },
      },
      [[], ...lines.map(() => [])],
      this.place,
    );
  }

  /** @param {number} max */
  #top(max) {
    const { high = 0 } = (this.options.marks && this.recording.limits) || {};
    return Math.max(max || 0, high, 1) * 1.15;
  }

  draw(isForced = false) {
    const now = performance.now();
    if (!this.#plot || this.place.clientWidth === 0) return;
    if (!isForced && now - this.#drawn < PAUSE) return this.#again();
    this.#drawn = now;
    const { recording, options } = this;
    const figures = options.lines.map(({ figure }) => recording.figures[figure]);
    const end = recording.isLive
      ? recording.now
      : Math.max(0, ...figures.map(({ times }) => times.at(-1) ?? 0));
    const begin = recording.isLive ? Math.max(0, end - WINDOW) : 0;
    for (const figure of figures)
      if (recording.isLive && figure.times.length > 0) /** @type {any} */ (figure).tick?.(end);
    this.#plot.setData(joined(figures, begin, end), false);
    this.#plot.setScale('x', { min: begin / 1000, max: Math.max(end, begin + 1000) / 1000 });
    const { format = shortBytes } = options;
    for (const [index, { values }] of figures.entries()) {
      const value = values.at(-1);
      this.values[index].textContent = value === undefined ? '–' : format(value);
    }
  }

  #isDue = false;

  #again() {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      this.draw();
    }, PAUSE);
  }

  /** @param {any} plot */
  #drawMarks(plot) {
    const { ctx, bbox } = plot;
    const { limits, entries } = this.recording;
    const { min, max } = plot.scales.x;
    const ratio = devicePixelRatio;
    const line = (/** @type {number} */ value) => {
      const y = plot.valToPos(value, 'y', true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    };
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = this.#flow;
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    if (limits) for (const value of [limits.high, limits.low]) line(value);
    ctx.setLineDash([]);
    for (const { name, time, level } of entries.slice(-2000)) {
      if ((name !== 'PW' && name !== 'RW') || level === undefined) continue;
      const seconds = time / 1000;
      if (seconds < min || seconds > max) continue;
      const [x, y] = [plot.valToPos(seconds, 'x', true), plot.valToPos(level, 'y', true)];
      const size = (name === 'PW' ? -4 : 4) * ratio; // up for PW, down for RW
      ctx.beginPath();
      ctx.moveTo(x - 4 * ratio, y - size / 2);
      ctx.lineTo(x + 4 * ratio, y - size / 2);
      ctx.lineTo(x, y + size);
      ctx.fill();
    }
    ctx.restore();
  }
}

/**
 * As uPlot wants them: one column of times, in seconds, and a column for each figure.
 * @param {{times: number[], values: number[]}[]} figures
 * @param {number} begin
 * @param {number} end
 */
function joined(figures, begin, end) {
  const columns = figures.map(({ times, values }) => {
    let from = times.findIndex((time) => time >= begin);
    from = from < 0 ? times.length - 1 : Math.max(0, from - 1);
    const part = { times: times.slice(Math.max(from, 0)), values: values.slice(Math.max(from, 0)) };
    const last = part.values.at(-1);
    if (last !== undefined && /** @type {number} */ (part.times.at(-1)) < end) {
      part.times.push(end);
      part.values.push(last);
    }
    return [part.times.map((time) => time / 1000), part.values];
  });
  return columns.length === 1 ? columns[0] : uPlot.join(columns);
}
