import { TowlineError } from './errors.js';
import { Token } from './token.js';

/** @typedef {import('./instance.js').Instance} Instance */
/** @typedef {import('./token.js').Options} Options */

const encoder = new TextEncoder();

/** TOW_UNSET. */
const UNSET = -0x80000000;

/** One end of a connection: `tow_transport` of towline.h, as much as JavaScript needs of it. */
export class Transport {
  #connection;

  /** @param {import('./connection.js').Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    /** What connection_lost was told: null after an end that was meant. Never rejects. */
    this.closed = connection.lost;
  }

  /** @param {string} name */
  #call(name) {
    if (this.#connection.live) this.#connection.instance.call(name, this.#connection.transport);
  }

  /** Sends what is queued, then ends. */
  close() {
    this.#call('tow_transport_close');
  }

  /** Drops what is queued, and ends. */
  abort() {
    this.#call('tow_transport_abort');
  }

  /**
   * What the host knows of the connection: 'peername', 'url', 'subprotocol' ... (rule I1).
   * @param {string} name
   * @param {string} [otherwise]
   */
  getExtraInfo(name, otherwise) {
    return this.#connection.extraInfo(name) ?? otherwise;
  }

  async [Symbol.asyncDispose]() {
    this.close();
    await this.closed;
  }
}

/** What accepts connections: `tow_server` of towline.h. */
export class Server {
  #listener;

  /** @param {import('./request.js').Listener} listener */
  constructor(listener) {
    this.#listener = listener;
    /** Where to connect to; with the port that the system chose. */
    this.address = listener.address;
  }

  /** @param {string} name */
  #call(name) {
    const { instance, server } = this.#listener;
    if (server !== 0 && !instance.dead) instance.call(name, server);
  }

  /** Stops accepting; the connections live on [O3]. */
  close() {
    this.#call('tow_server_close');
  }

  closeClients() {
    this.#call('tow_server_close_clients');
  }

  abortClients() {
    this.#call('tow_server_abort_clients');
  }

  /** @param {string} name @param {string} [otherwise] */
  getExtraInfo(name, otherwise) {
    return this.#listener.extraInfo(name) ?? otherwise;
  }

  async [Symbol.asyncDispose]() {
    this.closeClients();
    this.close();
  }
}

/** A loaded module: its constructors serve as many connections as you like. */
export class Module {
  #instance;

  /** @param {Instance} instance */
  constructor(instance) {
    this.#instance = instance;
    /** The module's exports; a trap in one ends the module, and throws a TowlineError. @type {Record<string, any>} */
    this.exports = {};
    for (const [name, value] of Object.entries(instance.exports))
      this.exports[name] =
        typeof value === 'function'
          ? (/** @type {any[]} */ ...values) => instance.call(name, ...values)
          : value;
  }

  /** Checked views and strings of the module's memory. */
  get memory() {
    return this.#instance.memory;
  }

  /** The `tow_loop`, for exports that want one. */
  get loop() {
    return this.#instance.loop;
  }

  /**
   * Connects, with a protocol of the module.
   * @param {string} address
   * @param {Options} options
   */
  async connect(address, options) {
    const token = await this.#request('tow_wasm_connect', address, options);
    const { connection } = token;
    return {
      transport: new Transport(/** @type {import('./connection.js').Connection} */ (connection)),
      protocol: token.protocol,
    };
  }

  /**
   * Serves: every connection gets a protocol of the module.
   * @param {string} address
   * @param {Options} options
   */
  async listen(address, options) {
    const token = await this.#request('tow_wasm_listen', address, options);
    return new Server(/** @type {import('./request.js').Listener} */ (token.listener));
  }

  /**
   * @param {'tow_wasm_connect' | 'tow_wasm_listen'} name
   * @param {string} address
   * @param {Options} options
   * @returns {Promise<Token>}
   */
  #request(name, address, options) {
    return new Promise((resolve, reject) => {
      const instance = this.#instance;
      const { protocol, signal, timeout = -1, high = UNSET, low = UNSET } = options;
      if (instance.dead) throw instance.dead;
      if (typeof instance.exports[protocol] !== 'function')
        throw new TowlineError('EINVAL', `the module exports no constructor ${protocol}`);
      if (signal?.aborted)
        throw new TowlineError('ECANCELED', `${address}: cancelled`, { cause: signal.reason });
      let request = 0;
      const cancel = () => request !== 0 && instance.call('tow_request_cancel', request);
      const token = new Token(address, options, (error) => {
        request = 0;
        signal?.removeEventListener('abort', cancel);
        if (!error) return resolve(token);
        if (signal?.aborted) error.cause = signal.reason;
        reject(error);
      });
      token.id = instance.things.add(token);
      instance.starting = token;
      try {
        request = this.#with([address], (at) =>
          instance.call(name, instance.loop, token.id, at, timeout, high, low),
        );
      } finally {
        instance.starting = undefined;
      }
      if (request === 0) {
        instance.things.delete(token.id);
        throw new TowlineError('ENOMEM', 'the module is out of memory');
      }
      signal?.addEventListener('abort', cancel);
    });
  }

  /**
   * Calls an export. A string or bytes among the values stand for two arguments, address and size: they are copied into
   * the module for the call (a string with a NUL behind it that the size does not count).
   * @param {string} name
   * @param {...(number | bigint | string | Uint8Array)} values
   */
  call(name, ...values) {
    if (typeof this.#instance.exports[name] !== 'function')
      throw new TowlineError('EINVAL', `the module exports no function ${name}`);
    const texts = values.filter((value) => typeof value === 'object' || typeof value === 'string');
    return this.#with(texts, (...addresses) => {
      const flat = values.flatMap((value) =>
        typeof value === 'object' || typeof value === 'string' ? addresses.splice(0, 2) : [value],
      );
      return this.#instance.call(name, ...flat);
    });
  }

  /**
   * @param {(string | Uint8Array)[]} texts
   * @param {(...addressesAndSizes: number[]) => number} use
   */
  #with(texts, use) {
    const instance = this.#instance;
    /** @type {number[]} */
    const copies = [];
    try {
      const flat = texts.flatMap((text) => {
        const bytes = typeof text === 'string' ? encoder.encode(text) : text;
        const address = instance.call('tow_loop_alloc', instance.loop, bytes.length + 1);
        if (address === 0) throw new TowlineError('ENOMEM', 'the module is out of memory');
        copies.push(address);
        const copy = instance.memory.bytes(address, bytes.length + 1);
        copy.set(bytes);
        copy[bytes.length] = 0;
        return [address, bytes.length];
      });
      return use(...flat);
    } finally {
      if (!instance.dead)
        for (const address of copies) instance.call('tow_loop_free', instance.loop, address);
    }
  }

  /** Aborts everything, delivers each connection_lost and each result [T5]; afterwards the module is of no use. */
  close() {
    return this.#instance.close();
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}
