import { TowlineError } from '../errors.js';

/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('./messages.js').Message} Message */

/**
 * A Worker of the platform's: index.js makes them for a page, node.js for Node.
 * @typedef {object} Thread
 * @property {(message: Message, transfer?: ArrayBuffer[]) => void} post
 * @property {(message: Message) => void} onmessage
 * @property {(message: string) => void} onerror it broke off; nothing more comes
 * @property {(code: number) => void} onexit it ended by itself, where that can be known
 * @property {(on: boolean) => void} hold whether it keeps the program alive, where there is such a thing
 * @property {() => Promise<void>} end kills it; resolves when it surely does not run any more
 */

/** The Workers of a carrier: those that wait for a WASI command, or soon will, and how many run a program. */
export class Pool {
  /** @type {Thread[]} */
  #waiting = [];
  #running = 0;
  /** The modules that spawn; with the last one go those that wait. @type {Map<Instance, {abandon: () => void}>} */
  #users = new Map();

  /**
   * @param {{start: (script: string) => Thread, startCommand: () => Thread, size: number, limit: number}} options
   */
  constructor({ start, startCommand, size, limit }) {
    this.start = start;
    this.startCommand = startCommand;
    this.size = size;
    this.limit = limit;
  }

  /** The module spawns. @param {Instance} instance */
  use(instance) {
    if (this.#users.has(instance)) return;
    const user = { own: true, abandon: () => this.#leave(instance) };
    this.#users.set(instance, user);
    instance.name(user);
  }

  /** @param {Instance} instance */
  #leave(instance) {
    this.#users.delete(instance);
    if (this.#users.size > 0) return;
    for (const thread of this.#waiting.splice(0)) thread.end();
  }

  /** Has as many wait as shall. */
  fill() {
    while (this.#waiting.length < this.size && this.#users.size > 0)
      this.#waiting.push(this.#prepare());
  }

  #prepare() {
    const thread = this.startCommand();
    this.#wait(thread);
    return thread;
  }

  /** Nobody listens to it yet: one that breaks off is forgotten, and the next is told why. @param {Thread} thread */
  #wait(thread) {
    const forget = () => {
      this.#waiting = this.#waiting.filter((other) => other !== thread);
    };
    thread.onmessage = () => {};
    thread.onerror = thread.onexit = forget;
  }

  /**
   * A Worker for one process, which counts until it is given back. It need not be ready: what it is sent waits.
   * @param {string} [script] the Worker's own; else WASI's
   */
  take(script) {
    if (this.#running >= this.limit)
      throw new TowlineError('EMFILE', `${this.limit} processes run already`);
    this.#running++;
    const thread =
      script === undefined ? (this.#waiting.shift() ?? this.#prepare()) : this.start(script);
    thread.hold(true);
    return thread;
  }

  /**
   * Its process has ended, or is to end. What has run a command to its end is as good as new: as many of them wait besides.
   * @param {Thread} thread
   * @param {boolean} [isFree]
   */
  give(thread, isFree = false) {
    this.#wait(thread);
    if (isFree && this.#users.size > 0 && this.#waiting.length < 2 * this.size) {
      this.#running--;
      thread.hold(false);
      this.#waiting.unshift(thread);
      return;
    }
    thread.end().then(() => {
      this.#running--;
    });
  }
}
