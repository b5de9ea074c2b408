import { CAN_READ, Connection } from './connection.js';

/** @typedef {import('./instance.js').Instance} Instance */

/** The size of a `tow_peer`. */
export const PEER_SIZE = 32;
/** What a datagram that is held counts beside its length, for it takes memory also when it is empty. */
const OVERHEAD = 256;
/** Where a `tow_error` without a text lies in the scratch block: behind a peer. */
const ERROR_AT = PEER_SIZE;

/**
 * An endpoint of datagrams on a host that cannot stop its peers. What comes while reading is paused is held up to a limit
 * and dropped beyond it, as by the buffer of a socket (rule H3 is for streams: a datagram may get lost).
 *
 * A peer is what a module knows it by: the 32 bytes of a `tow_peer`.
 */
export class Endpoint extends Connection {
  /** Those from #head on wait: datagrams, and what is to be told after them. @type {({bytes: Uint8Array, from: Uint8Array} | (() => void))[]} */
  #held = [];
  #head = 0;
  #size = 0;
  #due = false;
  /** The core has datagrams that wait for room. */
  waiting = false;

  /**
   * @param {Instance} instance
   * @param {number} limit bytes that may be held
   * @param {Uint8Array | null} peer the one that it is connected to
   */
  constructor(instance, limit, peer) {
    super(instance, CAN_READ);
    this.limit = limit;
    this.peer = peer;
  }

  /** @override @param {number} request */
  create(request) {
    const { instance, id, peer } = this;
    const at = this.#put(peer);
    return request === 0
      ? instance.call('tow_wasm_open_endpoint', instance.loop, id, at)
      : instance.call('tow_wasm_opened_endpoint', request, id, at);
  }

  /** A `tow_peer` in the scratch block: good for the next call. @param {Uint8Array | null} peer */
  #put(peer) {
    const { memory, scratch } = this.instance;
    memory.bytes(scratch, PEER_SIZE).set(peer ?? new Uint8Array(PEER_SIZE));
    return scratch;
  }

  // ---- Facts ----

  /**
   * @param {{code: string, native: number, message: string}} error
   * @param {Uint8Array | null} peer
   */
  datagramFailed({ code, native, message }, peer) {
    if (!this.live) return;
    const { instance } = this;
    const at = instance.error(code, native, message);
    instance.call('tow_host_datagram_failed', this.transport, at, this.#put(peer));
  }

  /** @param {Uint8Array} peer */
  peerJoined(peer) {
    if (this.live) this.instance.call('tow_host_peer_joined', this.transport, this.#put(peer));
  }

  /** @param {Uint8Array} bytes @param {Uint8Array} from */
  come(bytes, from) {
    if (!this.live && this.transport !== 0) return;
    if (this.#isEmpty && this.#deliver(bytes, from)) return;
    const size = this.#size + bytes.length + OVERHEAD;
    if (size > this.limit) return;
    this.#size = size;
    this.#held.push({ bytes, from });
  }

  /** Soon, after what has come before: also while reading is paused, unless datagrams are held. @param {() => void} fact */
  tell(fact) {
    this.#held.push(fact);
    this.#resume();
  }

  // ---- What is held ----

  get #isEmpty() {
    return this.#head === this.#held.length;
  }

  /** False: not now. @param {Uint8Array} bytes @param {Uint8Array} from */
  #deliver(bytes, from) {
    const { instance } = this;
    const room = this.reading ? this.lend(-1) : null;
    if (!room || room.size < bytes.length) return false;
    instance.memory.bytes(room.base, bytes.length).set(bytes);
    const { base } = room;
    const at = this.#put(from);
    return instance.call('tow_host_datagram', this.transport, base, bytes.length, at) !== 0;
  }

  /** One in each turn, until none is left. */
  #resume() {
    if (this.#due || this.#isEmpty) return;
    this.#due = true;
    this.instance.later(() => {
      this.#due = false;
      if (this.#deliverFirst()) this.#resume();
    });
  }

  #deliverFirst() {
    const first = this.#held[this.#head];
    if (!this.live || first === undefined) return false;
    if (typeof first === 'function') {
      this.#drop();
      first();
      return true;
    }
    if (!this.#deliver(first.bytes, first.from)) return false;
    this.#size -= first.bytes.length + OVERHEAD;
    this.#drop();
    return true;
  }

  #drop() {
    this.#head++;
    if (this.#head < 64 && !this.#isEmpty) return;
    this.#held.splice(0, this.#head);
    this.#head = 0;
  }

  /** @param {boolean} on @override */
  setReading(on) {
    this.reading = on;
    if (on) this.#resume();
  }

  // ---- Sending ----

  /**
   * A datagram that cannot be sent, which is told at once: the answer of `sendto`.
   * @param {string} code
   * @param {number} native
   * @param {number} peerAt
   */
  refuse(code, native, peerAt) {
    const { instance, transport } = this;
    const at = instance.scratch + ERROR_AT;
    instance.memory.setWords(at, instance.code(code), native, 0);
    instance.call('tow_host_datagram_failed', transport, at, peerAt);
    return true;
  }

  /** There is room. */
  drain() {
    if (!this.live || !this.waiting) return;
    this.waiting = this.instance.call('tow_host_drain', this.transport) !== 0;
    if (this.waiting) this.flush();
  }
}
