/** The calls of a protocol, a line each, as they come. */
import { printable } from './text.js';

/** @import { TraceCall } from '../trace/index.js' */

/** Prints the calls of one connection: each line has the milliseconds since connection_made, and a call. */
export class Trace {
  #print;
  #label;
  /** @type {number | undefined} */
  #start;

  /**
   * @param {(line: string) => void} print
   * @param {string} [label] of the connection, where there are several
   */
  constructor(print, label = '') {
    this.#print = print;
    this.#label = label;
  }

  /** @param {TraceCall} call right before it is made */
  call({ name, time, fd, hint, bytes, size, error, peer }) {
    this.#start ??= time;
    const words = [`${(time - this.#start).toFixed(1).padStart(9)} ${this.#label}${name}`];
    if (fd !== undefined) words.push(`${fd}`);
    if (hint !== undefined) words.push(`${hint}`);
    if (bytes) words.push(shown(bytes, size ?? 0));
    if (error !== undefined) words.push(inWords(error));
    if (peer !== undefined) words.push(peer);
    this.#print(words.join(' '));
  }
}

/** How many, and the first of them. @param {Uint8Array} bytes @param {number} size */
function shown(bytes, size) {
  if (bytes.length === 0) return `${size}`;
  let text = '';
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte);
    if (letter === '\\' || letter === '"') text += `\\${letter}`;
    else if (letter >= ' ' && letter <= '~') text += letter;
    else if (letter === '\n') text += '\\n';
    else if (letter === '\r') text += '\\r';
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${size} "${text}"${size > bytes.length ? '...' : ''}`;
}

/** @param {{code: string, native: number, message: string} | null} error */
function inWords(error) {
  if (!error) return 'none';
  const native = error.native ? ` (${error.native})` : '';
  return `${error.code}${native}: ${printable(error.message, 200)}`;
}
