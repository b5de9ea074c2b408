/**
 * The water gauge: what the transport still holds, between nothing and over the high mark. Two pins stay where the level was
 * when pause_writing and resume_writing were called last. Between two frames the level may rise and fall many times: how
 * far it went is the lighter band.
 */
import { make, number } from '../page/dom.js';

/** @typedef {import('./recording.js').Recording} Recording */

export class Gauge {
  #seen = 0;
  #epoch = -1;
  #peak = 0;
  /** How many samples were drawn. */
  #drawn = 0;

  /** @param {Recording} recording */
  constructor(recording) {
    this.recording = recording;
    const part = (/** @type {string} */ name, /** @type {string[]} */ ...text) =>
      make('div', { class: name }, ...text);
    this.water = part('water');
    this.band = part('band');
    this.high = part('mark high');
    this.low = part('mark low');
    this.pins = { PW: part('pin pw'), RW: part('pin rw') };
    this.tank = make(
      'div',
      { class: 'tank' },
      this.band,
      this.water,
      this.high,
      this.low,
      this.pins.PW,
      this.pins.RW,
    );
    this.figure = make('span', { class: 'figure' }, '0');
    this.state = make('span', { class: 'chip' });
    this.element = make(
      'section',
      { class: 'card gauge', 'aria-label': 'Write buffer' },
      make('h2', {}, 'Write buffer'),
      make('p', { class: 'now' }, this.figure, this.state),
      this.tank,
    );
  }

  /** @param {Recording} recording */
  show(recording) {
    this.recording = recording;
    this.#epoch = -1;
    this.draw();
  }

  draw() {
    const { recording } = this;
    const { values } = recording.figures.level;
    if (recording.epoch !== this.#epoch) this.#restart();
    const { low, high } = recording.limits ?? { low: 16384, high: 65536 };
    const level = values.at(-1) ?? 0;
    const fresh = values.slice(Math.min(this.#drawn, values.length), values.length).slice(-1000);
    this.#drawn = values.length;
    const [least, most] = [Math.min(level, ...fresh), Math.max(level, ...fresh)];
    this.#peak = Math.max(this.#peak * 0.999, most);
    const top = Math.max(high * 1.3, this.#peak * 1.05, 1);
    const share = (/** @type {number} */ value) =>
      `${(Math.min(value / top, 1) * 100).toFixed(2)}%`;
    this.water.style.height = share(level);
    this.band.style.bottom = share(least);
    this.band.style.height = share(most - least);
    this.#mark(this.high, 'high', high, share(high));
    this.#mark(this.low, 'low', low, share(low));
    this.#pinLast(share);
    this.figure.textContent = number(level);
  }

  #restart() {
    this.#epoch = this.recording.epoch;
    this.#seen = this.#drawn = this.#peak = 0;
    for (const pin of Object.values(this.pins)) pin.hidden = true;
    this.#restState();
  }

  #restState() {
    this.tank.dataset.paused = 'false';
    this.state.hidden = true;
  }

  /** @param {HTMLElement} mark @param {string} name @param {number} value @param {string} at */
  #mark(mark, name, value, at) {
    mark.style.bottom = at;
    mark.textContent = `${name} ${number(value)}`;
  }

  /** @param {(value: number) => string} share */
  #pinLast(share) {
    const { entries, dropped } = this.recording;
    for (const { name, level } of entries.slice(Math.max(0, this.#seen - dropped))) {
      if (name === 'CL') this.#restState();
      if ((name !== 'PW' && name !== 'RW') || level === undefined) continue;
      this.#paused(name === 'PW');
      const pin = this.pins[name];
      pin.hidden = false;
      pin.dataset.level = String(level);
      pin.textContent = `${name} ${number(level)}`;
    }
    this.#seen = dropped + entries.length;
    for (const pin of Object.values(this.pins))
      pin.style.bottom = share(Number(pin.dataset.level ?? 0));
  }

  /** @param {boolean} isPaused */
  #paused(isPaused) {
    this.state.hidden = false;
    this.state.textContent = isPaused ? 'paused' : 'writing';
    this.state.dataset.family = isPaused ? 'flow' : 'life';
    this.tank.dataset.paused = String(isPaused);
  }
}
