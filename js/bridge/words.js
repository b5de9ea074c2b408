/** What a bridge and its clients say to each other beside the bytes: README.md has it for those who write another. */
import { TowlineError } from '../errors.js';

/** @typedef {{code: number, reason: string}} Ending what a RESET, or a WebSocket's close, says */

/** Why a bridge ends a connection: codes of RESET, where there is framing, and else of the WebSocket's close. */
export const UNREACHED = 1014;
export const GOING = 1001;
export const BROKEN = 4001;
export const IDLE = 4002;

/** The subprotocol of datagrams with texts between them: 'open' first, and 'error NAME' of one that failed. */
export const DATAGRAMS = 'towline.datagrams.1';

/** The most that UDP carries. */
export const LONGEST = 65507;

const RESET = 0xe1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A frame of FRAMING.md, which nothing comes after. @param {Ending} ending */
export function resetFrame({ code, reason }) {
  const bytes = encoder.encode(reason).subarray(0, 123);
  return new Uint8Array([RESET, code >> 8, code & 255, bytes.length, ...bytes]);
}

/** What a message says that is such a frame; undefined: it is another. @param {Uint8Array} bytes @returns {Ending | undefined} */
export function readReset(bytes) {
  if (bytes[0] !== RESET || bytes.length < 4) return undefined;
  return {
    code: (bytes[1] << 8) | bytes[2],
    reason: decoder.decode(bytes.subarray(4, 4 + bytes[3])),
  };
}

/** The name of an error that a text begins with; '': none. @param {string} text */
export const nameIn = (text) => /^E[A-Z0-9]{1,31}(?=$|[: ])/.exec(text)?.[0] ?? '';

/**
 * Why a connection was not made, in Towline's words.
 * @param {Ending} ending
 * @returns {[code: string, native: number, message: string]}
 */
export const unopened = ({ code, reason }) => [
  nameIn(reason) || 'ECLOSED',
  code,
  reason || `the bridge closed with code ${code}`,
];

/** In Node, what came in place of a WebSocket; a browser tells nobody. @param {string | undefined} message */
export const isForbidden = (message) => /^Unexpected server response: 40[34]$/.test(message ?? '');

/** @type {[code: string, native: number, message: string]} */
export const FORBIDDEN = ['EACCES', 0, 'the bridge does not allow it'];

/** Clients are told what went wrong, and no address. @param {unknown} error */
export const nameOf = (error) => (error instanceof TowlineError ? error.code : 'EUNKNOWN');
