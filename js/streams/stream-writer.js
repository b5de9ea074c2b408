import { TowlineError } from '../errors.js';

/** @import { Bytes, StreamTransport } from '../protocols/transport.js' */

/** asyncio.StreamWriter; `write` answers what `drain` does, so that `await writer.write(...)` keeps to the marks. */
export class StreamWriter {
  #isPaused = false;
  /** Whether the stream is ended on this side. */
  hasEnded = false;
  /** Why nothing can be written any more. @type {TowlineError | undefined} */
  #loss;
  /** @type {Set<() => void>} */
  #waiting = new Set();
  #lose = (/** @type {TowlineError} */ _error) => {};
  /** Fulfilled with why. @internal @type {Promise<TowlineError>} */
  lost = new Promise((resolve) => {
    this.#lose = resolve;
  });

  /** @internal @param {StreamTransport} transport */
  constructor(transport) {
    this.transport = transport;
  }

  // ---- What the protocol is told ----

  /** @internal */
  pause() {
    this.#isPaused = true;
  }

  /** @internal */
  resume() {
    this.#isPaused = false;
    this.#wake();
  }

  /** @internal @param {TowlineError | null} error */
  lose(error) {
    const cause = error ?? undefined;
    this.#loss = new TowlineError(error?.code ?? 'ECLOSED', 'the connection is lost', { cause });
    this.#lose(this.#loss);
    this.#wake();
  }

  #wake() {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  // ---- Writing ----

  /**
   * Sends bytes, which are taken when this returns. Who writes much awaits the answer: there is room for more.
   * @param {Bytes} data
   */
  write(data) {
    this.transport.write(data);
    return this.#drained();
  }

  /** Several pieces as one. @param {Iterable<Bytes>} lines */
  writelines(lines) {
    this.transport.writelines(lines);
    return this.#drained();
  }

  /** Whoever does not await it is told of a loss elsewhere. */
  #drained() {
    const drained = this.drain();
    drained.catch(() => {});
    return drained;
  }

  /** Waits while writing is paused. Rejects when the connection is lost. @returns {Promise<void>} */
  async drain() {
    if (!this.#loss && this.isClosing()) {
      const turn = new Promise((resolve) => {
        this.transport.loop.callSoon(() => resolve(undefined)); // a loss that is due is told first
      });
      await Promise.race([turn, this.lost]);
    }
    await this.#resumed();
  }

  async #resumed() {
    while (this.#isPaused && !this.#loss)
      await new Promise((resolve) => {
        this.#waiting.add(() => resolve(undefined));
      });
    if (this.#loss) throw this.#loss;
  }

  /** Whether this connection has a half-close [E1]. */
  canWriteEof() {
    return this.transport.canWriteEof();
  }

  /** Ends the stream on this side; the peer may go on. */
  writeEof() {
    this.transport.writeEof();
    this.hasEnded = true;
  }

  /** Sends what is written, then closes the connection. */
  close() {
    this.hasEnded = true;
    this.transport.close();
  }

  /**
   * Ends the stream, or the connection where that is one, and waits until all that was written has left.
   * @internal
   * @param {boolean} isLast nothing more is to be read
   */
  async finish(isLast) {
    if (isLast || !this.canWriteEof()) {
      this.close();
      return this.waitClosed();
    }
    this.writeEof();
    this.transport.setWriteBufferLimits({ high: 0 }); // paused, then, until nothing waits
    return this.#resumed();
  }

  /** Whether it was closed, or is lost. */
  isClosing() {
    return this.transport.isClosing();
  }

  /** Rejects when the connection was lost by an error. */
  async waitClosed() {
    const error = await this.transport.closed;
    if (error) throw error;
  }

  /**
   * As the transport's.
   * @template {string | undefined} [D=undefined]
   * @param {string} name
   * @param {D} [otherwise]
   */
  getExtraInfo(name, otherwise) {
    return this.transport.getExtraInfo(name, otherwise);
  }
}
