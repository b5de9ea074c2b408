import { CAN_READ, CAN_WRITE, CAN_WRITE_EOF, Connection, WANTS_CORK } from '../connection.js';

/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('./ring.js').RingReader | import('./messages.js').MessageReader} Reader */
/** @typedef {import('./ring.js').RingWriter | import('./messages.js').MessageWriter} Writer */

/** What the two have in common: they look at their stream in turns of their own, whenever it has changed. */
class Pipe extends Connection {
  #due = false;

  /** @param {Instance} instance @param {number} abilities @param {Reader | Writer} stream */
  constructor(instance, abilities, stream) {
    super(instance, abilities);
    stream.onchange = () => instance.turn(() => this.look());
  }

  look() {}

  soon() {
    if (this.#due) return;
    this.#due = true;
    this.instance.later(() => {
      this.#due = false;
      this.look();
    });
  }

  /** @param {boolean} on @override */
  setReading(on) {
    this.reading = on;
    if (on) this.soon();
  }
}

/** The child's standard output or errors: bytes go from the stream straight into the protocol's memory. */
export class OutputPipe extends Pipe {
  /** Why the child could not say all, if so. @type {import('../errors.js').TowlineError | null} */
  error = null;

  /** @param {Instance} instance @param {Reader} stream @param {string} way */
  constructor(instance, stream, way) {
    super(instance, CAN_READ, stream);
    this.stream = stream;
    this.way = way;
  }

  /** One read. @override */
  look() {
    const { stream } = this;
    if (!this.live || !this.reading) return;
    const { ended } = stream;
    const bytes = stream.peek();
    if (bytes.length > 0) {
      stream.take(this.deliver(bytes));
      this.soon();
    } else if (ended && this.error) {
      this.failed(this.error.code, this.error.native, this.error.message);
    } else if (ended) {
      this.eof();
    } else {
      stream.listen();
      if (stream.ended || stream.peek().length > 0) this.soon();
    }
  }

  /** @override */
  close() {
    this.stream.close();
    this.closed();
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'read_backpressure') return this.way === 'deferred' ? 'inbox' : 'stream';
  }
}

/** The child's standard input. It takes what its stream has room for, as a pipe does. */
export class InputPipe extends Pipe {
  /** Called when bytes wait that there will never be room for. @type {(() => void) | undefined} */
  onfull;

  /** @param {Instance} instance @param {Writer} stream */
  constructor(instance, stream) {
    super(instance, CAN_WRITE | CAN_WRITE_EOF | WANTS_CORK, stream);
    this.stream = stream;
  }

  /** @param {number} lines @param {number} count @override */
  write(lines, count) {
    const { stream } = this;
    return stream.closed ? 0 : stream.write(this.instance.memory.gather(lines, count, stream.room));
  }

  /** @override */
  flush() {
    this.soon();
  }

  /** @override */
  look() {
    const { stream } = this;
    if (!this.live) return;
    if (stream.closed) {
      if (this.reading) this.eof();
      return;
    }
    const bytes = this.peek(Math.max(stream.room, 1));
    if (!bytes) return;
    const size = stream.write(bytes);
    if (size === 0 && this.onfull) return this.onfull();
    this.sent(size);
    stream.listen();
    if (size > 0 || stream.room > 0 || stream.closed) this.soon();
  }

  /** @override */
  shutdown() {
    this.stream.end();
  }

  /** @override */
  close() {
    this.stream.end();
    this.closed();
  }
}
