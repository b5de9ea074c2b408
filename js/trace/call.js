/** What is told of the calls of a protocol, whichever language it is written in. */

/**
 * One call of a protocol.
 * @typedef {object} Call
 * @property {string} name by CONTRACT.md: CM, DR, GB, BU, ER, CL, PW, RW, DG, EE, PJ, PD, PL, PX
 * @property {number} time when it was made, by performance.now()
 * @property {number} connection whose: they are counted from 1
 * @property {number} depth how many of the calls that are told of it was made inside
 * @property {number} [size] of the bytes that came; of GB, once it has returned, of the buffer that it gave
 * @property {Uint8Array} [bytes] the first of them: a copy
 * @property {number} [hint] of GB
 * @property {number} [fd] of PD and PL
 * @property {Error & {code: string, native: number} | null} [error] of CL, EE and PL
 * @property {string} [peer] of DG, EE and PJ, where protocols are told of it as a text
 * @property {number} [level] what the write buffer held then, where that can be asked
 * @property {number} [levelAfter] the same, when it had returned
 * @property {number} [duration] milliseconds; undefined until it has returned, or if it never has
 */

/**
 * Who is told, and how much.
 * @typedef {object} Listener
 * @property {(call: Call) => void} [oncall] right before a call is made
 * @property {(call: Call) => void} [onreturn] right after, with what it left behind
 * @property {number} [keep] how many of the bytes that come are copied: 0 unless said
 */

/**
 * Tells a listener; what that throws is reported, and disturbs no protocol.
 * @template T
 * @param {((told: T) => void) | undefined} listener
 * @param {T} what
 */
export function tell(listener, what) {
  try {
    listener?.(what);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** What is told of bytes. @param {Uint8Array} bytes @param {number} [keep] */
export const sizeAndBytes = (bytes, keep = 0) => ({
  size: bytes.length,
  bytes: bytes.slice(0, keep),
});
