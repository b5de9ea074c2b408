import { TowlineError, textOf } from './errors.js';

/** @import { Connection } from './connection.js' */
/** @import { Instance } from './instance.js' */
/** @import { Listener } from './listener.js' */

/**
 * What the core leaves to the host of `tow_options`, and what JavaScript adds.
 * @typedef {object} HostOptions
 * @property {number} backlog connections waiting to be accepted
 * @property {number} keepalive idle milliseconds before the first keep-alive probe: TCP's; with framing, its PING. 0: TCP
 *   none, framing 30 seconds; negative: none
 * @property {boolean} nodelay TCP_NODELAY
 * @property {boolean} reuseAddress SO_REUSEADDR (Node always does)
 * @property {boolean} ipv6Only for 'tcp://[::]:port': no IPv4 (IPV6_V6ONLY)
 * @property {boolean} refuseText WebSocket: a text frame ends the connection; else it arrives as UTF-8
 * @property {number} inbox bytes that may be held while reading is paused, where the peer cannot be stopped
 * @property {string | string[]} subprotocols WebSocket: 'mqtt', or several
 * @property {string | Record<string, string>} headers WebSocket, not in a browser: 'Name: value\r\n' lines, or by name
 * @property {'offered' | 'demanded' | 'refused'} framing WebSocket: whether both ends are to speak Towline framing. Offered:
 *   if the peer can, too; demanded: a peer that cannot is an error
 * @property {new (address: string, ...more: any[]) => object} [WebSocket] the constructor to use; a browser's
 *   `WebSocketStream`, too, where a plain peer is to be held back while reading is paused. It is not the default:
 *   Chromium's (156) takes the page down when a peer resets a connection that bytes wait to leave by
 */

/**
 * How something is opened: told of a request, it answers with `opened`, `listening` or `failed`.
 * @typedef {(request: Request, address: string, options: any) => void | Promise<void>} Open
 *
 * A transport of the host: one way to carry bytes. `options` is a HostOptions, and for `spawn` what
 * node-child-process.js says.
 * @typedef {object} Carrier
 * @property {boolean} [negotiates] whether its two ends can agree on Towline framing
 * @property {Open} [connect]
 * @property {Open} [listen]
 * @property {Open} [bind]
 * @property {Open} [spawn]
 * @property {Open} [readPipe]
 * @property {Open} [writePipe]
 *
 * @typedef {Exclude<keyof Carrier, 'negotiates'>} Verb
 */

/** `tow_framing` of towline.h. @internal @type {HostOptions['framing'][]} */
export const framings = ['offered', 'demanded', 'refused'];

/** TOW_OPTIONS_DEFAULT of towline.h; what is not here is false, or always so. @internal @type {Partial<HostOptions>} */
export const defaults = {
  backlog: 100,
  keepalive: 0,
  nodelay: true,
  inbox: 16 << 20,
  subprotocols: '',
  headers: '',
  framing: 'offered',
};

/**
 * Something to be opened, by a carrier: ends once, with `opened`, `listening` or `failed`, unless `cancel` comes first.
 * Who asked is told by a subclass: ModuleRequest the module, OwnRequest a promise.
 */
export class Request {
  #done = false;
  /** Set by who works on it: stop. */
  oncancel = () => {};
  /** @internal @type {Instance} */
  instance;

  /** @internal @param {Instance} instance */
  constructor(instance) {
    this.instance = instance;
  }

  /** @internal @param {Verb} verb @param {string} address @param {any} options as the carrier wants them */
  async begin(verb, address, options) {
    const { carriers, exports } = this.instance;
    const [scheme = ''] = /^[a-z][a-z0-9+.-]*(?=:)/.exec(address) ?? [];
    const carrier = carriers[scheme];
    const carry = carrier?.[verb];
    const canFrame = carrier?.negotiates && exports.tow_wasm_top;
    if (!scheme) return this.failed('EADDRESS', 0, `not an address: ${address}`);
    if (!carry) return this.failed('ESCHEME', 0, `this host cannot ${verb} to ${scheme}:`);
    if (options.framing === 'demanded' && !canFrame)
      return this.failed('ENOTSUP', 0, `no framing over ${scheme}:, or in this module`);
    try {
      await carry(this, address, canFrame ? options : { ...options, framing: 'refused' });
    } catch (error) {
      const code = error instanceof TowlineError ? error.code : 'EADDRESS';
      this.failed(code, 0, textOf(error));
    }
  }

  /** False: it is decided already. */
  #decide() {
    if (this.#done) return false;
    this.#done = true;
    this.forget();
    return true;
  }

  /** What nobody wants (any more) is let go. @param {() => boolean} tell @param {Connection | Listener} thing */
  #settle(tell, thing) {
    this.instance.turn(() => {
      if (!this.#decide() || !tell())
        thing.abandon(new TowlineError('ECANCELED', 'nobody waits for it'));
    });
  }

  /** @internal @param {Connection} connection */
  opened(connection) {
    this.#settle(() => this.tellOpened(connection), connection);
  }

  /** @internal @param {Listener} listener */
  listening(listener) {
    this.#settle(() => this.tellListening(listener), listener);
  }

  /** There is none. @param {string} code @param {number} native @param {string} message */
  failed(code, native, message) {
    this.instance.turn(() => {
      if (this.#decide()) this.tellFailed(code, native, message);
    });
  }

  /** It is not wanted any more. */
  cancel() {
    if (this.#decide()) this.oncancel();
  }

  // ---- Who asked ----

  /** It is decided. @internal */
  forget() {}

  /** False: nobody wants it. @internal @param {Connection} _connection */
  tellOpened(_connection) {
    return false;
  }

  /** @internal @param {Listener} _listener */
  tellListening(_listener) {
    return false;
  }

  /** @internal @param {string} _code @param {number} _native @param {string} _message */
  tellFailed(_code, _native, _message) {}

  /** The module is broken, or closed. @internal @param {TowlineError} _error */
  abandon(_error) {
    this.cancel();
  }
}
