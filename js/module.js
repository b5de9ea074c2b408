/// <reference lib="esnext.disposable" preserve="true" />
import { TowlineError } from './errors.js';
import { encoder } from './memory.js';
import { open } from './own-request.js';

/** @import { Connection } from './connection.js' */
/** @import { Instance } from './instance.js' */
/** @import { Options } from './own-request.js' */
/** @import { SpawnOptions } from './subprocess.js' */
/** @import { WorkerOptions } from './worker/carrier.js' */

/** One end of a connection: `tow_transport` of towline.h, as much as JavaScript needs of it. */
export class Transport {
  #connection;

  /** @internal @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    /** What connection_lost was told: null after an end that was meant. Never rejects. */
    this.closed = connection.lost;
  }

  /** Sends what is queued, then ends. */
  close() {
    this.#connection.ask('tow_transport_close');
  }

  /**
   * Drops what is queued, and ends. With Towline framing the peer may be told why: its connection_lost has ECONNRESET with
   * this code and reason. Elsewhere there is no saying it; nor anything longer.
   * @param {number} [code] to 65535; from 1000 on they are yours
   * @param {string} [reason] of at most 123 bytes
   */
  abort(code = -1, reason = '') {
    this.#connection.abort(code, reason);
  }

  /**
   * What the host knows of the connection: 'peername', 'url', 'subprotocol' ... (rule I1).
   * @template {string | undefined} [D=undefined]
   * @param {string} name
   * @param {D} [otherwise]
   * @returns {string | D}
   */
  getExtraInfo(name, otherwise) {
    return this.#connection.extraInfo(name) ?? /** @type {D} */ (otherwise);
  }

  /** As close, for `await using`. */
  async [Symbol.asyncDispose]() {
    this.close();
    await this.closed;
  }
}

/** A loaded module: its constructors serve as many connections as you like. */
export class Module {
  #instance;

  /** @internal @param {Instance} instance */
  constructor(instance) {
    this.#instance = instance;
    /** Checked views and strings of the module's memory. */
    this.memory = instance.memory;
    /** The `tow_loop`, for exports that want one. */
    this.loop = instance.loop;
    /** The module's exports; a trap in one ends the module, and throws a TowlineError. @type {Record<string, any>} */
    this.exports = {};
    for (const [name, value] of Object.entries(instance.exports))
      this.exports[name] =
        typeof value === 'function'
          ? (/** @type {any[]} */ ...values) => instance.call(name, ...values)
          : value;
  }

  /**
   * Connects, with a protocol of the module.
   * @param {string} address
   * @param {Options} options
   */
  connect(address, options) {
    return this.open('connect', address, options);
  }

  /**
   * An endpoint for datagrams that is bound to this address and connected to none: 'udp://127.0.0.1:0' (in Node) lets the
   * system choose the port, and `getExtraInfo('sockname')` tells it; 'webrtc:ROOM' is with all who are there. `connect` with
   * such an address makes a connected one.
   * @param {string} address
   * @param {Options} options `inbox` is what may be held while reading is paused: datagrams beyond it are dropped
   */
  bind(address, options) {
    return this.open('bind', address, options);
  }

  /**
   * Starts a child: 'exec:/bin/cat' or 'exec:cat' (looked up in PATH) in Node, 'worker:cat.wasm' with the carrier of
   * towline/worker.
   * @param {string} address
   * @param {Options & SpawnOptions & WorkerOptions} options
   */
  spawn(address, options) {
    return this.open('spawn', address, options);
  }

  /**
   * @internal
   * @protected
   * @param {import('./request.js').Verb} verb
   * @param {string} address
   * @param {Options} options
   */
  async open(verb, address, options) {
    const { thing, protocol } = await open(this.#instance, verb, address, options);
    return { transport: new Transport(thing), protocol };
  }

  /**
   * Serves: every connection gets a protocol of the module.
   * @param {string} address
   * @param {Options} options
   * @returns {Promise<import('./server.js').Server>}
   */
  async listen(address, options) {
    return (await open(this.#instance, 'listen', address, options)).thing.serving;
  }

  /**
   * Calls an export. A string or bytes among the values stand for two arguments, address and size: they are copied into
   * the module for the call (a string with a NUL behind it that the size does not count).
   * @param {string} name
   * @param {...(number | bigint | string | Uint8Array)} values
   * @returns {number} what the export answers
   */
  call(name, ...values) {
    const instance = this.#instance;
    if (typeof instance.exports[name] !== 'function')
      throw new TowlineError('EINVAL', `the module exports no function ${name}`);
    /** @type {number[]} */
    const copies = [];
    const flat = (/** @type {number | bigint | string | Uint8Array} */ value) => {
      const bytes = typeof value === 'string' ? encoder.encode(value) : value;
      if (typeof bytes !== 'object') return bytes;
      const address = instance.allocate(bytes.length + 1);
      copies.push(address);
      instance.memory.setBytes(address, bytes);
      return [address, bytes.length];
    };
    try {
      return instance.call(name, ...values.flatMap(flat));
    } finally {
      for (const address of copies) instance.call('tow_loop_free', instance.loop, address);
    }
  }

  /** How many connections are open, or not wholly closed. */
  get connections() {
    return this.#instance.connections;
  }

  /** Aborts everything, delivers each connection_lost and each result [T5]; afterwards the module is of no use. */
  close() {
    return this.#instance.close();
  }

  /** As close, for `await using`. */
  async [Symbol.asyncDispose]() {
    await this.close();
  }
}
