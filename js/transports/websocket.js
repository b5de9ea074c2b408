import { ChannelConnection } from '../channel.js';
import { encoder } from '../memory.js';

/** @typedef {import('../request.js').HostOptions} HostOptions */
/** @typedef {import('../request.js').Request} Request */

/** @typedef {{code: number, reason: string}} Ending */

/**
 * Nothing tells that `bufferedAmount` has fallen, so it is looked at: after so many milliseconds, which is what browsers wait at
 * least, and whenever a message comes. Where timers are slowed (a tab in the background: once a second) that still moves a
 * window each time.
 */
const POLL = 4;

const OPEN = 1;
const CLEAN = [1000, 1001, 1005];

/** A WebSocket as any browser has it: it pushes, and sends without telling how far it is [F7, H1, H2, H3]. */
export class WebSocketConnection extends ChannelConnection {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #poll;
  /** How the peer closed it. @type {Ending | undefined} */
  #ending;
  /** The code for an end that was not meant. */
  #failure = 1011;

  /**
   * @param {import('../instance.js').Instance} instance
   * @param {any} socket an open WebSocket
   * @param {HostOptions} options
   * @param {string} subprotocol the user's; '' for none
   */
  constructor(instance, socket, options, subprotocol) {
    super(instance, options);
    this.socket = socket;
    this.subprotocol = subprotocol;
    this.refuseText = options.refuseText;
    socket.onmessage = (/** @type {{data: any}} */ { data }) =>
      instance.turn(() => this.message(data));
    socket.onclose = (/** @type {Ending} */ event) => instance.turn(() => this.#closed(event));
  }

  // ---- Facts ----

  /** @param {any} data */
  message(data) {
    if (typeof data === 'string') {
      if (this.refuseText) {
        this.#failure = 1003;
        this.failed('EPROTO', this.closeCode(1003), 'a text frame');
        return;
      }
      data = encoder.encode(data);
    }
    this.inbox.push(data instanceof Uint8Array ? data : new Uint8Array(data));
    if (this.waiting) this.drain();
  }

  /** @param {Ending} ending */
  #closed(ending) {
    const { code, reason } = ending;
    this.#ending = ending;
    this.over(CLEAN.includes(code) ? null : this.lostBy(code, reason));
  }

  /** What a close that was not clean means. @param {number} code @param {string} reason */
  lostBy(code, reason) {
    const text =
      reason || (code === 1006 ? 'the connection was lost' : `the peer closed with code ${code}`);
    return { code: 'ECLOSED', native: code, message: text };
  }

  // ---- Asked by the channel ----

  /** @override */
  get isOpen() {
    return this.socket.readyState === OPEN;
  }

  /** @override */
  get buffered() {
    return this.socket.bufferedAmount;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes @override */
  send(bytes) {
    this.socket.send(bytes);
  }

  /** @override */
  await() {
    this.#poll ??= setTimeout(() => {
      this.#poll = undefined;
      this.looked();
      this.instance.turn(() => this.drain());
    }, POLL);
  }

  // ---- Asked by the core ----

  /** @param {unknown} error @override */
  close(error) {
    this.shut(error === null ? 1000 : this.closeCode(this.#failure));
    this.closed();
  }

  /** @override */
  destroy() {
    this.shut(this.closeCode(this.#failure));
  }

  /** @param {string} name @override */
  extraInfo(name) {
    const { code, reason } = this.#ending ?? {};
    if (name === 'url') return this.socket.url || undefined;
    if (name === 'subprotocol') return this.subprotocol;
    if (name === 'close_code') return code && `${code}`;
    if (name === 'close_reason') return reason;
    return super.extraInfo(name);
  }

  // ---- What other WebSockets do differently ----

  /** A code for `close()`: browsers allow 1000 and from 3000 on [H1]. @param {number} code */
  closeCode(code) {
    return code + 3000;
  }

  /** @param {number} code */
  shut(code) {
    clearTimeout(this.#poll);
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close(code);
  }
}

/**
 * What opens WebSockets. `find` answers how, and the connection for them; `explain` says why one has not opened, and whether
 * that may be because its peer knows no framing.
 * @typedef {object} Opener
 * @property {(options: HostOptions) => Promise<[start: (address: string, names: string[]) => any, Connection: typeof WebSocketConnection]>} find
 * @property {(socket: any, framing: string) => [isPlain: boolean, code: string, native: number, message: string]} explain
 */

/**
 * A WebSocket is open, with this subprotocol of the user's ('' for none).
 * @typedef {(subprotocol: string, framed?: (Kind: typeof WebSocketConnection) => typeof WebSocketConnection) => void} Opened
 *
 * One attempt: what it offers, what follows once the peer has picked of that, and what to do if it fails and a peer without
 * framing may be why.
 * @typedef {(names: string[], agree: (picked: string, opened: Opened) => void, otherwise?: () => void) => void} Attempt
 */

/** @param {string | string[]} given 'mqtt, v2.example' */
export const subprotocolsOf = (given) => `${given}`.split(/[\s,]+/).filter(Boolean);

/**
 * Opens a request's connection. Where there may be framing, websocket-framing.js has the say; it is loaded for that.
 * @param {Request} request
 * @param {string} address
 * @param {HostOptions} options
 * @param {Opener} opener
 */
export async function openWebSocket(request, address, options, { find, explain }) {
  const { framing } = options;
  const names = subprotocolsOf(options.subprotocols);
  let isOver = false;
  request.oncancel = () => {
    isOver = true;
  };
  const negotiation = framing === 'refused' ? undefined : await import('./websocket-framing.js');
  const [start, Connection] = await find(options);
  if (isOver) return;

  /** @type {Attempt} */
  const attempt = (names, agree, otherwise) => {
    const socket = start(address, names);
    socket.binaryType = 'arraybuffer';
    request.oncancel = () => {
      socket.onopen = socket.onclose = null;
      socket.close();
    };
    /** @type {Opened} */
    const opened = (subprotocol, kind = (same) => same) =>
      request.opened(new (kind(Connection))(request.instance, socket, options, subprotocol));
    socket.onopen = () => agree(socket.protocol, opened);
    socket.onclose = () => {
      const [isPlain, ...why] = explain(socket, framing);
      if (isPlain && otherwise) otherwise();
      else request.failed(...why);
    };
  };
  if (negotiation) negotiation.negotiate(request, address, framing, names, attempt);
  else attempt(names, (name, opened) => opened(name));
}

/** @type {Opener} */
const opener = {
  find: async ({ WebSocket = globalThis.WebSocket }) =>
    'send' in WebSocket.prototype
      ? [(address, names) => new WebSocket(address, names), WebSocketConnection]
      : (await import('./websocket-stream.js')).streams(WebSocketConnection),
  explain: () => [true, 'EUNKNOWN', 0, 'it did not open; a browser does not tell why'],
};

/** @type {import('../request.js').Carrier} */
export const websocket = {
  negotiates: true,
  connect: (request, address, options) => openWebSocket(request, address, options, opener),
};
