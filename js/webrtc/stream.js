import { ChannelConnection } from '../channel.js';
import { framed } from '../framing.js';
import { Listener } from '../listener.js';

/** @typedef {import('./link.js').Link} Link */
/** @typedef {import('./room.js').Owner} Owner */
/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('../request.js').HostOptions} HostOptions */

/** The longest message: longer ones delay each other. */
const MESSAGE = 65536;

/** A stream over a data channel. */
class LinkConnection extends ChannelConnection {
  /**
   * @param {import('../instance.js').Instance} instance
   * @param {Link} link open
   * @param {HostOptions} options
   */
  constructor(instance, link, options) {
    super(instance, options);
    this.link = link;
    link.onmessage = (bytes) => instance.turn(() => this.inbox.push(bytes));
    link.onlow = () => instance.turn(() => this.waiting && this.drain());
    link.onend = (error) => instance.turn(() => this.over(error));
  }

  // ---- Asked by the channel ----

  /** @override */
  get isOpen() {
    return this.link.isOpen;
  }

  /** @override */
  get buffered() {
    return this.link.buffered;
  }

  /** @param {Uint8Array} bytes @override */
  send(bytes) {
    const most = Math.min(this.link.maximum, MESSAGE);
    for (let at = 0; at < bytes.length && this.isOpen; at += most)
      this.link.send(bytes.subarray(at, at + most));
  }

  /** @override */
  await() {
    if (!this.isOpen || this.buffered <= this.link.low) this.instance.later(() => this.drain());
  }

  // ---- Asked by the core ----

  /** @param {unknown} error @override */
  close(error) {
    if (error === null) this.link.close();
    else this.link.abort();
    this.closed();
  }

  /** @override */
  destroy() {
    this.link.abort();
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'peername') return this.link.id;
    if (name === 'sockname') return this.link.room.self.name;
    if (name === 'subprotocol') return this.link.protocol;
    return super.extraInfo(name) ?? this.link.statistics.get(name);
  }
}

/** @param {import('../instance.js').Instance} instance @param {Link} link open @param {HostOptions} options */
export const connectionOf = (instance, link, options) =>
  new (link.framed ? framed(LinkConnection) : LinkConnection)(instance, link, options);

/**
 * Serves the clients of a room.
 * @implements {Owner}
 */
export class RoomListener extends Listener {
  /** Set by who opens it. @type {Room} */
  room = /** @type {any} */ (null);

  /**
   * @param {import('../instance.js').Instance} instance
   * @param {string} address of the room
   * @param {HostOptions} options
   */
  constructor(instance, address, options) {
    super(instance);
    this.place = address;
    this.options = options;
  }

  wants() {
    return true;
  }

  mismatched() {}

  /** @param {import('../errors.js').TowlineError} error */
  signallingFailed(error) {
    this.instance.onerror(error);
  }

  /** @param {Link} link */
  linked(link) {
    link.onopen = () => this.accepted(connectionOf(this.instance, link, this.options));
  }

  /** @override */
  close() {
    this.room.leave();
  }

  /** @override */
  get address() {
    return `${this.place}/${this.room.self.name}`;
  }

  /** @param {string} name @override */
  extraInfo(name) {
    return name === 'sockname' ? this.room.self.name : undefined;
  }
}
