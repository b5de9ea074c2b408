import { UNSET } from '../connection.js';
import { PEER_SIZE } from '../endpoint.js';
import { TowlineError } from '../errors.js';

/** @typedef {import('../instance.js').Instance} Instance */

/** What is copied into the module without asking it for memory; a text or an answer, too. */
const STAGE_SIZE = 65536;
/** What stands for numbers that C has no room for. */
const MOST = 0x7fffffff;

/** @param {number | undefined} value */
const limit = (value) => (value === undefined ? UNSET : Math.max(-MOST, Math.min(value, MOST)));

/** Calls into wasm/script/script.c, and the values that cross. */
export class ScriptModule {
  /** Once started; before, nothing is called. @protected */
  instance = /** @type {Instance} */ (/** @type {unknown} */ (undefined));
  #stage = 0;
  #isStaged = false;
  #peer = 0;
  #received = new Uint8Array(STAGE_SIZE);

  /** @param {Instance} instance */
  start(instance) {
    this.instance = instance;
    this.#stage = this.allocate(STAGE_SIZE);
    this.#peer = this.allocate(PEER_SIZE);
    instance.call('script_start', instance.loop);
  }

  /** Whether the module is closed, or broken. */
  get dead() {
    return this.instance?.dead !== undefined;
  }

  close() {
    return this.instance.close();
  }

  // ---- Calls ----

  /** 0 when the module is gone. @param {string} name @param {...number} values @returns {number} */
  call(name, ...values) {
    return this.dead ? 0 : this.instance.call(name, ...values);
  }

  /** Throws what a call has answered, if it is an error. @param {string} what @param {number} answer */
  check(what, answer) {
    if (answer >= 0) return answer;
    const { memory } = this.instance;
    const name = memory.string(this.call('tow_error_name', answer));
    const text = memory.string(this.call('tow_error_text', answer));
    throw new TowlineError(
      name,
      text.startsWith(what.slice(0, -2)) ? text : `${what}: ${text || name}`,
    );
  }

  /** @param {number} size */
  allocate(size) {
    return this.instance.allocate(size);
  }

  /** @param {number} address */
  free(address) {
    if (address !== 0) this.call('tow_loop_free', this.instance.loop, address);
  }

  /**
   * A copy of bytes in the module, one piece after another, for the length of a call.
   * @param {Uint8Array[]} pieces
   * @param {(address: number, size: number) => number} use
   */
  #lend(pieces, use) {
    const { buffer } = this.bytes(0, 0);
    const [first] = pieces;
    // What a callback was given lies there already; a view of it would be emptied if the memory grew.
    if (pieces.length === 1 && first.buffer === buffer) return use(first.byteOffset, first.length);
    let size = 0;
    for (const { length } of pieces) size += length;
    if (size > STAGE_SIZE)
      pieces = pieces.map((piece) => (piece.buffer === buffer ? piece.slice() : piece));
    const isStaged = !this.#isStaged && size <= STAGE_SIZE;
    const address = isStaged ? this.#stage : this.allocate(size);
    this.#isStaged ||= isStaged;
    try {
      const copy = this.bytes(address, size);
      let at = 0;
      for (const piece of pieces) {
        copy.set(piece, at);
        at += piece.length;
      }
      return use(address, size);
    } finally {
      if (isStaged) this.#isStaged = false;
      else this.free(address);
    }
  }

  /**
   * @param {string} name of an export: (transport, data, size, ...)
   * @param {number} transport
   * @param {Uint8Array[]} pieces
   * @param {...number} values
   */
  send(name, transport, pieces, ...values) {
    if (this.dead) return;
    const answer = this.#lend(pieces, (address, size) =>
      this.call(name, transport, address, size, ...values),
    );
    this.check(name === 'tow_transport_write' ? 'write()' : 'sendto()', answer);
  }

  /** @param {number} transport @param {Uint8Array} bytes @param {string} [peer] */
  sendto(transport, bytes, peer) {
    const isDropped = this.dead || this.call('tow_transport_is_closing', transport) !== 0; // [D4]
    if (isDropped) return;
    if (peer === undefined) return this.send('tow_transport_sendto', transport, [bytes], 0);
    const text = this.instance.text(peer);
    this.check('sendto()', this.call('tow_transport_parse_peer', transport, text, this.#peer));
    this.send('tow_transport_sendto', transport, [bytes], this.#peer);
  }

  /** @param {number} transport @param {number} code @param {string} reason */
  reset(transport, code, reason) {
    if (!this.dead) this.call('tow_framing_reset', transport, code, this.instance.text(reason));
  }

  /** @param {number} transport @param {number} [high] @param {number} [low] */
  setLimits(transport, high, low) {
    const name = 'tow_transport_set_write_buffer_limits';
    this.check('setWriteBufferLimits()', this.call(name, transport, limit(high), limit(low)));
  }

  /** @param {number} transport */
  limits(transport) {
    const { scratch, memory } = this.instance;
    this.call('tow_transport_get_write_buffer_limits', transport, scratch, scratch + 4);
    return { low: memory.word(scratch), high: memory.word(scratch + 4) };
  }

  /** @param {number} transport @param {string} name */
  extraInfo(transport, name) {
    if (this.dead) return undefined;
    const text = this.instance.text(name);
    return this.#answer((stage) =>
      this.call('tow_transport_get_extra_info', transport, text, stage, STAGE_SIZE),
    );
  }

  /** A `tow_peer` as text. @param {number} transport @param {number} peer */
  peer(transport, peer) {
    return this.#answer((stage) =>
      this.call('tow_transport_format_peer', transport, peer, stage, STAGE_SIZE),
    );
  }

  /** The text of a call as snprintf; undefined for an error. @param {(stage: number) => number} call */
  #answer(call) {
    const length = call(this.#stage);
    if (length < 0) return undefined;
    return this.instance.memory.string(this.#stage, Math.min(length, STAGE_SIZE - 1));
  }

  /** @param {number} transport */
  returncode(transport) {
    const { scratch, memory } = this.instance;
    const hasEnded = this.call('tow_transport_get_returncode', transport, scratch) !== 0;
    return hasEnded ? memory.word(scratch) | 0 : null;
  }

  // ---- Values that cross ----

  /**
   * What a callback is given: a copy in memory that never moves, for the module's may grow while the callback runs, and that
   * would empty every view of it. The next one goes to the same place.
   * @param {number} address
   * @param {number} size
   */
  received(address, size) {
    if (size > this.#received.length) this.#received = new Uint8Array(size);
    this.#received.set(this.bytes(address, size));
    return this.#received.subarray(0, size);
  }

  /** A view. @param {number} address @param {number} size */
  bytes(address, size) {
    return this.instance.memory.bytes(address, size);
  }

  /** @param {number} address @param {...number} words */
  setWords(address, ...words) {
    this.instance.memory.setWords(address, ...words);
  }

  /** @param {number} address */
  string(address) {
    return this.instance.memory.string(address);
  }

  /** Null for a null pointer. @param {number} address */
  error(address) {
    return this.instance.readError(address);
  }
}
