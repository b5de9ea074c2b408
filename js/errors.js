/**
 * What every failure of Towline is, in JavaScript. The names of the codes and their numbers are the module's
 * (`TOW_ERRORS` in towline.h): 'ECONNREFUSED', 'ETIMEDOUT', 'ECLOSED' ... Only two are made where no module can be
 * asked: 'EABI' (it is none) and 'ETRAP' (it is broken).
 */
export class TowlineError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{native?: number, cause?: unknown}} [more]
   */
  constructor(code, message, more = {}) {
    super(message, more);
    this.name = 'TowlineError';
    this.code = code;
    /** What the host calls it: an errno, a WebSocket close code, a callback's return value; or 0. */
    this.native = more.native ?? 0;
  }
}

/** What was thrown, in words. @param {unknown} thrown */
export const textOf = (thrown) => String(/** @type {any} */ (thrown)?.message ?? thrown);
