import { defaults, ModuleRequest } from './request.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./errors.js').TowlineError} TowlineError */
/** @typedef {import('./instance.js').Instance} Instance */
/** @typedef {import('./listener.js').Listener} Listener */

/**
 * The functions that a module imports from `towline`: wasm/README.md says what each is asked.
 * @param {Instance} instance
 * @param {(level: number, message: string) => void} onlog
 * @returns {Record<string, Function>}
 */
export function towlineImports(instance, onlog) {
  const { memory } = instance;
  const connection = (/** @type {number} */ id) =>
    /** @type {Connection} */ (instance.things.get(id));
  const listener = (/** @type {number} */ id) => /** @type {Listener} */ (instance.things.get(id));
  const text = (/** @type {number} */ address) => (address === 0 ? '' : memory.string(address));

  /**
   * @param {number} pointer
   * @param {number} verb 0: connect, 1: listen
   * @param {number} address
   * @param {...number} values
   */
  const ask = (pointer, verb, address, ...values) => {
    const [backlog, keepalive, flags, inbox, subprotocols, headers] = values;
    new ModuleRequest(instance, pointer).begin(
      verb === 0 ? 'connect' : 'listen',
      memory.string(address),
      {
        ...defaults,
        backlog,
        keepalive,
        nodelay: (flags & 1) !== 0,
        reuseAddress: (flags & 2) !== 0,
        ipv6Only: (flags & 4) !== 0,
        refuseText: (flags & 8) !== 0,
        inbox: inbox >>> 0,
        subprotocols: text(subprotocols),
        headers: text(headers),
      },
    );
  };

  /** As snprintf. @param {string | undefined} value @param {number} address @param {number} capacity */
  const answer = (value, address, capacity) =>
    value === undefined ? instance.code('ENOENT') : memory.setString(address, capacity, value);

  return {
    now: () => performance.now(),
    set_timer: (/** @type {number} */ _host, /** @type {number} */ when) => instance.setTimer(when),
    wake: () => instance.wake(),
    ask,
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
      const error = /** @type {TowlineError} */ (
        instance.readError(errorAt, `${memory.string(callback)}()`)
      );
      queueMicrotask(() => instance.onerror(error));
    },
  };
}
