import { TowlineError } from '../errors.js';

/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('./messages.js').Message} Message */

/**
 * A Worker of the platform's, browser-worker.js or node-worker.js.
 * @typedef {object} Thread
 * @property {(message: Message, transfer?: ArrayBuffer[]) => void} post
 * @property {(message: Message) => void} onmessage
 * @property {(message: string) => void} onerror it broke off; nothing more comes
 * @property {(code: number) => void} onexit it ended by itself, where that can be known
 * @property {(on: boolean) => void} hold whether it keeps the program alive, where there is such a thing
 * @property {() => Promise<void>} end kills it; resolves when it surely does not run any more
 *
 * A Worker that is prepared to run a WASI command, or will be, or fails to.
 * @typedef {{thread: Thread, ready: Promise<void>}} Waiting
 */

/** The Workers of a carrier: those that wait for a program, and how many run one. */
export class Pool {
  /** @type {Waiting[]} */
  #waiting = [];
  #running = 0;
  /** The modules that spawn; with the last one go those that wait. @type {Map<Instance, {abandon: () => void}>} */
  #users = new Map();

  /**
   * @param {{start: (script?: string) => Thread, shim: () => string | undefined, size: number, limit: number}} options
   */
  constructor({ start, shim, size, limit }) {
    this.start = start;
    this.shim = shim;
    this.size = size;
    this.limit = limit;
  }

  /** The module spawns. @param {Instance} instance */
  use(instance) {
    if (this.#users.has(instance)) return;
    const user = { own: true, abandon: () => this.#leave(instance) };
    this.#users.set(instance, user);
    instance.things.add(user);
  }

  /** @param {Instance} instance */
  #leave(instance) {
    this.#users.delete(instance);
    if (this.#users.size > 0) return;
    for (const { thread } of this.#waiting.splice(0)) thread.end();
  }

  /** Has as many wait as shall. */
  fill() {
    while (this.#waiting.length < this.size && this.#users.size > 0)
      this.#waiting.push(this.#prepare());
  }

  /** @returns {Waiting} */
  #prepare() {
    const thread = this.start();
    /** @type {Promise<void>} */
    const ready = new Promise((resolve, reject) => {
      thread.onmessage = ({ type, code, message }) => {
        if (type === 'ready') resolve();
        else reject(new TowlineError(code, message));
      };
      thread.onerror = (message) => reject(new TowlineError('ENOTSUP', message));
    });
    ready.catch(() => {}); // who takes it is told
    thread.post({ type: 'prepare', shim: this.shim() });
    return { thread, ready };
  }

  /** A Worker for one process, which counts until it is given back. @param {string} [script] the Worker's own; else WASI's */
  async take(script) {
    if (this.#running >= this.limit)
      throw new TowlineError('EMFILE', `${this.limit} processes run already`);
    this.#running++;
    const { thread, ready } =
      script === undefined
        ? (this.#waiting.shift() ?? this.#prepare())
        : { thread: this.start(script), ready: undefined };
    thread.hold(true);
    try {
      await ready;
      return thread;
    } catch (error) {
      this.give(thread);
      throw error;
    }
  }

  /**
   * Its process has ended, or is to end. What has run a command to its end is as good as new: as many of them wait besides.
   * @param {Thread} thread
   * @param {boolean} [isFree]
   */
  give(thread, isFree = false) {
    thread.onmessage = thread.onerror = thread.onexit = () => {};
    if (isFree && this.#users.size > 0 && this.#waiting.length < 2 * this.size) {
      this.#running--;
      thread.hold(false);
      this.#waiting.unshift({ thread, ready: Promise.resolve() });
      return;
    }
    thread.end().then(() => {
      this.#running--;
    });
  }
}
