import { CAN_STREAM, Connection } from '../connection.js';
import { Inbox } from '../inbox.js';
import { Listener } from '../listener.js';

/** @import { Instance } from '../instance.js' */
/** @import { Request } from '../request.js' */

/** How many bytes may be on their way in each direction. */
const CAPACITY = 65536;

/** One end of a pair joined in memory; a test in JavaScript plays it by hand, a module through a connection. */
export class MemoryEnd {
  /** @type {Uint8Array[]} */
  #chunks = [];
  #size = 0;
  /** Called soon after the other end has written, read, ended or closed. */
  onchange = () => {};
  /** The other end has ended its stream: null comes after what it wrote. */
  ended = false;
  /** The other end takes nothing any more. */
  closed = false;
  /** @type {MemoryEnd} */
  other = this;

  /** Two, joined. */
  static pair() {
    const ends = [new MemoryEnd(), new MemoryEnd()];
    [ends[0].other, ends[1].other] = [ends[1], ends[0]];
    return ends;
  }

  /** How many bytes `write` would take. */
  get room() {
    return CAPACITY - this.other.#size;
  }

  /** Bytes that were written and not read yet. */
  get isEmpty() {
    return this.#size === 0;
  }

  #tell() {
    queueMicrotask(() => this.other.onchange());
  }

  /** Answers how many bytes were taken. @param {Uint8Array} bytes */
  write(bytes) {
    const taken = Math.min(this.room, bytes.length);
    if (taken > 0) this.other.#chunks.push(bytes.slice(0, taken));
    this.other.#size += taken;
    this.#tell();
    return taken;
  }

  /** What has come, at most `limit` bytes; null: nothing (see `ended`). */
  read(limit = CAPACITY) {
    if (this.#size === 0) return null;
    const bytes = new Uint8Array(Math.min(limit, this.#size));
    for (let filled = 0; filled < bytes.length; ) {
      const first = this.#chunks[0];
      const part = first.subarray(0, bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    this.#size -= bytes.length;
    this.#tell();
    return bytes;
  }

  /** No more will come from here. */
  end() {
    this.other.ended = true;
    this.#tell();
  }

  /** The other end is told. */
  close() {
    this.other.closed = true;
    this.end();
  }
}

class MemoryConnection extends Connection {
  #inbox = new Inbox(this, Number.POSITIVE_INFINITY);
  #told = false;
  #due = false;

  /** @param {Instance} instance @param {MemoryEnd} end */
  constructor(instance, end) {
    super(instance, CAN_STREAM);
    this.memoryEnd = end;
    this.#inbox.onempty = () => this.#soon();
    end.onchange = () => this.#soon();
  }

  #soon() {
    if (this.#due) return;
    this.#due = true;
    this.instance.later(() => {
      this.#due = false;
      this.#go();
    });
  }

  /** A read, then a write [T4]. */
  #go() {
    if (!this.live) return;
    const { memoryEnd } = this;
    if (this.reading && this.#inbox.isEmpty && !memoryEnd.isEmpty) {
      this.#inbox.push(/** @type {Uint8Array} */ (memoryEnd.read()));
      this.#soon();
    } else if (this.reading && this.#inbox.isEmpty && memoryEnd.ended && !this.#told) {
      this.#told = true;
      this.eof();
    }
    const waiting = this.live && memoryEnd.room > 0 ? this.peek(memoryEnd.room) : null;
    if (waiting && memoryEnd.closed) this.failed('EPIPE', 0, 'the other end is closed');
    else if (waiting) this.sent(memoryEnd.write(waiting));
  }

  /** @param {number} lines @param {number} count @override */
  write(lines, count) {
    if (!this.memoryEnd.closed)
      return this.memoryEnd.write(this.instance.memory.gather(lines, count, this.memoryEnd.room));
    this.failed('EPIPE', 0, 'the other end is closed');
    return 0;
  }

  /** @override */
  shutdown() {
    this.memoryEnd.end();
  }

  /** @param {boolean} on @override */
  setReading(on) {
    this.reading = on;
    if (on) this.#inbox.resume();
    if (on) this.#soon();
  }

  /** @override */
  close() {
    this.destroy();
    this.closed();
  }

  /** @override */
  destroy() {
    this.memoryEnd.onchange = () => {};
    this.memoryEnd.close();
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'read_backpressure') return 'stream';
    return name === 'peername' || name === 'sockname' ? 'mem:' : undefined;
  }
}

class MemoryListener extends Listener {
  /** @param {Instance} instance @param {MemoryNetwork} network @param {string} name */
  constructor(instance, network, name) {
    super(instance);
    this.network = network;
    this.name = name;
  }

  /** @override */
  get address() {
    return `mem:${this.name}`;
  }

  /** @override */
  close() {
    this.network.forget(this.name);
  }
}

/**
 * Names that connections in memory are made by, without any I/O: give one to several modules as
 * `transports: {mem: network}`, and they and JavaScript reach each other by 'mem:NAME'. 'mem:NAME?never' neither opens nor
 * fails.
 */
export class MemoryNetwork {
  /** @type {Map<string, (end: MemoryEnd) => void>} */
  #names = new Map();

  /** Calls `accept` with the other end of each connection. @param {string} name @param {(end: MemoryEnd) => void} accept */
  serve(name, accept) {
    this.#names.set(name, accept);
  }

  /** Nobody listens there any more. @param {string} name */
  forget(name) {
    this.#names.delete(name);
  }

  /** An end connected to who serves the name; undefined: nobody. @param {string} name */
  open(name) {
    const accept = this.#names.get(name);
    if (!accept) return undefined;
    const [mine, theirs] = MemoryEnd.pair();
    accept(theirs);
    return mine;
  }

  /** For a module's transports. @param {Request} request @param {string} address */
  connect = (request, address) => {
    const name = address.slice('mem:'.length);
    if (name.endsWith('?never')) return;
    const end = this.open(name);
    if (end) request.opened(new MemoryConnection(request.instance, end));
    else request.failed('ECONNREFUSED', 0, `nobody serves ${address}`);
  };

  /** The same. @param {Request} request @param {string} address */
  listen = (request, address) => {
    const name = address.slice('mem:'.length);
    if (this.#names.has(name))
      return request.failed('EADDRINUSE', 0, `${address} is served already`);
    const listener = new MemoryListener(request.instance, this, name);
    this.serve(name, (end) => listener.accepted(new MemoryConnection(request.instance, end)));
    request.oncancel = () => listener.abandon();
    request.opened(listener);
  };
}
