/** Words at the beginning of a ring's memory. */
const WRITTEN = 0;
const READ = 1;
const ENDED = 2;
const CLOSED = 3;
const LISTENS = 4;
const DATA_AT = 32;

/** The memory of a ring. @param {number} capacity a power of two */
export const newRing = (capacity) => new SharedArrayBuffer(DATA_AT + capacity);

/** How much is kept for other processes. */
const MOST_SPARE = 24;

/** Memory of rings that nobody uses any more: made anew for each process, it would be left in pieces by malloc. */
export class SpareRings {
  /** @type {SharedArrayBuffer[]} */
  #spare = [];

  /** @param {number} capacity */
  take(capacity) {
    const at = this.#spare.findIndex(({ byteLength }) => byteLength === DATA_AT + capacity);
    if (at < 0) return newRing(capacity);
    const [memory] = this.#spare.splice(at, 1);
    new Int32Array(memory, 0, DATA_AT / 4).fill(0);
    return memory;
  }

  /** Neither end uses it from now on. @param {SharedArrayBuffer} memory */
  give(memory) {
    if (this.#spare.length < MOST_SPARE) this.#spare.push(memory);
  }
}

/**
 * One end of a pipe in shared memory: bytes between two counters that only grow, and wrap at 2^32; each is written by one
 * end. The other end's counter is not trusted: whatever it says, nothing outside the ring is read or written.
 *
 * The page does not wait, it listens: it is told of the next change, once, and of every end. The Worker is always told, by
 * its bell.
 */
class RingEnd {
  /**
   * @param {SharedArrayBuffer} memory
   * @param {(ring: RingEnd, isEnd: boolean) => void} tell called when the other end has something to see
   */
  constructor(memory, tell) {
    this.words = new Int32Array(memory, 0, DATA_AT / 4);
    this.data = new Uint8Array(memory, DATA_AT);
    this.tell = tell;
    /** Set by who listens. */
    this.onchange = () => {};
    /** How many bytes this end has written, or read. */
    this.count = 0;
  }

  /** Whoever looks again after this misses nothing. */
  listen() {
    Atomics.store(this.words, LISTENS, 1);
  }

  /** Whether somebody listens at the other end; who asks tells. */
  heard() {
    return Atomics.exchange(this.words, LISTENS, 0) === 1;
  }

  /** @param {number} written @param {number} read */
  between(written, read) {
    return Math.min((written - read) >>> 0, this.data.length);
  }

  /** @param {number} word @param {number} value */
  set(word, value) {
    Atomics.store(this.words, word, value);
    this.tell(this, word === ENDED || word === CLOSED);
  }

  /** What can be had in one piece from this end's place on. @param {number} size */
  piece(size) {
    const at = this.count & (this.data.length - 1);
    return this.data.subarray(at, at + Math.min(size, this.data.length - at));
  }

  /** @param {number} word @param {number} size */
  advance(word, size) {
    this.count = (this.count + size) | 0;
    this.set(word, this.count);
  }
}

export class RingReader extends RingEnd {
  /** What the writer had written when it was stopped. @type {number | undefined} */
  #last;

  /** Nothing comes after what is there; ask before `peek`. */
  get ended() {
    return this.#last !== undefined || Atomics.load(this.words, ENDED) === 1;
  }

  /** Bytes that wait, where they are: good until `take`. */
  peek() {
    const written = this.#last ?? Atomics.load(this.words, WRITTEN);
    return this.piece(this.between(written, this.count));
  }

  /** @param {number} size */
  take(size) {
    if (size > 0) this.advance(READ, size);
  }

  /** The writer is no more: what it has written by now is all. */
  finish() {
    this.#last ??= Atomics.load(this.words, WRITTEN);
    this.onchange();
  }

  close() {
    this.set(CLOSED, 1);
  }
}

export class RingWriter extends RingEnd {
  /** Nobody reads any more. */
  get closed() {
    return Atomics.load(this.words, CLOSED) === 1;
  }

  get room() {
    return this.data.length - this.between(this.count, Atomics.load(this.words, READ));
  }

  /** Answers how many bytes were taken. @param {Uint8Array} bytes */
  write(bytes) {
    const size = Math.min(this.room, bytes.length);
    if (size === 0) return 0;
    const first = this.piece(size);
    first.set(bytes.subarray(0, first.length));
    this.data.set(bytes.subarray(first.length, size));
    this.advance(WRITTEN, size);
    return size;
  }

  end() {
    this.set(ENDED, 1);
  }

  /** The reader is no more. */
  finish() {
    Atomics.store(this.words, CLOSED, 1);
    this.onchange();
  }
}
