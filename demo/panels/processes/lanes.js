/**
 * The programs of a pipeline, a lane each: what each wrote over time, when it was not read because the next one had
 * enough, and how it ended.
 */
import { make, number, shortBytes } from '../../page/dom.js';
import { colour, onTheme } from '../../page/theme.js';
import { Rate } from '../../views/samples.js';

/** @typedef {import('../../views/recording.js').Recording} Recording */
/** @typedef {import('../../views/recording.js').Entry} Entry */

const HEIGHT = 96;
/** How much is seen of what goes on, in milliseconds. */
const WINDOW = 12000;
/** Times of so many calls are kept. */
const KEPT = 4000;

/** One program: its calls are those of the connection with its number, from 1. */
class Lane {
  /** Times between which it was not read, the last one perhaps open. @type {[number, number | undefined][]} */
  held = [];
  written = 0;
  rates = new Rate();
  /** @type {Entry[]} */
  ends = [];

  colours = { data: '', area: '', flow: '', end: '' };

  constructor() {
    this.name = make('h3', {}, '–');
    this.state = make('span', { class: 'chip' }, 'not yet');
    this.rate = make('output', { class: 'figure' }, '0 B/s');
    this.total = make('p', {}, '0 B written');
    this.canvas = make('canvas', { 'aria-hidden': 'true' });
    this.element = make(
      'div',
      { class: 'lane' },
      make(
        'div',
        { class: 'lane-facts' },
        this.name,
        this.state,
        make('p', {}, this.rate),
        this.total,
      ),
      this.canvas,
    );
  }

  clear() {
    this.held = [];
    this.written = 0;
    this.rates = new Rate();
    this.ends = [];
    this.say('not yet', '');
  }

  /** @param {string} text @param {string} family */
  say(text, family) {
    if (this.state.textContent !== text) this.state.textContent = text;
    this.state.dataset.family = family;
  }

  get isHeld() {
    const last = this.held.at(-1);
    return last !== undefined && last[1] === undefined;
  }

  /** A call of its own protocol. @param {Entry} entry */
  add(entry) {
    const { name, fd, size = 0, time } = entry;
    if (name === 'PD' && fd === 1) {
      this.written += size;
      this.rates.add(time, size);
    }
    if (name === 'CM') this.say('runs', 'life');
    if (name === 'PX' || name === 'CL') {
      this.ends.push(entry);
      if (name === 'PX') this.say(entry.text ?? 'has ended', 'asked');
      this.release(time);
    }
  }

  /** @param {number} time */
  hold(time) {
    if (this.ends.length > 0) return;
    this.held.push([time, undefined]);
    if (this.held.length > KEPT) this.held.splice(0, KEPT / 4);
  }

  /** @param {number} time */
  release(time) {
    const last = this.held.at(-1);
    if (last && last[1] === undefined) last[1] = time;
  }

  /** Time goes on. @param {number} now */
  tick(now) {
    if (this.ends.length === 0 && this.rates.times.length > 0) this.rates.tick(now);
  }

  /** @param {number} begin @param {number} end @param {boolean} isLive */
  draw(begin, end, isLive) {
    const { times, values } = this.rates;
    const isOver = this.ends.length > 0 || !isLive;
    this.rate.textContent = `${shortBytes(isOver ? this.#average : (values.at(-1) ?? 0))}/s`;
    this.total.textContent = `${shortBytes(this.written)} written${isOver && this.written > 0 ? ', on average' : ''}`;
    if (this.ends.length === 0 && times.length > 0)
      this.say(this.isHeld ? 'waits' : 'runs', this.isHeld ? 'flow' : 'life');
    this.#paint(begin, end);
  }

