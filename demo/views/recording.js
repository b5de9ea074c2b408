/** What was seen of a protocol: its calls, what was asked of it, and figures over time. The views draw it. */
import { ASKED } from './calls.js';
import { Rate, Samples } from './samples.js';

/** @typedef {import('../../js/trace/call.js').Call} Call */

/**
 * A call, or (ASKED) what the page has asked for. Times are in milliseconds since the recording began.
 * @typedef {Omit<Call, 'error'> & {
 *   error?: {code: string, native: number, message: string} | null,
 *   text?: string,
 *   function?: string,
 * }} Entry `text`: what was asked for, and `function`: of which function in C
 */

/** How many entries are kept, and of how many bytes each. */
export const KEPT = 20000;
export const KEEP_BYTES = 256;

/** The figures, as charts ask for them. */
export const FIGURES = /** @type {const} */ ({
  level: Samples,
  received: Rate,
  sent: Rate,
  memory: Samples,
  roundTrip: Samples,
  loss: Samples,
});

/** @typedef {keyof typeof FIGURES} Figure */

export class Recording {
  /** @type {Entry[]} */
  entries = [];
  /** How many entries there were before those. */
  dropped = 0;
  /** How often each call was made. @type {Map<string, number>} */
  totals = new Map();
  /** @type {Record<Figure, Samples>} */
  figures = /** @type {any} */ ({});
  /** Both marks, when they are known. @type {{low: number, high: number} | undefined} */
  limits;
  /** False: of a file; nothing comes any more. */
  isLive = true;
  /** Counted up with each `clear`, so that views know. */
  epoch = 0;
  /** @type {Set<() => void>} */
  #views = new Set();
  #start = performance.now();
  #isDue = false;

  constructor() {
    this.clear();
  }

  /** Nothing was seen yet. */
  clear() {
    this.entries = [];
    this.dropped = 0;
    this.totals = new Map();
    for (const [name, Kind] of Object.entries(FIGURES))
      this.figures[/** @type {Figure} */ (name)] = new Kind();
    this.#start = performance.now();
    this.epoch++;
    this.changed();
  }

  /** Milliseconds since it began. */
  get now() {
    return performance.now() - this.#start;
  }

  // ---- What is seen ----

  /**
   * For `traced` or `watched` of towline/trace: who is told of the calls.
   * @type {import('../../js/trace/watch.js').TraceOptions}
   */
  listener = {
    keep: KEEP_BYTES,
    oncall: (call) => this.add(call),
    onreturn: (call) => {
      if (call.levelAfter !== undefined) this.sample('level', call.levelAfter);
      this.changed();
    },
    onfact: ({ name, size, connection }) => {
      this.sample(name, size);
      const level = connection.writeBufferSize;
      if (level !== undefined) this.sample('level', level);
    },
  };

  /** A call, right before it is made: it may get more to tell when it has returned. @param {Call} call */
  add(call) {
    call.time -= this.#start;
    if (call.level !== undefined) this.figures.level.add(call.time, call.level);
    this.#push(/** @type {Entry} */ (call));
  }

  /**
   * What the page asks of the protocol.
   * @param {string} text in words: 'burst of 4 MB'
   * @param {string} [name] of the function in C
   */
  asked(text, name) {
    this.#push({ name: ASKED, time: this.now, connection: 0, depth: 0, text, function: name });
  }

  /** @param {Figure} name @param {number} value @param {number} [time] */
  sample(name, value, time = this.now) {
    this.figures[name].add(time, value);
    this.changed();
  }

  /** @param {Entry} entry */
  #push(entry) {
    this.entries.push(entry);
    this.totals.set(entry.name, (this.totals.get(entry.name) ?? 0) + 1);
    if (this.entries.length > KEPT) {
      this.dropped += KEPT / 4;
      this.entries.splice(0, KEPT / 4);
    }
    this.changed();
  }

  // ---- Who looks ----

  /** Has `draw` called in the next frame after something has changed, once for all of it. @param {() => void} draw */
  onframe(draw) {
    this.#views.add(draw);
    this.changed();
  }

  changed() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      for (const draw of this.#views) draw();
    });
  }
}
