/** Bytes that wait to be read: they are added at one end and taken from the other. */
export class ByteBuffer {
  #bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;

  get length() {
    return this.#end - this.#start;
  }

  /** Copies them. @param {Uint8Array} bytes */
  add(bytes) {
    const size = this.length + bytes.length;
    if (this.#end + bytes.length > this.#bytes.length) {
      const roomy = size * 2 <= this.#bytes.length;
      const target = roomy ? this.#bytes : new Uint8Array(Math.max(4096, size * 2));
      target.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = target;
      this.#end -= this.#start;
      this.#start = 0;
    }
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** A copy of the first `size` bytes, which are gone then. @param {number} [size] */
  take(size = this.length) {
    const taken = this.#bytes.slice(this.#start, this.#start + size);
    this.drop(size);
    return taken;
  }

  /** @param {number} size */
  drop(size) {
    this.#start += size;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  /** Where these bytes begin, at `from` or later; -1: nowhere. @param {Uint8Array} sought @param {number} from */
  indexOf(sought, from) {
    const bytes = this.#bytes.subarray(this.#start, this.#end);
    for (let at = bytes.indexOf(sought[0], from); at >= 0; at = bytes.indexOf(sought[0], at + 1)) {
      if (at + sought.length > bytes.length) return -1;
      if (sought.every((byte, i) => bytes[at + i] === byte)) return at;
    }
    return -1;
  }
}
