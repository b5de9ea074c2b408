import { TowlineError } from '../errors.js';
import { checkInteger, checkNumber, checkSignal, wrong } from '../protocols/checks.js';
import { ByteBuffer } from './byte-buffer.js';
import { IncompleteReadError, LimitOverrunError } from './errors.js';

/**
 * @typedef {object} ReadOptions
 * @property {AbortSignal} [signal] gives the reading up: no byte is lost
 */

const encoder = new TextEncoder();
const newline = encoder.encode('\n');

/**
 * asyncio.StreamReader. It takes what comes until twice its limit waits, then holds the peer back until less than the limit
 * does. What it answers is a copy, and yours. One call may wait at a time.
 */
export class StreamReader {
  #buffer = new ByteBuffer();
  #limit;
  #hasEnded = false;
  #isPaused = false;
  #isDiscarding = false;
  /** @type {{error: unknown} | undefined} */
  #failure;
  /** @type {(() => void) | undefined} */
  #wake;
  /** @type {import('../protocols/transport.js').StreamTransport | undefined} */
  #transport;

  /** @param {number} [limit] bytes */
  constructor(limit = 65536) {
    checkNumber('limit', limit, 1);
    this.#limit = limit;
  }

  // ---- What comes: asyncio's feed_data, feed_eof, set_exception ----

  /** The one to hold back. @param {import('../protocols/transport.js').StreamTransport} transport */
  setTransport(transport) {
    this.#transport = transport;
  }

  /** Bytes have come. @param {Uint8Array} data copied */
  feedData(data) {
    if (!(data instanceof Uint8Array)) throw wrong('data', 'a Uint8Array', data);
    if (this.#isDiscarding) return;
    this.#buffer.add(data);
    this.#wake?.();
    if (this.#isPaused || this.#buffer.length <= 2 * this.#limit) return;
    this.#isPaused = true;
    this.#transport?.pauseReading();
  }

  /** No more will come. */
  feedEof() {
    this.#hasEnded = true;
    this.#wake?.();
  }

  /** What every call throws from now on. @param {unknown} error */
  setException(error) {
    this.#failure = { error };
    this.#wake?.();
  }

  /** Drops what is here, and what comes: nobody reads any more. */
  discard() {
    this.#isDiscarding = true;
    this.#take(this.#buffer.length);
  }

  /** Whether nothing more is to be read: the peer has ended the stream, or nobody reads it. @internal */
  get isDone() {
    return this.#hasEnded || this.#isDiscarding;
  }

  /** Whether the end has come and all before it is read. */
  atEof() {
    return this.#hasEnded && this.#buffer.length === 0;
  }

  // ---- Reading ----

  /**
   * At most so many bytes: what is there, or what comes next; empty at the end. Without a number: all until the end.
   * @param {number} [size]
   * @param {ReadOptions} [options]
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async read(size = -1, options = {}) {
    checkInteger('size', size);
    checkSignal(options.signal);
    this.#check();
    if (size < 0) return this.#readAll(options);
    if (size > 0 && this.#buffer.length === 0 && !this.#hasEnded) await this.#more('read', options);
    return this.#take(Math.min(size, this.#buffer.length));
  }

  /** @param {ReadOptions} options */
  async #readAll(options) {
    const all = new ByteBuffer();
    try {
      while (!this.atEof()) {
        if (this.#buffer.length === 0) await this.#more('read', options);
        all.add(this.#take(this.#buffer.length));
      }
    } catch (error) {
      all.add(this.#buffer.take());
      this.#buffer = all;
      throw error;
    }
    return all.take();
  }

  /**
   * So many bytes. IncompleteReadError if the stream ends before.
   * @param {number} size
   * @param {ReadOptions} [options]
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async readExactly(size, options = {}) {
    checkInteger('size', size, 0);
    checkSignal(options.signal);
    this.#check();
    while (this.#buffer.length < size) {
      if (this.#hasEnded) throw new IncompleteReadError(this.#take(this.#buffer.length), size);
      await this.#more('readExactly', options);
    }
    return this.#take(size);
  }

  /**
   * All up to the separator, and the separator. IncompleteReadError if the stream ends before; LimitOverrunError if it is
   * longer than the limit without the separator: nothing is taken then.
   * @param {string | Uint8Array} [separator]
   * @param {ReadOptions} [options]
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async readUntil(separator = newline, options = {}) {
    const sought = typeof separator === 'string' ? encoder.encode(separator) : separator;
    if (!(sought instanceof Uint8Array))
      throw wrong('the separator', 'a string or a Uint8Array', separator);
    checkSignal(options.signal);
    if (sought.length === 0) throw new TowlineError('EINVAL', 'the separator is empty');
    this.#check();
    let from = 0;
    for (;;) {
      const at = this.#buffer.indexOf(sought, from);
      if (at > this.#limit)
        throw new LimitOverrunError('a separator was found, but beyond the limit', at);
      if (at >= 0) return this.#take(at + sought.length);
      from = Math.max(0, this.#buffer.length + 1 - sought.length);
      if (from > this.#limit)
        throw new LimitOverrunError('no separator was found within the limit', from);
      if (this.#hasEnded) throw new IncompleteReadError(this.#take(this.#buffer.length), null);
      await this.#more('readUntil', options);
    }
  }

  /**
   * A line with its '\n'; at the end what is left, which may be empty. A line longer than the limit is dropped, as far as it
   * has come: LimitOverrunError.
   * @param {ReadOptions} [options]
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async readLine(options) {
    try {
      return await this.readUntil(newline, options);
    } catch (error) {
      if (error instanceof IncompleteReadError)
        return /** @type {Uint8Array<ArrayBuffer>} */ (error.partial);
      if (error instanceof LimitOverrunError) {
        const isFound = this.#buffer.indexOf(newline, 0) === error.consumed;
        this.#take(isFound ? error.consumed + 1 : this.#buffer.length);
      }
      throw error;
    }
  }

  /** Lines. */
  async *[Symbol.asyncIterator]() {
    for (;;) {
      const line = await this.readLine();
      if (line.length === 0) return;
      yield line;
    }
  }

  #check() {
    if (this.#failure) throw this.#failure.error;
  }

  /** @param {number} size */
  #take(size) {
    const taken = this.#buffer.take(size);
    if (this.#isPaused && this.#buffer.length <= this.#limit) this.#resume();
    return taken;
  }

  #resume() {
    this.#isPaused = false;
    this.#transport?.resumeReading();
  }

  /** More bytes, or the end. @param {string} what @param {ReadOptions} options */
  async #more(what, { signal }) {
    if (this.#wake) throw new TowlineError('EINVAL', `${what}() called while another call waits`);
    if (this.#isPaused) this.#resume(); // else it would wait forever
    let abort = () => {};
    try {
      await new Promise((resolve, reject) => {
        this.#wake = () => resolve(undefined);
        abort = () => reject(cancelled(what, signal));
        if (signal?.aborted) abort();
        signal?.addEventListener('abort', abort);
      });
    } finally {
      this.#wake = undefined;
      signal?.removeEventListener('abort', abort);
    }
    this.#check();
  }
}

/** @param {string} what @param {AbortSignal | undefined} signal */
const cancelled = (what, signal) =>
  new TowlineError('ECANCELED', `${what}() was cancelled`, { cause: signal?.reason });
