import { Request } from './request.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./errors.js').TowlineError} TowlineError */
/** @typedef {import('./instance.js').Instance} Instance */
/** @typedef {import('./request.js').Carrier} Carrier */
/** @typedef {import('./request.js').HostOptions} HostOptions */
/** @typedef {import('./request.js').Listener} Listener */
/** @typedef {import('./token.js').Token} Token */

/**
 * The functions that a module imports from `towline`: wasm/README.md says what each is asked.
 * @param {Instance} instance
 * @param {Record<string, Carrier>} carriers by scheme
 * @param {(level: number, message: string) => void} onlog
 * @returns {Record<string, Function>}
 */
export function towlineImports(instance, carriers, onlog) {
  const { memory } = instance;
  const connection = (/** @type {number} */ id) =>
    /** @type {Connection} */ (instance.things.get(id));
  const listener = (/** @type {number} */ id) => /** @type {Listener} */ (instance.things.get(id));
  const token = (/** @type {number} */ id) => /** @type {Token} */ (instance.things.get(id));
  const text = (/** @type {number} */ address) => (address === 0 ? '' : memory.string(address));

  /**
   * @param {'connect' | 'listen'} verb
   * @returns {(...values: number[]) => void}
   */
  const begin =
    (verb) => (pointer, addressAt, backlog, keepalive, flags, inbox, subprotocolsAt, headersAt) => {
      const own = instance.starting;
      instance.starting = undefined;
      const request = new Request(instance, pointer, own);
      const address = memory.string(addressAt);
      /** @type {HostOptions} */
      const options = {
        backlog,
        keepalive,
        nodelay: (flags & 1) !== 0,
        reuseAddress: (flags & 2) !== 0,
        ipv6Only: (flags & 4) !== 0,
        refuseText: (flags & 8) !== 0,
        inbox: inbox >>> 0,
        subprotocols: text(subprotocolsAt),
        headers: text(headersAt),
        ...own?.options,
      };
      const [scheme] = /^[a-z][a-z0-9+.-]*(?=:)/.exec(address) ?? [];
      const carry = scheme && Object.hasOwn(carriers, scheme) ? carriers[scheme][verb] : undefined;
      if (!scheme) return request.failed('EADDRESS', 0, `not an address: ${address}`);
      if (!carry) return request.failed('ESCHEME', 0, `this host cannot ${verb} to ${scheme}:`);
      try {
        carry(request, address, options);
      } catch (error) {
        request.failed('EADDRESS', 0, error instanceof Error ? error.message : String(error));
      }
    };

  /** As snprintf. @param {string | undefined} value @param {number} address @param {number} capacity */
  const answer = (value, address, capacity) =>
    value === undefined ? instance.code('ENOENT') : memory.setString(address, capacity, value);

  return {
    now: () => performance.now(),
    set_timer: (/** @type {number} */ _host, /** @type {number} */ when) => instance.setTimer(when),
    wake: () => instance.wake(),
    connect: begin('connect'),
    listen: begin('listen'),
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

    construct: (/** @type {number} */ loop, /** @type {number} */ id) => {
      const { options } = token(id);
      token(id).protocol = instance.call(options.protocol, loop, options.context ?? 0);
      return token(id).protocol;
    },
    connected: (
      /** @type {number} */ id,
      /** @type {number} */ _transport,
      /** @type {number} */ errorAt,
    ) => {
      token(id).settle(instance.readError(errorAt, token(id).address));
      instance.things.delete(id);
      return 0;
    },
    listening: (
      /** @type {number} */ id,
      /** @type {number} */ _server,
      /** @type {number} */ errorAt,
    ) => {
      token(id).settle(instance.readError(errorAt, token(id).address));
      if (errorAt !== 0) instance.things.delete(id);
      return 0;
    },

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
