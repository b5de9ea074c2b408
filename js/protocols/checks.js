/**
 * What a caller got wrong is told at once, in the caller's words: a TypeError for what can never be meant, a TowlineError
 * with EINVAL for a number that is out of its range.
 */
import { TowlineError } from '../errors.js';

/** @param {unknown} value as it is shown to who gave it */
function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (isPromise(value)) return 'a promise';
  if (typeof value !== 'object' || value === null) return String(value);
  const { name = 'Object' } = value.constructor ?? {};
  return name === 'Object' ? 'an object' : `a ${name}`;
}

/** @param {unknown} value @returns {value is PromiseLike<unknown>} */
export const isPromise = (value) =>
  typeof value === 'object' &&
  value !== null &&
  'then' in value &&
  typeof value.then === 'function';

/** @param {string} what @param {string} wanted @param {unknown} value */
export const wrong = (what, wanted, value) =>
  new TypeError(`${what} is ${wanted}, not ${shown(value)}`);

/** @param {string} what @param {unknown} value */
export function checkFunction(what, value) {
  if (typeof value !== 'function') throw wrong(what, 'a function', value);
}

/** @param {string} what @param {unknown} value */
export function checkText(what, value) {
  if (typeof value !== 'string') throw wrong(what, 'a string', value);
}

/** @param {string} what @param {unknown} value @param {number} [least] */
export function checkNumber(what, value, least = Number.NEGATIVE_INFINITY) {
  if (typeof value !== 'number') throw wrong(what, 'a number', value);
  if (!(value >= least))
    throw new TowlineError('EINVAL', `${what} is ${value}, which is no number from ${least} on`);
}

/** @param {string} what @param {unknown} value @param {number} [least] */
export function checkInteger(what, value, least) {
  checkNumber(what, value, least);
  if (!Number.isInteger(value)) throw new TowlineError('EINVAL', `${what} is not a whole number`);
}

/** @template T @param {string} what @param {T} value @returns {T} */
export function checkObject(what, value) {
  if (typeof value !== 'object' || value === null) throw wrong(what, 'an object', value);
  return value;
}

/** @param {unknown} value nothing, or an AbortSignal */
export function checkSignal(value) {
  if (value === undefined) return;
  const { aborted, addEventListener } = Object(value);
  if (typeof aborted !== 'boolean' || typeof addEventListener !== 'function')
    throw wrong('signal', 'an AbortSignal', value);
}

/** @param {unknown} address @returns {string} */
export function checkAddress(address) {
  if (address instanceof URL) return address.href;
  checkText('the address', address);
  return /** @type {string} */ (address);
}
