import { AGREED_FRAMING, CAN_READ, CAN_WRITE, Connection, WANTS_CORK } from '../connection.js';
import { Inbox } from '../inbox.js';
import { Listener } from '../listener.js';

/** @typedef {import('./link.js').Link} Link */
/** @typedef {import('./room.js').Owner} Owner */
/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('../request.js').HostOptions} HostOptions */

/** The longest message: longer ones delay each other. */
const MESSAGE = 65536;

/** A stream over a channel, which pushes [F7, H2, H3]. */
export class LinkConnection extends Connection {
  /** Why it ended before connection_lost: reported in its turn, or by the next write. @type {(() => void) | undefined} */
  #report;
  #waiting = false;

  /**
   * @param {import('../instance.js').Instance} instance
   * @param {Link} link open
   * @param {HostOptions} options
   */
  constructor(instance, link, { inbox, keepalive }) {
    super(instance, CAN_READ | CAN_WRITE | WANTS_CORK | (link.framed ? AGREED_FRAMING : 0));
    this.link = link;
    this.keepalive = keepalive;
    this.inbox = new Inbox(this, inbox);
    link.onmessage = (bytes) => instance.turn(() => this.inbox.push(bytes));
    link.onlow = () => instance.turn(() => this.#drain());
    link.onend = (error) => instance.turn(() => this.#ended(error));
  }

  /** @param {import('./link.js').Failure | null} error */
  #ended(error) {
    if (error) {
      this.#report = () => this.failed(error.code, error.native, error.message);
      this.inbox.end(this.#report);
    } else {
      this.inbox.end(() => {
        this.eof();
        this.#drain();
      });
    }
  }

  // ---- Writing ----

  /** How much more the channel may be given. One that has closed takes all, for nothing. */
  get #room() {
    return this.link.isOpen ? this.link.window - this.link.buffered : Number.POSITIVE_INFINITY;
  }

  /** @param {Uint8Array} bytes */
  #send(bytes) {
    const most = Math.min(this.link.maximum, MESSAGE);
    for (let at = 0; at < bytes.length && this.link.isOpen; at += most)
      this.link.send(bytes.subarray(at, at + most));
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
    this.#send(bytes);
    return bytes.length;
  }

  /** @override */
  flush() {
    this.#waiting = true;
    if (!this.link.isOpen || this.link.buffered <= this.link.low)
      this.instance.later(() => this.#drain());
  }

  #drain() {
    if (!this.#waiting) return;
    this.#waiting = false;
    if (this.#report) return this.#report();
    if (!this.live) return;
    const step = this.step;
    for (let budget = this.link.window; budget > 0; ) {
      const limit = Math.min(this.#room, step);
      if (limit <= 0) return this.flush();
      const bytes = this.peek(limit);
      if (!bytes) return;
      this.#send(bytes);
      this.sent(bytes.length);
      budget -= bytes.length;
    }
    this.flush();
  }

  // ---- Asked by the core ----

  /** @param {boolean} on @override */
  setReading(on) {
    this.reading = on;
    if (on) this.inbox.resume();
  }

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
    if (name === 'read_backpressure') return this.framed ? 'credit' : 'inbox';
    return this.link.statistics.get(name);
  }
}

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
    link.onopen = () => this.accepted(new LinkConnection(this.instance, link, this.options));
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
