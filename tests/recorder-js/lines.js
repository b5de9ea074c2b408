/** What a trace's lines are made of: payloads, hexadecimal bytes, the names of errors. */

/** The codes that have no errno behind them: they are shown with their prefix, so that nobody takes them for one. */
const own = new Set([
  'EUNKNOWN',
  'ENOTFOUND',
  'ESHUTDOWN',
  'ECALLBACK',
  'EBUFFER',
  'ECLOSED',
  'EADDRESS',
  'ESCHEME',
  'ETRAP',
  'EABI',
]);

/** @param {any} error a TowlineError or null */
export function errorName(error) {
  if (error === null) return null;
  const { code, message } = error;
  if (code === 'EUNKNOWN' && /^E[A-Z0-9]+$/.test(message)) return message; // an errno that has no code of its own
  if (code === undefined) return `${error}`;
  return own.has(code) ? `TOW_${code}` : code;
}

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** @param {Uint8Array} bytes */
export function hexOf(bytes) {
  let text = '';
  for (const byte of bytes) text += digits[byte];
  return text;
}

/** 'data_received' for 'dataReceived'. @param {string} name */
export const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Byte i of a direction's payload, from `offset` on. @param {number} offset @param {number} size */
export function pattern(offset, size) {
  const bytes = new Uint8Array(size);
  for (let at = 0, i = offset; at < size; at++, i++)
    bytes[at] = i * 131 + (i >> 8) * 17 + (i >> 16) * 29 + 7;
  return bytes;
}

/** The payloads of a direction, one after another. */
export class Payloads {
  #offset = 0;

  /** @param {number} size */
  next(size) {
    const bytes = pattern(this.#offset, size);
    this.#offset += size;
    return bytes;
  }

  /** @param {import('../traces/format.js').Line} step */
  of(step) {
    return 'text' in step ? new TextEncoder().encode(step.text) : this.next(step.n);
  }
}
