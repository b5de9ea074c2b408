import { TowlineError, textOf } from './errors.js';
import { Memory } from './memory.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./request.js').Request} Request */
/** @typedef {{abandon(error: TowlineError): void, own?: unknown}} Thing */

/** The scratch block: the core's answers and a `tow_error` first, text after them. */
const SCRATCH_SIZE = 512;
const ERROR_AT = 64;
const TEXT_AT = 80;

/** What setTimeout can wait at most. */
const LONGEST_DELAY = 0x7fffffff;

/**
 * A module's loop, seen from JavaScript: the only way into the module, its turns, its timer, and its end.
 *
 * A TURN is what one event of the host does: the facts it tells, then one generation of what was scheduled. Turns do not
 * nest: an event that comes while the module runs waits for a turn of its own.
 *
 * A TRAP is any exception that leaves the module, JavaScript's own included, for it leaves the module in the middle of
 * something. It is never entered again (rule H5).
 */
export class Instance {
  /** @type {(() => void)[]} */
  #tasks = [];
  #depth = 0;
  #turning = false;
  #woken = false;
  #ticking = false;
  #postTick;
  #lastId = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Why it is being closed. @type {TowlineError | undefined} */
  #closing;
  #end = () => {};
  /** @type {Promise<void>} */
  #ended = new Promise((resolve) => {
    this.#end = resolve;
  });

  /**
   * @param {import('./platform.js').Platform<any>} platform
   * @param {import('./loader.js').LoadOptions} options
   */
  constructor(platform, { transports, onerror = (error) => console.error(error) }) {
    this.#postTick = platform.macrotask(() => this.#tick());
    this.onerror = onerror;
    /** What carries bytes, by the address's scheme. @type {any} */
    this.carriers = { __proto__: null, ...platform.transports, ...transports };
    /** Connections and listeners by the integers that the module knows them by. @type {Map<number, Thing>} */
    this.things = new Map();
    /** Connections that hold memory of the module. @type {Set<Connection>} */
    this.holders = new Set();
    /** What is to be opened. @type {Set<Request>} */
    this.requests = new Set();
    /** Why the module may not be entered: closed, or trapped. @type {TowlineError | undefined} */
    this.dead = undefined;
    this.memory = new Memory();
    this.loop = 0;
    this.scratch = 0;
    /** @type {Record<string, Function>} */
    this.exports = {};
  }

  /** @internal @param {WebAssembly.Exports} exports */
  start(exports) {
    this.exports = /** @type {Record<string, Function>} */ (exports);
    this.memory.attach(/** @type {WebAssembly.Memory} */ (exports.memory));
    if (this.exports._initialize) this.call('_initialize');
    this.loop = this.call('tow_wasm_new_loop');
    this.scratch = this.allocate(SCRATCH_SIZE);
  }

  // ---- Into the module ----

  /**
   * Calls an export. Throws `dead` when the module is closed or broken.
   * @param {string} name
   * @param {...any} values
   */
  call(name, ...values) {
    if (this.dead) throw this.dead;
    this.#depth++;
    try {
      return this.exports[name](...values);
    } catch (cause) {
      throw this.dead ?? this.#trap(cause);
    } finally {
      this.#depth--;
    }
  }

  /** @param {unknown} cause */
  #trap(cause) {
    const error = new TowlineError('ETRAP', `the module trapped: ${textOf(cause)}`, { cause });
    this.end(error);
    queueMicrotask(() => this.onerror(error));
    return error;
  }

  /** The module is not entered from now on; whoever waits is told why. @param {TowlineError} error */
  end(error) {
    this.dead = error;
    clearTimeout(this.#timer);
    for (const thing of this.things.values()) thing.abandon(error);
    for (const request of this.requests) request.abandon(error);
    this.#end();
  }

  /** Closes the loop [T5], once it is not inside a call: resolves when every connection has let go. */
  close() {
    if (!this.#closing) {
      const error = new TowlineError('ECANCELED', 'the module was closed');
      this.#closing = error;
      this.turn(() => {
        for (const request of this.requests) request.abandon(error);
        for (const thing of this.things.values()) if (thing.own) thing.abandon(error);
        this.call('tow_host_close_loop', this.loop);
        for (const { ended } of this.holders)
          if (!ended) throw new TowlineError('EPROTO', 'it did not close every connection');
        this.#finish(error);
      });
    }
    return this.#ended;
  }

  /** The loop is closed: once nobody holds any of its memory, it is freed. @param {TowlineError} error */
  #finish(error) {
    if (this.connections > 0) return;
    this.call('tow_loop_free', this.loop, this.scratch);
    this.call('tow_host_free_loop', this.loop);
    this.end(error);
  }

  /** How many connections hold memory of the module. */
  get connections() {
    return this.holders.size;
  }

  /** A connection lets go. @param {Connection} connection */
  release(connection) {
    this.holders.delete(connection);
    const closing = this.#closing;
    if (closing && this.connections === 0) this.later(() => this.#finish(closing));
  }

  /** The host's event. @param {() => void} body */
  turn(body) {
    if (this.dead) return;
    if (this.#depth > 0 || this.#turning) return this.later(body);
    this.#turning = true;
    try {
      body();
      if (this.#woken) {
        this.#woken = false;
        if (this.call('tow_host_run_ready', this.loop)) this.#woken = true;
      }
    } catch (error) {
      if (error !== this.dead) this.#trap(error); // an address that the module answered, for one
    } finally {
      this.#turning = false;
      if (this.#woken) this.#tickLater();
    }
  }

  /** In a turn of its own, soon. @param {() => void} body */
  later(body) {
    this.#tasks.push(body);
    this.#tickLater();
  }

  /** The module has scheduled something. */
  wake() {
    this.#woken = true;
    if (!this.#turning) this.#tickLater();
  }

  #tickLater() {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#postTick();
  }

  #tick() {
    this.#ticking = false;
    const tasks = this.#tasks;
    this.#tasks = [];
    if (this.#woken) this.turn(() => {});
    for (const task of tasks) this.turn(task);
  }

  /** @param {number} when on the clock of `performance.now()` */
  setTimer(when) {
    clearTimeout(this.#timer);
    const run = () => this.turn(() => this.call('tow_host_run_timers', this.loop));
    const delay = Math.min(Math.ceil(when - performance.now()), LONGEST_DELAY);
    if (when < 1 / 0) this.#timer = setTimeout(run, delay);
  }

  // ---- Values that cross ----

  /** The integer that the module is to know it by. @param {Thing} thing */
  name(thing) {
    do this.#lastId = (this.#lastId % 0x7fffffff) + 1;
    while (this.things.has(this.#lastId));
    this.things.set(this.#lastId, thing);
    return this.#lastId;
  }

  /** Memory of the module's. @param {number} size @returns {number} */
  allocate(size) {
    const address = this.loop && this.call('tow_loop_alloc', this.loop, size);
    if (address === 0) throw new TowlineError('ENOMEM', 'the module is out of memory');
    return address;
  }

  /** The number of an error's name; EUNKNOWN's for one that it has not. @param {string} name */
  code(name) {
    for (let code = -1; ; code--) {
      const text = this.call('tow_error_name', code);
      if (text === 0) return -1;
      if (this.memory.string(text) === name) return code;
    }
  }

  /**
   * What an `extra_info` found, as snprintf.
   * @param {string | undefined} value
   * @param {number} address
   * @param {number} capacity
   */
  answer(value, address, capacity) {
    return value === undefined
      ? this.code('ENOENT')
      : this.memory.setString(address, capacity, value);
  }

  /** A text in the scratch block: good for the next call. A long one is cut. @param {string} value */
  text(value) {
    this.memory.setString(this.scratch + TEXT_AT, SCRATCH_SIZE - TEXT_AT, value);
    return this.scratch + TEXT_AT;
  }

  /**
   * A `tow_error` in the scratch block: good for the next call. A long message is cut.
   * @param {string} code
   * @param {number} native
   * @param {string} message
   */
  error(code, native, message) {
    const number = this.code(code);
    this.memory.setWords(this.scratch + ERROR_AT, number, native, this.text(message));
    return this.scratch + ERROR_AT;
  }

  /** What a `tow_error` says; null for a null pointer. @param {number} address @param {string} [where] */
  readError(address, where) {
    return this.memory.error(address, (code) => this.call('tow_error_name', code), where);
  }
}
