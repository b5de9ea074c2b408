/** @typedef {import('./connection.js').Connection} Connection */

/**
 * What a host that cannot stop its peer holds while reading is paused (rule H3): data and the end, in order, up to a
 * limit.
 */
export class Inbox {
  /** By number, from #head on. @type {Map<number, Uint8Array | (() => void)>} */
  #queue = new Map();
  #head = 0;
  #tail = 0;
  #size = 0;
  #due = false;

  /** @param {Connection} connection @param {number} limit in bytes; beyond it the connection fails */
  constructor(connection, limit) {
    this.connection = connection;
    this.limit = limit;
    /** Called when what was held is delivered. */
    this.onempty = () => {};
  }

  get isEmpty() {
    return this.#queue.size === 0;
  }

  /** @param {Uint8Array | (() => void)} what comes behind all others */
  #hold(what) {
    this.#queue.set(this.#tail++, what);
  }

  /** Delivers bytes, now or later. Call it in a turn. @param {Uint8Array} bytes */
  push(bytes) {
    const { connection } = this;
    if (!connection.live && connection.transport !== 0) return;
    const taken = this.isEmpty && connection.reading ? connection.deliver(bytes) : 0;
    if (taken === bytes.length) return;
    this.#size += bytes.length - taken;
    if (this.#size > this.limit) {
      this.#queue.clear();
      this.#head = this.#tail;
      connection.failed('EOVERFLOW', 0, `more than ${this.limit} bytes came while it was paused`);
    } else {
      this.#hold(bytes.slice(taken)); // others may come to lie there; not where a Buffer does, whose slice is no copy
    }
  }

  /** The end: `report` is called when all before it was delivered. @param {() => void} report */
  end(report) {
    if (this.isEmpty && this.connection.reading) report();
    else this.#hold(report);
  }

  /** Reading is on (again): goes on in turns of its own, one piece in each, until the box is empty. */
  resume() {
    if (this.#due || this.isEmpty) return;
    this.#due = true;
    this.connection.instance.later(() => {
      this.#due = false;
      this.#deliverOne();
    });
  }

  #deliverOne() {
    const { connection } = this;
    const first = this.#queue.get(this.#head);
    if (first === undefined || !connection.reading) return;
    if (first instanceof Uint8Array) {
      const taken = connection.deliver(first);
      this.#size -= taken;
      if (taken < first.length) this.#queue.set(this.#head, first.subarray(taken));
      else this.#queue.delete(this.#head++);
    } else {
      this.#queue.delete(this.#head++);
      first();
    }
    if (this.isEmpty) this.onempty();
    else if (connection.reading) this.resume();
  }
}