  get #average() {
    const [first = 0] = this.rates.times;
    const last = this.ends[0]?.time ?? this.rates.times.at(-1) ?? 0;
    return last > first ? Math.round((this.written * 1000) / (last - first)) : 0;
  }

  /** @param {number} begin @param {number} end */
  #paint(begin, end) {
    const { canvas } = this;
    const ratio = devicePixelRatio;
    const [width, height] = [canvas.clientWidth, HEIGHT];
    if (width === 0) return;
    if (canvas.width !== Math.round(width * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    const x = (/** @type {number} */ time) => ((time - begin) / (end - begin)) * width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.fillStyle = this.colours.flow;
    context.globalAlpha = 0.3;
    for (const [from, to = end] of this.held)
      if (to >= begin) context.fillRect(x(from), 0, Math.max(1, x(to) - x(from)), height - 1);
    context.globalAlpha = 1;
    const { times, values } = this.rates;
    const top = Math.max(1, ...values) * 1.1;
    const y = (/** @type {number} */ value) => height - 1 - (value / top) * (height - 4);
    context.beginPath();
    context.moveTo(x(times[0] ?? begin), height - 1);
    for (const [index, time] of times.entries()) context.lineTo(x(time), y(values[index]));
    context.lineTo(x(times.at(-1) ?? begin), height - 1);
    context.fillStyle = this.colours.area;
    context.fill();
    context.strokeStyle = this.colours.data;
    context.lineWidth = 1.5;
    context.stroke();
    context.strokeStyle = this.colours.end;
    for (const { time } of this.ends) {
      context.beginPath();
      context.moveTo(x(time), 0);
      context.lineTo(x(time), height);
      context.stroke();
    }
  }
}

export class Lanes {
  #seen = 0;
  #epoch = -1;

  /** @param {Recording} recording */
  constructor(recording) {
    this.recording = recording;
    this.lanes = [new Lane(), new Lane()];
    this.pauses = make('output', {}, '0');
    this.element = make(
      'section',
      { class: 'card lanes', 'aria-label': 'Pipeline' },
      make(
        'div',
        { class: 'title' },
        make('h2', {}, 'Pipeline'),
        make(
          'span',
          { class: 'legend' },
          key('--data', 'written, a second'),
          key('--flow', 'not read: the next one has enough'),
          key('--end', 'the end'),
        ),
      ),
      this.lanes[0].element,
      make('p', { class: 'joint muted' }, 'paused ', this.pauses, ' times'),
      this.lanes[1].element,
    );
    this.#colour();
    onTheme(() => {
      this.#colour();
      this.draw();
    });
  }

  #colour() {
    for (const lane of this.lanes)
      lane.colours = {
        data: colour('--data'),
        area: colour('--data-ground'),
        flow: colour('--flow'),
        end: colour('--end'),
      };
  }

  /** Whose calls are to come. @param {string[]} names */
  name(names) {
    for (const [index, { name }] of this.lanes.entries()) name.textContent = names[index] ?? '–';
  }

  /** @param {Recording} recording */
  show(recording) {
    this.recording = recording;
    this.#epoch = -1;
    this.draw();
  }

  draw() {
    const { entries, dropped, epoch, isLive, now } = this.recording;
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#seen = 0;
      for (const lane of this.lanes) lane.clear();
    }
    for (const entry of entries.slice(Math.max(0, this.#seen - dropped))) this.#add(entry);
    this.#seen = dropped + entries.length;
    this.pauses.textContent = number(this.recording.totals.get('PW') ?? 0);
    const last = entries.at(-1)?.time ?? 0;
    const end = isLive && !this.#isOver ? now : last;
    const begin = isLive ? Math.max(0, end - WINDOW) : 0;
    if (isLive) for (const lane of this.lanes) lane.tick(now);
    for (const lane of this.lanes) lane.draw(begin, Math.max(end, begin + 1000), isLive);
  }

  get #isOver() {
    return this.lanes.every(({ ends }) => ends.some(({ name }) => name === 'CL'));
  }

  /** The second one's flow control is the first one's. @param {Entry} entry */
  #add(entry) {
    const [first] = this.lanes;
    this.lanes[entry.connection - 1]?.add(entry);
    if (entry.name === 'PW') first.hold(entry.time);
    if (entry.name === 'RW') first.release(entry.time);
  }
}

/** @param {string} property @param {string} text */
function key(property, text) {
  const item = make('span', { class: 'key' }, text);
  item.style.setProperty('--key', `var(${property})`);
  return item;
}
