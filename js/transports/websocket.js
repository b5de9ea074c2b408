import { CAN_READ, CAN_WRITE, Connection, WANTS_CORK } from '../connection.js';
import { Inbox } from '../inbox.js';

/** @typedef {import('../request.js').HostOptions} HostOptions */
/** @typedef {import('../request.js').Request} Request */

/** How much may be on its way in the socket; what is over it waits in the core [F7]. */
const WINDOW = 262144;
/**
 * Nothing tells that `bufferedAmount` has fallen, so it is looked at: after so many milliseconds, and whenever a message
 * comes. Where timers are slowed (a tab in the background: once a second) that still moves a window each time.
 */
const POLL = 5;

const OPEN = 1;
const CLEAN = [1000, 1001, 1005];

const encoder = new TextEncoder();

/** A WebSocket as any browser has it: it pushes, and sends without telling how far it is [F7, H1, H2, H3]. */
export class WebSocketConnection extends Connection {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #poll;
  /** How the peer closed it. @type {{code: number, reason: string} | undefined} */
  #ending;
  /** Why it ended before connection_lost: reported in its turn, or by the next write. @type {(() => void) | undefined} */
  #report;
  /** The code for an end that was not meant. */
  #failure = 1011;

  /**
   * @param {import('../instance.js').Instance} instance
   * @param {any} socket an open WebSocket
   * @param {HostOptions} options
   */
  constructor(instance, socket, options) {
    super(instance, CAN_READ | CAN_WRITE | WANTS_CORK);
    this.socket = socket;
    this.refuseText = options.refuseText;
    this.inbox = new Inbox(this, options.inbox);
    this.waiting = false;
    socket.onmessage = (/** @type {{data: any}} */ { data }) =>
      instance.turn(() => this.#message(data));
    socket.onclose = (/** @type {{code: number, reason: string}} */ event) =>
      instance.turn(() => this.#closed(event));
    socket.onerror = () => {};
  }

  // ---- Facts ----

  /** @param {any} data */
  #message(data) {
    if (typeof data === 'string' && this.refuseText) {
      this.#failure = 1003;
      this.failed('EPROTO', this.closeCode(1003), 'a text frame came, and only bytes are welcome');
      return;
    }
    if (typeof data === 'string') this.inbox.push(encoder.encode(data));
    else this.inbox.push(data instanceof Uint8Array ? data : new Uint8Array(data));
    if (this.waiting) this.drain();
  }

  /** @param {{code: number, reason: string}} event */
  #closed({ code, reason }) {
    this.#ending = { code, reason };
    if (CLEAN.includes(code)) {
      this.inbox.end(() => {
        this.eof();
        this.drain();
      });
    } else {
      const lost = this.lostBy(code, reason);
      this.#report = () => this.failed(lost.code, lost.native, lost.message);
      this.inbox.end(this.#report);
    }
  }

  /** What a close that was not clean means. @param {number} code @param {string} reason */
  lostBy(code, reason) {
    const text =
      reason || (code === 1006 ? 'the connection was lost' : `the peer closed with code ${code}`);
    return { code: 'ECLOSED', native: code, message: text };
  }

  // ---- Writing ----

  /** How much more the socket may be given. One that has closed takes all, for nothing. */
  get #room() {
    return this.socket.readyState === OPEN
      ? WINDOW - this.socket.bufferedAmount
      : Number.POSITIVE_INFINITY;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  #send(bytes) {
    if (this.socket.readyState === OPEN) this.transmit(bytes);
  }

  /** @param {number} lines @param {number} count @override */
  write(lines, count) {
    if (this.#report) {
      this.#report();
      return 0;
    }
    const room = this.#room;
    if (room === Number.POSITIVE_INFINITY) return this.instance.memory.size(lines, count);
    const bytes = this.instance.memory.gather(lines, count, 0, room);
    if (bytes.length > 0) this.#send(bytes);
    return bytes.length;
  }

  /** @override */
  flush() {
    this.waiting = true;
    this.await();
  }

  drain() {
    this.waiting = false;
    if (this.#report) return this.#report();
    if (!this.live) return;
    const step = this.step;
    for (let budget = WINDOW; budget > 0; ) {
      const limit = Math.min(this.#room, step);
      if (limit <= 0) return this.flush();
      const bytes = this.peek(limit);
      if (!bytes) return;
      this.#send(bytes);
      this.sent(bytes.length);
      budget -= bytes.length;
    }
    this.instance.later(() => this.drain());
  }

  // ---- Asked by the core ----

  /** @param {boolean} on @override */
  setReading(on) {
    this.reading = on;
    if (on) this.inbox.resume();
  }

  /** @param {unknown} error @override */
  close(error) {
    this.#shut(error === null ? 1000 : this.closeCode(this.#failure));
    this.closed();
  }

  /** @override */
  destroy() {
    this.#shut(this.closeCode(1011));
  }

  /** @param {number} code */
  #shut(code) {
    clearTimeout(this.#poll);
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close(code);
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'url') return this.socket.url || undefined;
    if (name === 'subprotocol') return this.socket.protocol;
    if (name === 'close_code') return this.#ending && String(this.#ending.code);
    if (name === 'close_reason') return this.#ending?.reason;
  }

  // ---- What other WebSockets do differently ----

  /** A code for `close()`: browsers allow 1000 and from 3000 on [H1]. @param {number} code */
  closeCode(code) {
    return code + 3000;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  transmit(bytes) {
    this.socket.send(bytes);
  }

  /** There is no room: calls `drain` when there may be. */
  await() {
    this.#poll ??= setTimeout(() => {
      this.#poll = undefined;
      this.instance.turn(() => this.drain());
    }, POLL);
  }
}

/** @param {string | string[]} given 'mqtt, v2.example' */
export const subprotocolsOf = (given) =>
  (typeof given === 'string' ? given.split(/[\s,]+/) : given).filter(Boolean);

/**
 * Makes a request's connection of a socket that is being opened.
 * @param {Request} request
 * @param {any} socket
 * @param {() => WebSocketConnection} make
 * @param {(event: any) => {code: string, native: number, message: string}} explain
 */
export function opening(request, socket, make, explain) {
  /** @type {any} */
  let failure;
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => request.opened(make());
  socket.onerror = (/** @type {any} */ event) => {
    failure = event;
  };
  socket.onclose = (/** @type {any} */ event) => {
    const { code, native, message } = explain(failure ?? event);
    request.failed(code, native, message);
  };
  request.oncancel = () => {
    socket.onopen = socket.onclose = null;
    socket.onerror = () => {};
    socket.close();
  };
}

/** @type {import('../request.js').Carrier} */
export const websocket = {
  connect(request, address, options) {
    const { WebSocket = globalThis.WebSocket } = options;
    const socket = new WebSocket(address, subprotocolsOf(options.subprotocols));
    opening(
      request,
      socket,
      () => new WebSocketConnection(request.instance, socket, options),
      () => ({
        code: 'EUNKNOWN',
        native: 0,
        message: 'the WebSocket did not open; a browser does not tell why',
      }),
    );
  },
};
