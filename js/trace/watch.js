/**
 * The calls of protocols in a module, as they are made: no module needs to know of it.
 *
 * A protocol begins with the address of a table of its callbacks, each of which is an index into the module's table of
 * functions. So the protocol is given a copy of its table, in which each callback is one of ours that tells of the call and
 * makes it.
 */
import { TowlineError } from '../errors.js';
import { Memory } from '../memory.js';
import { sizeAndBytes, tell } from './call.js';
import { CALLBACKS, TABLE_HEAD } from './callbacks.js';
import { constructorsIn } from './describe.js';
import { TABLE_EXPORT, wasmFunction, withTable } from './table.js';
import { WasmFile } from './wasm-file.js';

/** @import { Call, Listener } from './call.js' */
/** @import { Callback } from './callbacks.js' */

/** A connection that is watched: what can be asked of it between its calls. */
export class Watched {
  #watch;

  /** @internal @param {Watch} watch @param {number} number @param {number} protocol */
  constructor(watch, number, protocol) {
    /** Connections are counted from 1. */
    this.number = number;
    /** Where its protocol is in the module. */
    this.protocol = protocol;
    /** Where its `tow_transport` is, from connection_made until connection_lost has returned; else 0. */
    this.transport = 0;
    this.#watch = watch;
    /** Where its buffer is that get_buffer has given. @internal */
    this.buffer = 0;
  }

  /**
   * What its write buffer holds, a subprocess's that of its standard input; undefined: it is not open, or the module does not
   * export what tells (for a subprocess tow_transport_get_pipe_transport, too).
   */
  get writeBufferSize() {
    return this.#watch.ask(this, 'tow_transport_get_write_buffer_size');
  }

  /** Its marks; undefined as above. */
  get writeBufferLimits() {
    return this.#watch.limits(this);
  }
}

/** What a loaded module is watched by. @internal */
export class Watch {
  /** @type {Record<string, any>} */
  #exports = {};
  #memory = new Memory();
  /** @type {string[]} */
  #constructors = [];
  /** Copies by the tables that they are of, and what those held. @type {Map<number, {copy: number, words: string}>} */
  #copies = new Map();
  /** By their protocols' addresses. @type {Map<number, Watched>} */
  #watched = new Map();
  #count = 0;
  #depth = 0;
  #loop = 0;
  #scratch = 0;
  #isBroken = false;

  /** @param {TraceOptions} options */
  constructor(options) {
    this.options = options;
  }

  /** The module's bytes, changed so far that it can be watched. @param {BufferSource | WebAssembly.Module} code */
  rewrite(code) {
    if (code instanceof WebAssembly.Module)
      throw new TowlineError('EABI', 'it is compiled already, and cannot be traced: bytes can');
    const bytes = ArrayBuffer.isView(code)
      ? new Uint8Array(code.buffer, code.byteOffset, code.byteLength)
      : new Uint8Array(code);
    const file = new WasmFile(bytes);
    this.#constructors = constructorsIn(file);
    return withTable(bytes, file.exports.has(TABLE_EXPORT));
  }

  /** The exports that the host is to call. @param {Record<string, any>} exports */
  wrap(exports) {
    this.#exports = exports;
    this.#memory.attach(exports.memory);
    const wrapped = { ...exports };
    for (const name of this.#constructors)
      wrapped[name] = (/** @type {number} */ loop, /** @type {number} */ context) => {
        const protocol = exports[name](loop, context);
        this.#made(loop, protocol >>> 0);
        return protocol;
      };
    if (this.options.onfact)
      for (const [name, fact] of /** @type {const} */ ([
        ['tow_host_sent', 'sent'],
        ['tow_wasm_received', 'received'],
      ]))
        wrapped[name] = (/** @type {number[]} */ ...values) => {
          const answer = exports[name](...values);
          this.#fact(fact, values[0], values[1]);
          return answer;
        };
    return wrapped;
  }

  /** @param {number} loop @param {number} protocol what a constructor has answered */
  #made(loop, protocol) {
    const table = this.#isProtocol(protocol) ? this.#memory.word(protocol) : 0;
    const isWatched = [...this.#copies.values()].some(({ copy }) => copy === table);
    if (table === 0 || isWatched) return;
    this.#loop = loop;
    this.#memory.setWords(protocol, this.#copyOf(table));
    const watched = new Watched(this, ++this.#count, protocol);
    this.#watched.set(protocol, watched);
    tell(this.options.onconnection, watched);
  }

  /** Functions that are no constructors may have their type. @param {number} address */
  #isProtocol(address) {
    const memory = this.#memory;
    if (address === 0 || address % 4 !== 0 || !memory.holds(address, 4)) return false;
    const table = memory.word(address);
    if (table === 0 || table % 4 !== 0 || !memory.holds(table, TABLE_HEAD)) return false;
    const [size, kind] = [memory.word(table), memory.word(table + 4)];
    return kind in CALLBACKS && size >= TABLE_HEAD && size < 1024 && memory.holds(table, size);
  }

  /** @param {number} table */
  #copyOf(table) {
    const memory = this.#memory;
    const size = memory.word(table);
    const words = memory.bytes(table, size).join();
    const known = this.#copies.get(table);
    if (known?.words === words) return known.copy;
    const copy = this.#alloc(size);
    memory.bytes(copy, size).set(memory.bytes(table, size));
    for (const [i, callback] of CALLBACKS[memory.word(table + 4)].entries()) {
      const at = TABLE_HEAD + 4 * i;
      const index = at + 4 <= size ? memory.word(table + at) : 0;
      if (index === 0) continue;
      const functions = /** @type {WebAssembly.Table} */ (this.#exports[TABLE_EXPORT]);
      const original = functions.get(index);
      if (original?.length !== callback.arity) continue;
      const replacement = wasmFunction(callback.arity, (...values) =>
        this.#call(callback, original, values),
      );
      memory.setWords(copy + at, functions.grow(1, replacement));
    }
    this.#copies.set(table, { copy, words });
    return copy;
  }

  /** @param {number} size */
  #alloc(size) {
    const address = this.#exports.tow_loop_alloc(this.#loop, size);
    if (address === 0) throw new TowlineError('ENOMEM', 'the module is out of memory');
    return address;
  }

