import { Endpoint, PEER_SIZE } from '../endpoint.js';
import { LONGEST, nameIn } from './words.js';

/** @import { Instance } from '../instance.js' */

/** How much may be on its way in the socket; what is over it waits in the core [F7]. */
const WINDOW = 262144;
/** Nothing tells that `bufferedAmount` has fallen. */
const POLL = 5;
const OPEN = 1;

/** A `tow_peer`: there is but one. */
const PEER = new Uint8Array(PEER_SIZE);
PEER.set([1, 1]);

/**
 * An endpoint of datagrams over a WebSocket, connected to the one at its other end: each message is one. A text, where both
 * ends know of texts, says what went wrong with one.
 */
export class WebSocketEndpoint extends Endpoint {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #poll;

  /**
   * @param {Instance} instance
   * @param {any} socket an open WebSocket
   * @param {{inbox: number}} options
   * @param {string} peername
   */
  constructor(instance, socket, { inbox }, peername) {
    super(instance, inbox, PEER);
    this.socket = socket;
    this.peername = peername;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (/** @type {{data: any}} */ { data }) =>
      instance.turn(() => this.#message(data));
    socket.onclose = (/** @type {{code: number, reason: string}} */ { code, reason }) =>
      instance.turn(() => this.failed('ECLOSED', code, reason || `closed with code ${code}`));
    socket.onerror = () => {};
  }

  /** @param {ArrayBuffer | string} data */
  #message(data) {
    if (typeof data !== 'string') return this.come(new Uint8Array(data), PEER);
    const [, code] = /^error (.*)$/s.exec(data) ?? [];
    if (code === undefined || nameIn(code) === '') return;
    this.tell(() => this.datagramFailed({ code: nameIn(code), native: 0, message: code }, PEER));
  }

  /** False: it would have to wait. @param {number} data @param {number} size @param {number} peerAt */
  sendto(data, size, peerAt) {
    if (size > LONGEST) return this.refuse('EMSGSIZE', 0, peerAt);
    if (this.socket.bufferedAmount > WINDOW) return false;
    if (this.socket.readyState === OPEN)
      this.socket.send(this.instance.memory.bytes(data, size).slice());
    return true;
  }

  /** @override */
  flush() {
    this.waiting = true;
    this.#poll ??= setTimeout(() => {
      this.#poll = undefined;
      this.instance.turn(() => this.drain());
    }, POLL);
  }

  // ---- The end ----

  /** @override */
  close() {
    this.destroy();
    this.closed();
  }

  /** @override */
  destroy() {
    clearTimeout(this.#poll);
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close(1000);
  }

  // ---- Names ----

  /** @param {number} text @param {number} peerAt */
  parsePeer(text, peerAt) {
    const { memory } = this.instance;
    if (memory.string(text) !== this.peername) return this.instance.code('EADDRESS');
    memory.bytes(peerAt, PEER_SIZE).set(PEER);
    return 0;
  }

  /** As snprintf. @param {number} _peerAt @param {number} text @param {number} capacity */
  formatPeer(_peerAt, text, capacity) {
    return this.instance.memory.setString(text, capacity, this.peername);
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'peername') return this.peername;
    if (name === 'url') return this.socket.url || undefined;
  }
}
