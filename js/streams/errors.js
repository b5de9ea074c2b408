import { TowlineError } from '../errors.js';

/** The stream ended before all was there that was asked for: asyncio.IncompleteReadError. */
export class IncompleteReadError extends TowlineError {
  /**
   * @param {Uint8Array} partial
   * @param {number | null} expected
   */
  constructor(partial, expected) {
    const wanted = expected === null ? 'before the separator' : `of ${expected} expected`;
    super('ECLOSED', `the stream ended: ${partial.length} bytes read ${wanted}`);
    this.name = 'IncompleteReadError';
    /** What was there. */
    this.partial = partial;
    /** How many bytes were asked for; null: up to a separator. */
    this.expected = expected;
  }
}

/** There is no separator within the limit: asyncio.LimitOverrunError. */
export class LimitOverrunError extends TowlineError {
  /**
   * @param {string} message
   * @param {number} consumed
   */
  constructor(message, consumed) {
    super('EOVERFLOW', message);
    this.name = 'LimitOverrunError';
    /** How many bytes may be read without reading a separator, or a part of one. */
    this.consumed = consumed;
  }
}
