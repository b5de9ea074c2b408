import { TowlineError } from './errors.js';

/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./instance.js').Instance} Instance */
/** @typedef {import('./token.js').Token} Token */

/**
 * What the core leaves to the host of `tow_options`, and what JavaScript adds.
 * @typedef {object} HostOptions
 * @property {number} backlog connections waiting to be accepted
 * @property {number} keepalive idle milliseconds before the first TCP keep-alive probe; 0: off
 * @property {boolean} nodelay TCP_NODELAY
 * @property {boolean} reuseAddress SO_REUSEADDR (Node always does)
 * @property {boolean} ipv6Only
 * @property {boolean} refuseText WebSocket: a text frame ends the connection
 * @property {number} inbox bytes that may be held while reading is paused, where the peer cannot be stopped
 * @property {string | string[]} subprotocols WebSocket: 'mqtt', or several
 * @property {string | Record<string, string>} headers WebSocket, not in a browser
 * @property {any} [WebSocket] the constructor to use
 */

/**
 * A transport of the host: one way to carry bytes.
 * @typedef {object} Carrier
 * @property {(request: Request, address: string, options: HostOptions) => void} connect
 * @property {(request: Request, address: string, options: HostOptions) => void} [listen]
 */

/** A `tow_request` that waits for the host: ends with `opened`, `listening` or `failed`, or is forgotten by `cancel`. */
export class Request {
  #done = false;
  /** Set by who works on it: stop. */
  oncancel = () => {};

  /**
   * @param {Instance} instance
   * @param {number} pointer
   * @param {Token | undefined} token of JavaScript's own requests
   */
  constructor(instance, pointer, token) {
    this.instance = instance;
    this.pointer = pointer;
    this.token = token;
    instance.requests.set(pointer, this);
  }

  /** @param {() => void} tell @param {() => void} [late] */
  #settle(tell, late) {
    this.instance.turn(() => {
      if (this.#done) return late?.();
      this.#done = true;
      this.instance.requests.delete(this.pointer);
      tell();
    });
  }

  /** @param {Connection} connection */
  opened(connection) {
    const { instance, pointer, token } = this;
    const refuse = () =>
      connection.abandon(new TowlineError('ECANCELED', 'nobody waits for the connection'));
    this.#settle(() => {
      connection.transport = instance.call(
        'tow_wasm_opened',
        pointer,
        connection.id,
        connection.abilities,
      );
      if (connection.transport === 0) refuse();
      else if (token) token.connection = connection;
    }, refuse);
  }

  /** @param {Listener} listener */
  listening(listener) {
    const { instance, pointer, token } = this;
    this.#settle(
      () => {
        listener.server = instance.call('tow_host_listening', pointer, listener.id);
        if (listener.server === 0) listener.abandon();
        else if (token) listener.token = token;
        if (token) token.listener = listener;
      },
      () => listener.abandon(),
    );
  }

  /** @param {string} code @param {number} native @param {string} message */
  failed(code, native, message) {
    const { instance, pointer } = this;
    this.#settle(() =>
      instance.call('tow_host_failed_request', pointer, instance.error(code, native, message)),
    );
  }

  cancel() {
    this.#done = true;
    this.instance.requests.delete(this.pointer);
    this.oncancel();
  }
}

/** What accepts connections for one server of a module. A transport's file extends it. */
export class Listener {
  /** @param {Instance} instance */
  constructor(instance) {
    this.instance = instance;
    this.id = instance.things.add(this);
    /** The server in the module; 0: not yet, or no longer. */
    this.server = 0;
    /** Of JavaScript's own. @type {Token | undefined} */
    this.token = undefined;
  }

  /** A connection has come. @param {Connection} connection */
  accepted(connection) {
    const { instance } = this;
    instance.turn(() => {
      if (this.server !== 0)
        connection.transport = instance.call(
          'tow_wasm_accepted',
          this.server,
          connection.id,
          connection.abilities,
        );
      if (connection.transport === 0)
        connection.abandon(new TowlineError('ECANCELED', 'nobody waits for the connection'));
    });
  }

  /** The server is no more. */
  abandon() {
    this.instance.things.delete(this.id);
    if (this.token) this.instance.things.delete(this.token.id);
    this.server = 0;
    this.close();
  }

  /** Stop accepting. */
  close() {}

  /** Where a client connects to. */
  get address() {
    return '';
  }

  /** @param {string} _name @returns {string | undefined} */
  extraInfo(_name) {
    return undefined;
  }
}
