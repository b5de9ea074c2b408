import { CAN_STREAM, Connection, HOLDS_LOANS, WANTS_CORK } from '../connection.js';
import { Inbox } from '../inbox.js';
import { hostPort } from './node-address.js';
import { fromNode } from './node-error.js';
import { LONGEST, leaveOnTray, putOnTray } from './node-tray.js';

/** @typedef {import('node:net').Socket} Socket */
/** @typedef {import('../instance.js').Instance} Instance */

/** How much is drained at most in one turn. */
const BUDGET = 1 << 20;
/** Steps are no smaller, for each is a system call. */
const LEAST_STEP = 4096;
/** Where bytes land for a moment that have no place in a module yet. */
const stage = new Uint8Array(65536);

/**
 * A socket of Node's.
 *
 * Writing: Node tries at once what it is given. Large pieces cost little as long as the kernel takes all of them. One that
 * it does not take stays counted in the core's queue until it has left; nothing is given before that, and pieces are of
 * one step from then on [F7].
 *
 * Reading, where a `Landing` is given: the kernel writes into memory that was named before, see there. Else Node's
 * chunks are copied into what the protocol lends.
 */
export class SocketConnection extends Connection {
  /** The most that one `write` takes at once; the rest waits for a turn of its own. */
  most = Number.POSITIVE_INFINITY;
  /** Bytes that Node holds. */
  #inFlight = 0;
  /** How large a piece is tried. */
  #pieces = LONGEST;
  #gone = false;

