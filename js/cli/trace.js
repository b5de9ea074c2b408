/** The calls of a protocol, a line each, as they come. */
import { observed } from './observed.js';
import { printable } from './text.js';

/** Callbacks of protocols in JavaScript, by the short names of CONTRACT.md. */
const NAMES = /** @type {const} */ ({
  connectionMade: 'CM',
  connectionLost: 'CL',
  pauseWriting: 'PW',
  resumeWriting: 'RW',
  dataReceived: 'DR',
  eofReceived: 'ER',
  datagramReceived: 'DG',
  errorReceived: 'EE',
  peerJoined: 'PJ',
  pipeDataReceived: 'PD',
  pipeConnectionLost: 'PL',
  processExited: 'PX',
});

/** @typedef {import('../errors.js').TowlineError} TowlineError */

/** The trace of one connection: each line has the milliseconds since connection_made, and a call. */
export class Trace {
  #print;
  #limit;
  #label;
  /** @type {number | undefined} */
  #start;

  /**
   * @param {(line: string) => void} print
   * @param {number} limit bytes that are shown of what comes
   * @param {string} [label] of the connection, where there are several
   */
  constructor(print, limit, label = '') {
    this.#print = print;
    this.#limit = limit;
    this.#label = label;
  }

  /** @param {string} name @param {...(string | number)} words */
  call(name, ...words) {
    const now = performance.now();
    this.#start ??= now;
    const time = (now - this.#start).toFixed(1).padStart(9);
    this.#print([`${time} ${this.#label}${name}`, ...words].join(' '));
  }

  /** How many, and the first of them. @param {Uint8Array} bytes */
  bytes(bytes) {
    const shown = bytes.subarray(0, this.#limit);
    if (shown.length === 0) return `${bytes.length}`;
    let text = '';
    for (const byte of shown) {
      const letter = String.fromCharCode(byte);
      if (letter === '\\' || letter === '"') text += `\\${letter}`;
      else if (letter >= ' ' && letter <= '~') text += letter;
      else if (letter === '\n') text += '\\n';
      else if (letter === '\r') text += '\\r';
      else text += `\\x${byte.toString(16).padStart(2, '0')}`;
    }
    return `${bytes.length} "${text}"${bytes.length > shown.length ? '...' : ''}`;
  }

  /** @param {{code: string, native: number, message: string} | null} error */
  error(error) {
    if (!error) return 'none';
    const native = error.native ? ` (${error.native})` : '';
    return `${error.code}${native}: ${printable(error.message, 200)}`;
  }
}

/**
 * Has the trace told of each call, and then makes it.
 * @template {object} P
 * @param {P} protocol
 * @param {Trace} trace
 * @returns {P}
 */
export function traced(protocol, trace) {
  /** @param {any} value @returns {string | number} */
  const word = (value) => {
    if (value instanceof Uint8Array) return trace.bytes(value);
    if (value === null || value instanceof Error)
      return trace.error(/** @type {TowlineError | null} */ (value));
    return value;
  };
  return observed(protocol, (property, values) => {
    const name = NAMES[/** @type {keyof typeof NAMES} */ (property)];
    if (name) trace.call(name, ...(name === 'CM' ? [] : values.map(word)));
  });
}
