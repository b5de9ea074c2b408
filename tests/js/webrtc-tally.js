/** Numbered datagrams: which have come, and how. */
import { fillPattern } from './webrtc-player.js';

/** Datagram number `number`: it says so, and the rest follows from it. @param {number} number @param {number} size */
export function numbered(number, size) {
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, number);
  fillPattern(bytes.subarray(4), number);
  return bytes;
}

export class Tally {
  /** @type {Set<number>} */
  #numbers = new Set();
  twice = 0;
  damaged = 0;

  /** @param {Uint8Array} bytes */
  add(bytes) {
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const wanted = numbered(number, bytes.length);
    if (bytes.some((byte, i) => byte !== wanted[i])) this.damaged++;
    if (this.#numbers.has(number)) this.twice++;
    this.#numbers.add(number);
  }

  get result() {
    return { come: this.#numbers.size, twice: this.twice, damaged: this.damaged };
  }
}
