import { isPromise, wrong } from './checks.js';

/** @typedef {import('./protocol.js').AnyProtocol} AnyProtocol */
/** @typedef {import('./script.js').Script} Script */

/** The most that a read may bring at once: TOW_READ_MAX. */
const LARGEST = 262144;

/** A protocol of one transport, and what stands for it in the module. */
export class Binding {
  /** The transport that it was given. @type {import('./base-transport.js').BaseTransport | null} */
  transport = null;
  /** What it has come of; undefined: of setProtocol. @type {import('./script.js').Opening | undefined} */
  opening = undefined;
  /** What getBuffer answered last. @type {Uint8Array} */
  #buffer = new Uint8Array(0);
  /** What is lent in its place, for the host reads into the module's memory only. */
  #stage = 0;
  #room = 0;

  /**
   * @param {Script} script
   * @param {number} address the `tow_protocol`
   * @param {AnyProtocol} protocol
   * @param {number} kind
   */
  constructor(script, address, protocol, kind) {
    this.kind = kind;
    this.script = script;
    this.address = address;
    this.protocol = /** @type {any} */ (protocol);
  }

  /** What is lent for a buffer. @param {Uint8Array} buffer */
  lend(buffer) {
    if (isPromise(buffer)) buffer.then(undefined, () => {}); // told of below
    if (!(buffer instanceof Uint8Array))
      throw wrong("getBuffer()'s answer", 'a Uint8Array', buffer);
    const size = Math.min(buffer.length, LARGEST);
    this.#buffer = buffer;
    if (size > this.#room) {
      this.script.free(this.#stage);
      this.#stage = this.#room = 0;
      this.#stage = this.script.allocate(size);
      this.#room = size;
    }
    return { base: this.#stage, size };
  }

  /** The first `size` bytes of what was lent are there. @param {number} size */
  fill(size) {
    this.#buffer.set(this.script.bytes(this.#stage, size));
  }

  free() {
    this.script.free(this.#stage);
    this.script.free(this.address);
  }
}