  /**
   * @param {Instance} instance
   * @param {Socket} socket
   * @param {Landing | null} landing
   * @param {number} [abilities]
   */
  constructor(instance, socket, landing, abilities = CAN_STREAM | WANTS_CORK) {
    super(instance, abilities | (landing && Landing.mayLoan(socket) ? HOLDS_LOANS : 0));
    this.socket = socket;
    this.landing = landing;
    this.inbox = new Inbox(this, Number.POSITIVE_INFINITY);
    this.inbox.onempty = () => this.reading && this.socket.resume();
    if (landing) landing.connection = this;
    else socket.on('data', (bytes) => instance.turn(() => this.came(bytes)));
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => instance.turn(() => this.broke(error)));
    socket.on('close', () => {
      this.#gone = true;
      if (this.ended) instance.turn(() => this.closed());
    });
  }

  // ---- Writing ----

  /** Answers whether the kernel has it all. @param {Uint8Array} piece */
  #send(piece) {
    const { socket } = this;
    socket.write(piece, this.#written);
    if (socket.writableLength === 0 && !socket.errored) return true;
    leaveOnTray(piece);
    this.#inFlight = piece.length;
    this.#pieces = this.#step;
    return false;
  }

  get #step() {
    return Math.max(this.step, LEAST_STEP);
  }

  // What failed has not left; the socket's 'error' event tells the core.
  #written = (/** @type {Error | null | undefined} */ error) => {
    if (error || this.#inFlight === 0 || this.socket.writableLength > 0) return;
    this.instance.turn(() => {
      const size = this.#inFlight;
      this.#inFlight = 0;
      this.sent(size);
      this.#drain();
    });
  };

  #drain() {
    if (!this.live) return;
    for (let budget = BUDGET; this.#inFlight === 0; ) {
      if (budget <= 0) return this.instance.later(() => this.#drain());
      const piece = this.peek(this.#step)?.slice(); // the kernel did not take it at once: it is Node's for longer
      if (!piece) return;
      budget -= piece.length;
      if (this.#send(piece)) this.sent(piece.length);
    }
  }

  /** @param {number} lines @param {number} count @override */
  write(lines, count) {
    const { memory } = this.instance;
    for (let taken = 0; ; ) {
      const limit = Math.min(this.#pieces, this.most - taken);
      const piece = putOnTray(memory, lines, count, taken, limit);
      if (piece.length === 0 || !this.#send(piece)) return taken;
      taken += piece.length;
      if (piece.length === this.#pieces) this.#pieces = Math.min(2 * piece.length, LONGEST);
      if (piece.length < limit) return taken; // that was all
    }
  }

  /** @override */
  flush() {
    if (this.#inFlight === 0) this.instance.later(() => this.#drain());
  }

  /** @override */
  shutdown() {
    this.socket.end();
  }

  // ---- Reading ----

  /** @param {Uint8Array} bytes */
  came(bytes) {
    this.inbox.push(bytes);
  }

  /** @param {Error} error */
  broke(error) {
    const { code, native, message } = fromNode(error);
    this.failed(code, native, message);
  }

  /** @param {boolean} on @override */
  setReading(on) {
    this.reading = on;
    if (!on) this.socket.pause();
    else if (this.landing?.kept) this.instance.later(() => this.landing?.goOn());
    else if (!this.inbox.isEmpty) this.inbox.resume();
    else this.socket.resume();
  }

  /**
   * The end of the stream; or a reset right behind the last bytes, which libuv takes for one: it reads no further than a
   * hang-up. Writing nothing asks the socket, whose 'error' event then tells the core. (Not a Unix socket: there the end
   * alone makes writing an error.)
   */
  #ended() {
    const { socket, instance } = this;
    const tell = () => instance.turn(() => this.inbox.end(() => this.eof()));
    const asks = socket.writable && socket.writableLength === 0 && socket.localPort !== undefined;
    if (asks) socket.write('', (error) => error ?? tell());
    else tell();
  }

  /** @override */
  revoke() {
    return this.landing ? this.landing.revoke() : 0;
  }

  // ---- The end ----

  /** @override */
  close() {
    if (this.#gone) this.closed();
    else this.destroy();
  }

  /** @override */
  destroy() {
    this.socket.destroy();
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'read_backpressure') return 'stream';
    const { remoteAddress, remotePort, localAddress, localPort } = this.socket;
    if (name === 'peername' && remoteAddress)
      return hostPort(remoteAddress, /** @type {number} */ (remotePort));
    if (name === 'sockname' && localAddress)
      return hostPort(localAddress, /** @type {number} */ (localPort));
  }
}

/**
 * Where bytes land: in the protocol's own memory, written by the kernel (rule B6). That is safe only where the memory grows in
 * place.
 *
 * Node asks for the next buffer right after each read and keeps it while idle. When there is nothing to lend (not open
 * yet, paused) it is given the `stage`, which is JavaScript's; what lands there is copied on, and then there is a loan
 * again. A loan that the protocol takes back is put off the socket's handle; where that cannot be done (Windows reads
 * ahead), everything goes over the stage.
 */
export class Landing {
  /** @type {SocketConnection | undefined} */
  connection = undefined;
  /** What the kernel may write into, if it is a loan. @type {Uint8Array | null} */
  #loan = null;
  /** The last one: most protocols lend the same memory again and again. */
  #view = new Uint8Array(0);
  /** Where that is. @type {{base: number, size: number} | null} */
  #room = null;
  /** Bytes that are in the loan, reported but not taken. */
  kept = 0;

  /**
   * @param {Instance} instance
   * @param {number} [least] there is a loan only after a read of so many bytes: a server's idle connections hold no memory
   */
  constructor(instance, least = 0) {
    this.instance = instance;
    this.least = least;
  }

  /** Node's option: the two must be there when the socket is made, before there is a connection. */
  onread = {
    buffer: () => {
      if (this.#loan) this.#hold(this.#room); // its view again: the memory may have grown meanwhile
      return this.#loan ?? stage;
    },
    callback: (/** @type {number} */ size, /** @type {Uint8Array} */ buffer) =>
      this.#landed(size, buffer),
  };

  /** Whether the open socket lets go of memory when told. @param {Socket} socket */
  static mayLoan(socket) {
    return (
      process.platform !== 'win32' &&
      typeof (/** @type {any} */ (socket)._handle?.useUserBuffer) === 'function'
    );
  }

  /** Answers whether Node shall read on. @param {number} size @param {Uint8Array} buffer */
  #landed(size, buffer) {
    const { connection } = this;
    if (!connection) return false;
    const lends = size >= this.least && connection.abilities & HOLDS_LOANS;
    connection.instance.turn(() => {
      if (buffer !== this.#loan) {
        connection.inbox.push(stage.subarray(0, size));
      } else {
        this.#loan = null;
        if (connection.live) this.#report(size, lends ? -1 : 0);
      }
      if (lends && connection.live && connection.reading && this.#isClear && !this.#loan)
        this.#hold(connection.lend(-1));
    });
    return connection.reading && this.#isClear;
  }

  get #isClear() {
    return this.kept === 0 && /** @type {SocketConnection} */ (this.connection).inbox.isEmpty;
  }

  /** @param {number} size @param {number} hint of the next loan */
  #report(size, hint) {
    const connection = /** @type {SocketConnection} */ (this.connection);
    const { taken, next } = connection.received(size, hint);
    this.kept = size - taken;
    if (this.kept === 0) this.#hold(next);
  }

  /** @param {{base: number, size: number} | null} room */
  #hold(room) {
    this.#room = room;
    if (!room) this.#loan = null;
    else if (room.base === this.#view.byteOffset && room.size === this.#view.length)
      this.#loan = this.#view;
    else this.#loan = this.#view = this.instance.memory.bytes(room.base, room.size);
  }

  /** Reading is on again, and bytes were kept. */
  goOn() {
    const connection = /** @type {SocketConnection} */ (this.connection);
    if (!connection.live || !connection.reading || this.kept === 0) return;
    this.#report(this.kept, -1);
    this.#loan = null; // the socket has the stage; lend() will answer the same again
    if (this.kept > 0 || !connection.reading) return;
    if (connection.inbox.isEmpty) connection.socket.resume();
    else connection.inbox.resume();
  }

  revoke() {
    if (!this.#loan) return 0;
    this.#loan = null;
    const { socket } = /** @type {SocketConnection} */ (this.connection);
    /** @type {any} */ (socket)._handle?.useUserBuffer(stage);
    return 0;
  }
}
