import { CAN_READ, CAN_WRITE, Connection, WANTS_CORK } from './connection.js';
import { Inbox } from './inbox.js';

/** While less than this is on its way in a channel, it is given a piece more; what is over it waits in the core [F7]. */
const WINDOW = 262144;
const MOST = 16 * WINDOW;
const PIECE = 262144;
/** What one takes that has ended. */
const ALL = 0x7fffffff;

/**
 * A stream over a channel of messages: it pushes what comes, and takes all that it is given [F7, H2, H3]. A transport's file
 * extends it, and says what the channel is.
 */
export class ChannelConnection extends Connection {
  /** Why it ended before connection_lost: reported in its turn, or by the next write. @type {(() => void) | undefined} */
  #report;
  /** The core has bytes that wait for room. */
  waiting = false;
  #window = WINDOW;

  /**
   * @param {import('./instance.js').Instance} instance
   * @param {{inbox: number}} options
   */
  constructor(instance, { inbox }) {
    super(instance, CAN_READ | CAN_WRITE | WANTS_CORK);
    this.inbox = new Inbox(this, inbox);
  }

  // ---- What a channel is ----

  /** One that is not takes all, for nothing. */
  get isOpen() {
    return false;
  }

  /** Bytes that have not left yet. */
  get buffered() {
    return 0;
  }

  /** @param {Uint8Array<ArrayBuffer>} _bytes they may be the module's memory: who keeps them takes a copy */
  send(_bytes) {}

  /** There is no room: calls `drain` when there may be. */
  await() {}

  // ---- Facts ----

  /** The channel has ended; null: as it should. @param {{code: string, native: number, message: string} | null} error */
  over(error) {
    if (error) this.#report = () => this.failed(error.code, error.native, error.message);
    this.inbox.end(() => {
      if (!error) this.eof();
      this.drain();
    });
  }

  /** There may be room. */
  drain() {
    this.waiting = false;
    if (this.#report) return this.#report();
    if (!this.live) return;
    for (let budget = PIECE; budget > 0; ) {
      const limit = Math.min(this.#room, budget);
      if (limit <= 0) return this.flush();
      const bytes = this.peek(limit);
      if (!bytes) return;
      const size = this.#send(bytes);
      this.sent(size);
      budget -= size;
    }
    this.instance.later(() => this.drain());
  }

  /** A channel that is only looked at now and then: the window is twice what has left of a full one since. */
  looked() {
    this.#window = Math.max(WINDOW, Math.min(MOST, 2 * (this.#window - this.buffered)));
  }

  /** How much more it may be given: what is left of the window is no measure, for small pieces cost as much as large ones. */
  get #room() {
    if (!this.isOpen) return ALL;
    return this.buffered < this.#window ? PIECE : 0;
  }

  /** Answers how many they were: a view has none once the module has grown. @param {Uint8Array<ArrayBuffer>} bytes */
  #send(bytes) {
    const { length } = bytes;
    if (length > 0 && this.isOpen) this.send(bytes);
    return length;
  }

  // ---- Asked by the core ----

  /** @param {number} lines @param {number} count @override */
  write(lines, count) {
    if (this.#report) {
      this.#report();
      return 0;
    }
    return this.#send(this.instance.memory.gather(lines, count, this.#room));
  }

  /** @override */
  flush() {
    this.waiting = true;
    this.await();
  }

  /** @param {boolean} on @override */
  setReading(on) {
    this.reading = on;
    if (on) this.inbox.resume();
  }

  /** @param {string} name @returns {string | undefined} @override */
  extraInfo(name) {
    if (name === 'read_backpressure') return 'inbox';
  }
}
