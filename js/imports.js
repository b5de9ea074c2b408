import { defaults, framings, ModuleRequest } from './request.js';

/** @typedef {import('./instance.js').Instance} Instance */
/** @typedef {import('./listener.js').Listener} Listener */

/** `tow_verb` of boundary.h. @type {import('./request.js').Verb[]} */
const verbs = ['connect', 'listen', 'bind'];

/**
 * The functions that a module imports from `towline`: wasm/README.md says what each is asked.
 * @param {Instance} instance
 * @param {(level: number, message: string) => void} onlog
 * @returns {Record<string, Function>}
 */
export function towlineImports(instance, onlog) {
  const { memory } = instance;
  const connection = (/** @type {number} */ id) => /** @type {any} */ (instance.things.get(id));
  const listener = (/** @type {number} */ id) => /** @type {Listener} */ (instance.things.get(id));
  const text = (/** @type {number} */ address) => (address === 0 ? '' : memory.string(address));

  /**
   * @param {number} pointer
   * @param {number} verb
   * @param {number} address
   * @param {...number} values
   */
  const ask = (pointer, verb, address, ...values) => {
    const [backlog, keepalive, flags, inbox, subprotocols, headers] = values;
    new ModuleRequest(instance, pointer).begin(verbs[verb], memory.string(address), {
      ...defaults,
      backlog,
      keepalive,
      nodelay: (flags & 1) !== 0,
      reuseAddress: (flags & 2) !== 0,
      ipv6Only: (flags & 4) !== 0,
      refuseText: (flags & 8) !== 0,
      framing: framings[flags >> 4],
      inbox: inbox >>> 0,
      subprotocols: text(subprotocols),
      headers: text(headers),
    });
  };

  /** As snprintf. @param {string | undefined} value @param {number} address @param {number} capacity */
  const answer = (value, address, capacity) =>
    value === undefined ? instance.code('ENOENT') : memory.setString(address, capacity, value);

  return {
    now: () => performance.now(),
    set_timer: (/** @type {number} */ _host, /** @type {number} */ when) => instance.setTimer(when),
    wake: () => instance.wake(),
    ask,
    spawn: (
      /** @type {number} */ pointer,
      /** @type {number} */ address,
      /** @type {number[]} */ ...words
    ) => new ModuleRequest(instance, pointer).begin('spawn', memory.string(address), { words }),
    cancel: (/** @type {number} */ _host, /** @type {number} */ pointer) =>
      instance.requests.get(pointer)?.cancel(),
    close_server: (/** @type {number} */ _host, /** @type {number} */ id) => listener(id).abandon(),
    server_extra_info: (
      /** @type {number} */ _host,
      /** @type {number} */ id,
      /** @type {number} */ name,
      /** @type {number} */ value,
      /** @type {number} */ capacity,
    ) => answer(listener(id).extraInfo(memory.string(name)), value, capacity),

    write: (/** @type {number} */ id, /** @type {number} */ lines, /** @type {number} */ count) =>
      connection(id).write(lines, count),
    flush: (/** @type {number} */ id) => connection(id).flush(),
    shutdown: (/** @type {number} */ id) => connection(id).shutdown(),
    set_reading: (/** @type {number} */ id, /** @type {number} */ on) =>
      connection(id).setReading(on !== 0),
    revoke: (/** @type {number} */ id) => connection(id).revoke(),
    close: (/** @type {number} */ id, /** @type {number} */ errorAt) => {
      const error = instance.readError(errorAt);
      connection(id).end(error);
      connection(id).close(error);
    },
    extra_info: (
      /** @type {number} */ id,
      /** @type {number} */ name,
      /** @type {number} */ value,
      /** @type {number} */ capacity,
    ) => answer(connection(id).extraInfo(memory.string(name)), value, capacity),

    // Of endpoints and subprocesses, for the transports that have such.
    sendto: (/** @type {number} */ id, /** @type {number[]} */ ...values) =>
      connection(id).sendto(...values),
    parse_peer: (/** @type {number} */ id, /** @type {number[]} */ ...values) =>
      connection(id).parsePeer(...values),
    format_peer: (/** @type {number} */ id, /** @type {number[]} */ ...values) =>
      connection(id).formatPeer(...values),
    kill: (/** @type {number} */ id, /** @type {number} */ signal) => connection(id).kill(signal),

    construct: (/** @type {number} */ _loop, /** @type {number} */ id) =>
      connection(id).construct(),

    log: (
      /** @type {number} */ _context,
      /** @type {number} */ level,
      /** @type {number} */ message,
    ) => {
      const line = memory.string(message);
      queueMicrotask(() => onlog(level, line));
    },
    exception: (
      /** @type {number} */ _context,
      /** @type {number} */ callback,
      /** @type {number} */ _transport,
      /** @type {number} */ errorAt,
    ) => {
      const error = instance.readError(errorAt, `${memory.string(callback)}()`);
      if (error) queueMicrotask(() => instance.onerror(error));
    },
  };
}
