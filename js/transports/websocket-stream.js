import { pausing } from './websocket-pausing.js';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;

/**
 * A browser's WebSocketStream as a WebSocket that can be paused: while it is, nothing is read, and the browser holds the
 * peer back.
 */
class StreamSocket {
  /** @type {((event: {}) => void) | null} */ onopen = null;
  /** @type {((event: {data: any}) => void) | null} */ onmessage = null;
  /** @type {((event: {code: number, reason: string}) => void) | null} */ onclose = null;
  readyState = CONNECTING;
  /** Bytes that have not left. */
  bufferedAmount = 0;
  protocol = '';
  #opening = new AbortController();
  /** @type {any} */
  #reader;
  /** @type {any} */
  #writer;
  /** Settles when all that was sent has left. @type {Promise<void>} */
  #left = Promise.resolve();
  #isPaused = false;
  #isReading = false;

  /** @param {string} url @param {string[]} protocols */
  constructor(url, protocols) {
    const { WebSocketStream } = /** @type {any} */ (globalThis);
    this.stream = new WebSocketStream(url, { protocols, signal: this.#opening.signal });
    this.url = this.stream.url;
    this.stream.opened.then(
      (/** @type {any} */ connection) => this.#opened(connection),
      () => {},
    );
    this.stream.closed.then(
      () => {
        this.readyState = CLOSED; // what has come may still be read
      },
      (/** @type {any} */ { closeCode = 1006, reason = '' }) => this.#closed(closeCode, reason),
    );
  }

  /** @param {{readable: ReadableStream, writable: WritableStream, protocol: string}} connection */
  #opened({ readable, writable, protocol }) {
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    this.protocol = protocol;
    this.readyState = OPEN;
    this.onopen?.({}); // who pauses it by then reads nothing
    if (!this.#isPaused) this.resume();
  }

  /** @param {number} code @param {string} reason */
  #closed(code, reason) {
    this.readyState = CLOSED;
    this.onclose?.({ code, reason });
  }

  async #read() {
    const broken = { done: true, value: undefined }; // `closed` tells why
    this.#isReading = true;
    while (!this.#isPaused) {
      const { done, value } = await this.#reader.read().catch(() => broken);
      if (done) {
        const end = await this.stream.closed.catch(() => undefined);
        if (end) this.#closed(end.closeCode, end.reason);
        return;
      }
      this.onmessage?.({ data: value });
    }
    this.#isReading = false;
  }

  pause() {
    this.#isPaused = true;
  }

  resume() {
    this.#isPaused = false;
    if (!this.#isReading) this.#read();
  }

  /** @param {Uint8Array} bytes @param {() => void} left */
  send(bytes, left) {
    const settle = () => {
      this.bufferedAmount -= bytes.length;
      left();
    };
    this.bufferedAmount += bytes.length;
    this.#left = this.#writer.write(bytes).then(settle, settle);
  }

  /** @param {number} [closeCode] */
  close(closeCode = 1000) {
    if (this.readyState === CONNECTING) this.#opening.abort();
    else this.#left.then(() => this.stream.close({ closeCode }));
  }
}

/** @type {ReturnType<typeof pausing> | undefined} */
let Connection;

/**
 * What a page opens WebSockets with.
 * @param {Parameters<typeof pausing>[0]} WebSocketConnection
 * @returns {[(address: string, names: string[]) => any, ReturnType<typeof pausing>]}
 */
export function streams(WebSocketConnection) {
  Connection ??= pausing(WebSocketConnection);
  return [(address, names) => new StreamSocket(address, names), Connection];
}
