/**
 * A pipe over messages, for where memory cannot be shared. Either side sends, with the descriptor as the pipe's name:
 *
 *     { type: 'data', fd, bytes }     a Uint8Array; its memory is handed over
 *     { type: 'end', fd }             no more will come
 *     { type: 'taken', fd, size }     so many bytes have been consumed
 *     { type: 'closed', fd }          nobody reads any more
 *
 * and sends no more than WINDOW bytes that have not been reported as taken.
 *
 * @typedef {{type: string, [name: string]: any}} Message
 * @typedef {(message: Message, transfer?: ArrayBuffer[]) => void} Post
 */

/** Bytes on their way at most. */
export const WINDOW = 65536;

const none = new Uint8Array(0);

export class MessageReader {
  /** @type {Uint8Array[]} */
  #chunks = [];
  #size = 0;
  /** Nothing comes after what is there; ask before `peek`. */
  ended = false;
  /** Set by who listens. */
  onchange = () => {};

  /** @param {number} fd @param {Post} post */
  constructor(fd, post) {
    this.fd = fd;
    this.post = post;
  }

  listen() {}

  /** The memory, about, that what has come and was not taken holds. */
  get held() {
    return this.#size + 64 * this.#chunks.length;
  }

  /** @param {Message} message */
  receive({ type, bytes }) {
    if (this.ended) return;
    if (type === 'end') this.ended = true;
    if (type === 'data' && bytes instanceof Uint8Array && bytes.length > 0) {
      this.#chunks.push(bytes);
      this.#size += bytes.length;
    }
    this.onchange();
  }

  /** Bytes that wait. */
  peek() {
    return this.#chunks[0] ?? none;
  }

  /** @param {number} size */
  take(size) {
    if (size === 0) return;
    const first = this.#chunks[0];
    if (size === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(size);
    this.#size -= size;
    this.post({ type: 'taken', fd: this.fd, size });
  }

  /** The writer is no more. */
  finish() {
    this.post = () => {};
    this.ended = true;
    this.onchange();
  }

  close() {
    this.ended = true;
    this.post({ type: 'closed', fd: this.fd });
  }
}

export class MessageWriter {
  #away = 0;
  /** Nobody reads any more. */
  closed = false;
  /** Set by who listens. */
  onchange = () => {};

  /** @param {number} fd @param {Post} post @param {number} [window] */
  constructor(fd, post, window = WINDOW) {
    this.fd = fd;
    this.post = post;
    this.window = window;
  }

  listen() {}

  /** @param {Message} message */
  receive({ type, size }) {
    if (type === 'closed') this.closed = true;
    if (type === 'taken' && size > 0) this.#away = Math.max(0, this.#away - size);
    this.onchange();
  }

  get room() {
    return Math.max(0, this.window - this.#away);
  }

  /** Answers how many bytes were taken. @param {Uint8Array} bytes */
  write(bytes) {
    const piece = bytes.slice(0, this.room);
    const size = piece.length; // it has none once it is sent
    if (size > 0) this.post({ type: 'data', fd: this.fd, bytes: piece }, [piece.buffer]);
    this.#away += size;
    return size;
  }

  end() {
    this.post({ type: 'end', fd: this.fd });
  }

  /** The reader is no more. */
  finish() {
    this.post = () => {};
    this.closed = true;
    this.onchange();
  }
}
