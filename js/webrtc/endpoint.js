import { Endpoint, PEER_SIZE } from '../endpoint.js';
import { isPeerName } from './room.js';

/** @typedef {import('./link.js').Link} Link */
/** @typedef {import('./room.js').Owner} Owner */
/** @typedef {import('./room.js').Room} Room */

/** Milliseconds that a peer may keep the others waiting, before what it does not take gets lost. */
const STANDSTILL = 1000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A `tow_peer`: the participant's name. @param {string} id */
function peerOf(id) {
  const bytes = encoder.encode(id);
  const peer = new Uint8Array(PEER_SIZE);
  peer.set([bytes.length, ...bytes]);
  return peer;
}

/** @param {Uint8Array} peer a `tow_peer` */
const idOf = (peer) => decoder.decode(peer.subarray(1, 1 + Math.min(peer[0], PEER_SIZE - 1)));

/**
 * An endpoint of datagrams with all participants of a room that are such, or connected to one of them.
 *
 * The core's queue is one for all peers: so one that takes nothing holds the others up, but not for long, unless none of its
 * datagrams may get lost. Where there are no others, it is waited for.
 * @implements {Owner}
 */
export class PeersEndpoint extends Endpoint {
  /** Those that have joined, by name. @type {Map<string, Link>} */
  #links = new Map();
  /** Since when those that are full have not sent anything. @type {Map<Link, {since: number, buffered: number}>} */
  #full = new Map();
  /** The one that the core waits for. @type {Link | undefined} */
  #blocking;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Set by who opens it. @type {Room} */
  room = /** @type {any} */ (null);

  /**
   * @param {import('../instance.js').Instance} instance
   * @param {{inbox: number, mayLose: boolean}} options
   * @param {string} [only] the one that it is connected to
   */
  constructor(instance, { inbox, mayLose }, only) {
    super(instance, inbox, only === undefined ? null : peerOf(only));
    this.only = only;
    this.mayLose = mayLose;
  }

  // ---- Peers ----

  /** @param {string} id */
  wants(id) {
    return !this.ended && (this.only ?? id) === id;
  }

  mismatched() {}

  /** @param {import('../errors.js').TowlineError} error */
  signallingFailed(error) {
    this.instance.turn(() => this.datagramFailed(error, null));
  }

  /** @param {Link} link */
  linked(link) {
    link.onopen = () => this.joined(link);
  }

  /** It is open. @param {Link} link */
  joined(link) {
    const { instance } = this;
    const peer = peerOf(link.id);
    this.#links.set(link.id, link);
    link.onmessage = (bytes) => instance.turn(() => this.come(bytes, peer));
    link.onlow = () => {
      this.#full.delete(link);
      instance.turn(() => this.drain());
    };
    link.onend = (error) => {
      if (this.#links.get(link.id) === link) this.#links.delete(link.id);
      this.#full.delete(link);
      this.tell(() => this.datagramFailed(lost(link, error), peer));
      instance.turn(() => this.drain());
    };
    this.tell(() => this.peerJoined(peer));
  }

  /** @param {number} peerAt */
  #peerAt(peerAt) {
    return this.peer ?? this.instance.memory.bytes(peerAt, PEER_SIZE).slice();
  }

  // ---- Sending ----

  /**
   * @param {number} data
   * @param {number} size
   * @param {number} peerAt
   */
  sendto(data, size, peerAt) {
    const peer = this.#peerAt(peerAt);
    const id = idOf(peer);
    const link = this.#links.get(id);
    if (!link) return this.#refuse('EHOSTUNREACH', `${id} is not there`, peer);
    if (size > link.maximum)
      return this.#refuse('EMSGSIZE', `more than ${link.maximum} bytes`, peer);
    if (link.buffered > link.low && link.buffered + size > link.window)
      return this.#standsStill(link);
    link.send(this.instance.memory.bytes(data, size));
    return true;
  }

  /** @param {string} code @param {string} message @param {Uint8Array} peer */
  #refuse(code, message, peer) {
    this.datagramFailed({ code, native: 0, message }, peer);
    return true;
  }

  /** A full one: true, its datagrams get lost; false, they wait. @param {Link} link */
  #standsStill(link) {
    const { buffered } = link;
    const now = performance.now();
    const known = this.#full.get(link);
    this.#blocking = link;
    if (known && known.buffered <= buffered)
      return this.mayLose && this.#links.size > 1 && now - known.since >= STANDSTILL;
    this.#full.set(link, { since: now, buffered });
    return false;
  }

  /** @override */
  flush() {
    this.waiting = true;
    if (!this.#blocking || this.#blocking.buffered <= this.#blocking.low)
      this.instance.later(() => this.drain());
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.instance.turn(() => this.drain());
    }, STANDSTILL);
  }

  // ---- The end ----

  /** @override */
  close() {
    this.#letGo((link) => link.close());
    this.closed();
  }

  /** @override */
  destroy() {
    this.#letGo((link) => link.abort());
  }

  /** @param {(link: Link) => void} end */
  #letGo(end) {
    clearTimeout(this.#timer);
    for (const link of [...this.#links.values()]) end(link);
    this.#links.clear();
    this.#full.clear();
    this.room.leave();
  }

  // ---- Names ----

  /** @param {number} text @param {number} peerAt */
  parsePeer(text, peerAt) {
    const { instance } = this;
    const id = instance.memory.string(text);
    if (!isPeerName(id)) return instance.code('EADDRESS');
    instance.memory.bytes(peerAt, PEER_SIZE).set(peerOf(id));
    return 0;
  }

  /** As snprintf. @param {number} peerAt @param {number} text @param {number} capacity */
  formatPeer(peerAt, text, capacity) {
    const { instance } = this;
    const id = idOf(instance.memory.bytes(peerAt, PEER_SIZE));
    if (!isPeerName(id)) return instance.code('EADDRESS');
    return instance.memory.setString(text, capacity, id);
  }

  /** Of one of many peers: 'state NAME'. @param {string} name @override */
  extraInfo(name) {
    const [what, who = this.only] = name.split(' ');
    if (what === 'sockname') return this.room.self.name;
    if (what === 'peername') return this.only;
    return who === undefined ? undefined : this.#links.get(who)?.statistics.get(what);
  }
}

/** What is told of a peer that is lost [D7]. @param {Link} link @param {import('./link.js').Failure | null} error */
const lost = (link, error) =>
  error && !link.hasLeft ? error : { code: 'ECLOSED', native: 0, message: `${link.id} has left` };