  /**
   * @param {Callback} callback
   * @param {Function} original
   * @param {number[]} values
   */
  #call(callback, original, values) {
    const watched = this.#watched.get(values[0] >>> 0);
    if (!watched) return original(...values);
    if (callback.transport) watched.transport = values[callback.transport];
    const call = this.#describe(callback, watched, values);
    const { time } = call;
    tell(this.options.oncall, call);
    this.#depth++;
    let answer;
    try {
      answer = original(...values);
    } catch (trap) {
      this.#isBroken = true;
      throw trap;
    } finally {
      this.#depth--;
    }
    if (callback.buffer) {
      watched.buffer = this.#memory.word(values[callback.buffer]);
      call.size = this.#memory.word(values[callback.buffer] + 4);
    }
    call.duration = performance.now() - time;
    if (callback.name === 'CL') {
      watched.transport = 0;
      if (this.#watched.get(watched.protocol) === watched) this.#watched.delete(watched.protocol);
    } else call.levelAfter = watched.writeBufferSize;
    tell(this.options.onreturn, call);
    return answer;
  }

  /** @param {Callback} callback @param {Watched} watched @param {number[]} values @returns {Call} */
  #describe({ name, data, size, hint, fd, error }, watched, values) {
    const memory = this.#memory;
    const { keep } = this.options;
    return {
      name,
      time: performance.now(),
      connection: watched.number,
      depth: this.#depth,
      level: watched.writeBufferSize,
      ...(data && sizeAndBytes(memory.bytes(values[data], values[data + 1]), keep)),
      ...(size && sizeAndBytes(memory.bytes(watched.buffer, values[size]), keep)),
      ...(hint && { hint: values[hint] }),
      ...(fd && { fd: values[fd] }),
      ...(error && { error: this.#error(values[error]) }),
    };
  }

  /** @param {number} address of a `tow_error`, or 0 */
  #error(address) {
    return this.#memory.error(address, this.#exports.tow_error_name);
  }

  /** @param {'sent' | 'received'} name @param {number} transport the one that the host knows @param {number} size */
  #fact(name, transport, size) {
    if (this.#isBroken) return;
    const { tow_wasm_top: topOf, tow_transport_get_pipe_transport: pipeOf } = this.#exports;
    const all = [...this.#watched.values()].filter((one) => one.transport !== 0);
    const find = (/** @type {number} */ address) =>
      all.find((one) => one.transport === address) ??
      all.find((one) => [0, 1, 2].some((fd) => pipeOf?.(one.transport, fd) === address));
    const watched = find(transport) ?? (topOf && find(topOf(transport)));
    if (watched?.transport)
      tell(this.options.onfact, { name, size, time: performance.now(), connection: watched });
  }

  /** @param {Watched} watched @param {string} name of a function of its transport @returns {number | undefined} */
  ask({ transport }, name) {
    const getter = this.#exports[name];
    if (transport === 0 || this.#isBroken || !getter) return undefined;
    return getter(this.#writing(transport)) >>> 0;
  }

  /** What writes for it: for a subprocess its standard input [X8]. @param {number} transport */
  #writing(transport) {
    return this.#exports.tow_transport_get_pipe_transport?.(transport, 0) || transport;
  }

  /** @param {Watched} watched */
  limits({ transport }) {
    const getLimits = this.#exports.tow_transport_get_write_buffer_limits;
    if (transport === 0 || this.#isBroken || !getLimits) return undefined;
    this.#scratch ||= this.#alloc(8);
    getLimits(this.#writing(transport), this.#scratch, this.#scratch + 4);
    const [low, high] = [this.#memory.word(this.#scratch), this.#memory.word(this.#scratch + 4)];
    return { low, high };
  }
}

/**
 * What the host has told the module of a connection's bytes: they have left, or have come.
 * @typedef {object} Fact
 * @property {'sent' | 'received'} name
 * @property {number} size with Towline framing, of what is on the wire
 * @property {number} time by performance.now()
 * @property {Watched} connection
 */

/**
 * @typedef {object} Watching
 * @property {(connection: Watched) => void} [onconnection] a protocol was made, and will be watched
 * @property {(fact: Fact) => void} [onfact] bytes have come or left
 *
 * @typedef {Listener & Watching} TraceOptions who is told, and of what
 */
