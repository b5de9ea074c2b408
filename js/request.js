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
 * How something is opened: told of a request, it answers with `opened` (a connection, or a listener) or `failed`.
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

/**
 * Something to be opened, by a carrier: ends once, with `opened` or `failed`, unless `cancel` comes first.
 */
export class Request {
  #asker;
  /** Set by who works on it: stop. */
  oncancel = () => {};
  /** @internal @type {Instance} */
  instance;

  /**
   * @internal
   * @param {Instance} instance
   * @param {{
   *   forget: () => void,
   *   opened: (thing: any) => boolean,
   *   failed: (code: string, native: number, message: string) => void,
   *   abandoned: (error: TowlineError) => void,
   * }} asker the module, or JavaScript: is told when it is decided; then of a connection or a listener (false: nobody wants
   *   it), of a failure, or of the module's end
   */
  constructor(instance, asker) {
    this.instance = instance;
    this.#asker = asker;
    instance.requests.add(this);
  }

  /** @internal @param {Verb} verb @param {string} address @param {any} options as the carrier wants them */
  async begin(verb, address, options) {
    const { carriers, exports } = this.instance;
    const [, scheme] = /^([a-z][\w+.-]*):/.exec(address) ?? [];
    const carrier = carriers[scheme];
    const carry = carrier?.[verb];
    try {
      if (!scheme) throw new Error('not an address');
      if (!carry) throw new TowlineError('ESCHEME', `this host cannot ${verb} to ${scheme}:`);
      if (!carrier.negotiates || !exports.tow_wasm_top) {
        if (options.framing === 'demanded')
          throw new TowlineError('ENOTSUP', `no framing over ${scheme}: or in the module`);
        options.framing = 'refused';
      }
      await carry(this, address, options);
    } catch (error) {
      this.failed(error instanceof TowlineError ? error.code : 'EADDRESS', 0, textOf(error));
    }
  }

  /** False: it is decided already. */
  #decide() {
    if (!this.instance.requests.delete(this)) return false;
    this.#asker.forget();
    return true;
  }

  /** What nobody wants (any more) is let go. @internal @param {Connection | Listener} thing */
  opened(thing) {
    this.instance.turn(() => {
      if (!this.#decide() || !this.#asker.opened(thing))
        thing.abandon(new TowlineError('ECANCELED', 'nobody waits for it'));
    });
  }

  /** There is none. @param {string} code @param {number} native @param {string} message */
  failed(code, native, message) {
    this.instance.turn(() => {
      if (this.#decide()) this.#asker.failed(code, native, message);
    });
  }

  /** It is not wanted any more. */
  cancel() {
    if (this.#decide()) this.oncancel();
  }

  /** The module is broken, or closed. @internal @param {TowlineError} error */
  abandon(error) {
    this.cancel();
    this.#asker.abandoned(error);
  }
}
