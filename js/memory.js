import { TowlineError } from './errors.js';

const decoder = new TextDecoder();
/** @internal */
export const encoder = new TextEncoder();

/**
 * A module's memory: the only place where views on it are made, and where what comes out of the module is checked (rule
 * H5). A view is good until the next call into the module, which may grow the memory; only a loan lives longer.
 */
export class Memory {
  u8 = new Uint8Array(0);
  u32 = new Uint32Array(0);
  /** Whether the memory has a maximum, so that its bytes never move. @internal */
  growsInPlace = false;
  /** @type {WebAssembly.Memory | undefined} */
  #memory;

  /** @internal @param {WebAssembly.Memory} memory */
  attach(memory) {
    this.#memory = memory;
  }

  /** The views, made again if the memory has grown: that leaves those on it before with no length. */
  #refresh() {
    if (this.u8.length > 0) return;
    this.u8 = new Uint8Array(/** @type {any} */ (this.#memory).buffer);
    this.u32 = new Uint32Array(this.u8.buffer);
  }

  /** Whether so many bytes are there. @param {number} address @param {number} size */
  holds(address, size) {
    this.#refresh();
    return (address >>> 0) + (size < 0 ? size >>> 0 : size) <= this.u8.length;
  }

  /** @param {number} address @param {number} size */
  #check(address, size) {
    if (!this.holds(address, size))
      throw new TowlineError(
        'EINVAL',
        `memory outside the module: ${size >>> 0} bytes at ${address >>> 0}`,
      );
  }

  /** A view, good until the module is entered again. @param {number} address @param {number} size */
  bytes(address, size) {
    this.#check(address, size);
    return this.u8.subarray(address >>> 0, (address >>> 0) + (size >>> 0));
  }

  /** A pointer, a size: 32 bits. @param {number} address */
  word(address) {
    this.#check(address, 4);
    return this.u32[address >>> 2];
  }

  /** 32 bits each, one after another. @param {number} address @param {...number} words */
  setWords(address, ...words) {
    this.#check(address, 4 * words.length);
    this.u32.set(words, address >>> 2);
  }

  /**
   * The text at an address; without a size it ends at the first NUL.
   * @param {number} address
   * @param {number} [size]
   */
  string(address, size) {
    this.#refresh();
    const start = address >>> 0;
    return decoder.decode(this.bytes(start, size ?? this.u8.indexOf(0, start) - start)); // no end: larger than memory
  }

  /**
   * As snprintf: fills at most `capacity` bytes, the last one NUL; answers the text's whole length.
   * @param {number} address
   * @param {number} capacity
   * @param {string} text
   */
  setString(address, capacity, text) {
    const bytes = encoder.encode(text);
    if (capacity > 0) {
      this.#check(address, capacity);
      this.setBytes(address, bytes.subarray(0, capacity - 1));
    }
    return bytes.length;
  }

  /** And a NUL behind them. @param {number} address @param {Uint8Array} bytes */
  setBytes(address, bytes) {
    const target = this.bytes(address, bytes.length + 1);
    target.set(bytes);
    target[bytes.length] = 0;
  }

  /**
   * What a `tow_error` says; null for a null pointer.
   * @internal
   * @param {number} address
   * @param {(code: number) => number} nameOf `tow_error_name`
   * @param {string} [where]
   */
  error(address, nameOf, where = '') {
    if (address === 0) return null;
    const name = nameOf(this.word(address) | 0);
    const native = this.word(address + 4) | 0;
    const message = this.string(this.word(address + 8));
    return new TowlineError(name ? this.string(name) : 'EUNKNOWN', where + message, { native });
  }

  /**
   * The bytes of `tow_iovec`s, `limit` at most. They may be a view: who keeps them takes a copy.
   * @internal
   * @param {number} lines
   * @param {number} count
   * @param {number} limit
   */
  gather(lines, count, limit) {
    this.#check(lines, 8 * count);
    const parts = [];
    let size = 0;
    for (let at = lines; at < lines + 8 * count; at += 8) {
      const part = this.bytes(this.word(at), this.word(at + 4)).subarray(
        0,
        Math.max(0, limit - size),
      );
      size += part.length;
      if (part.length > 0) parts.push(part);
    }
    if (parts.length === 1) return parts[0];
    const copy = new Uint8Array(size);
    size = 0;
    for (const part of parts) {
      copy.set(part, size);
      size += part.length;
    }
    return copy;
  }
}
