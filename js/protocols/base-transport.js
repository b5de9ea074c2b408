import { checkInteger, checkNumber, checkObject, checkText } from './checks.js';
import { kindOf, kinds } from './protocol.js';

/** @import { TowlineError } from '../errors.js' */
/** @import { AnyProtocol } from './protocol.js' */
/** @import { Script } from './script.js' */

/**
 * `tow_transport` of towline.h, in camel case. Calls are harmless after connectionLost [L5]; what C answers as an error is
 * thrown.
 */
export class BaseTransport {
  #script;
  /** @type {AnyProtocol | null} */
  #protocol;
  /** @type {(error: TowlineError | null) => void} */
  #lose = () => {};
  /**
   * The protocols that it has had: what stands for them in the module stays until connectionLost [B5].
   * @internal
   * @type {import('./binding.js').Binding[]}
   */
  bindings = [];
  /** In the module. @internal @type {number} */
  address;
  /** Of its protocols' kinds. @internal @type {number} */
  family = kinds.stream;

  /**
   * @internal
   * @param {Script} script
   * @param {number} address in the module
   * @param {AnyProtocol | null} protocol
   */
  constructor(script, address, protocol) {
    this.#script = script;
    this.#protocol = protocol;
    this.address = address;
    /** What connectionLost was told: null after an end that was meant. Never rejects. @type {Promise<TowlineError | null>} */
    this.closed = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  /** @internal @param {TowlineError | null} error */
  lost(error) {
    this.#protocol = null;
    this.#lose(error);
  }

  /**
   * Calls `tow_transport_...` on it: 0 when the module is gone.
   * @internal
   * @protected
   * @param {string} name
   * @param {...number} values
   * @returns {number}
   */
  call(name, ...values) {
    return this.#script.call(`tow_transport_${name}`, this.address, ...values);
  }

  /** @internal @protected */
  get script() {
    return this.#script;
  }

  /** The loop that calls the protocol. */
  get loop() {
    return this.#script.loop;
  }

  /** Sends what is queued, then ends; always later than this call [E4]. */
  close() {
    this.call('close');
  }

  /**
   * Drops what is queued, and ends [E5]. With Towline framing the peer may be told why: its connection_lost has ECONNRESET
   * with this code and reason. Elsewhere there is no saying it; nor anything longer.
   * @param {number} [code] to 65535; from 1000 on they are yours
   * @param {string} [reason] of at most 123 bytes
   */
  abort(code, reason = '') {
    checkText('reason', reason);
    if (code !== undefined) checkInteger('code', code);
    if (code !== undefined) this.#script.reset(this.address, code, reason);
    this.call('abort'); // unless that has done it
  }

  /** Whether `close` or `abort` was called, or it is lost. */
  isClosing() {
    return this.#script.dead || this.call('is_closing') !== 0;
  }

  /**
   * What the host knows of the connection: 'peername', 'sockname', 'url', 'subprotocol' ... [I1]
   * @template {string | undefined} [D=undefined]
   * @param {string} name
   * @param {D} [otherwise]
   * @returns {string | D}
   */
  getExtraInfo(name, otherwise) {
    checkText('name', name);
    return this.#script.extraInfo(this.address, name) ?? /** @type {D} */ (otherwise);
  }

  /**
   * From now on the other protocol is called: no connectionMade, no connectionLost. If writing is paused, the new one hears
   * pauseWriting before anything else [P1, P2].
   * After connectionLost, and on a pipe, it does nothing.
   * @param {AnyProtocol} protocol of the same family: a stream's, an endpoint's, a child's
   */
  setProtocol(protocol) {
    kindOf(protocol, this.family);
    if (!this.#protocol) return;
    this.#script.setProtocol(this, protocol);
    this.#protocol = protocol;
  }

  /** Null after connectionLost, and of a pipe. */
  getProtocol() {
    return this.#protocol;
  }

  /**
   * Bytes; not given: high / 4, 4 * high, or the defaults (high 65,536, low 16,384). May call pauseWriting, never
   * resumeWriting [F1, F3].
   * @param {{high?: number, low?: number}} [limits]
   */
  setWriteBufferLimits(limits = {}) {
    checkObject('limits', limits);
    const { high, low } = limits;
    if (high !== undefined) checkNumber('high', high, 0);
    if (low !== undefined) checkNumber('low', low, 0);
    this.#script.setLimits(this.address, high, low);
  }

  /** @returns {{low: number, high: number}} */
  getWriteBufferLimits() {
    return this.#script.limits(this.address);
  }

  /** What the transport still holds, not what the host has taken; a datagram counts as its length + 8 [F6]. */
  getWriteBufferSize() {
    return this.call('get_write_buffer_size');
  }

  /** Nothing is delivered until resumeReading, not even the end of the stream [R1]. Both may be repeated. */
  pauseReading() {
    this.call('pause_reading');
  }

  /** What was held back is delivered, and reading goes on. */
  resumeReading() {
    this.call('resume_reading');
  }

  /** Not closing, not paused, no end of stream yet. */
  isReading() {
    return this.call('is_reading') !== 0;
  }

  /** As close, for `await using`. */
  async [Symbol.asyncDispose]() {
    this.close();
    await this.closed;
  }
}
