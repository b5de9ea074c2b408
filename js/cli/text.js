/** Numbers that are typed, and texts that strangers have written. */
import { UsageError } from './usage.js';

/**
 * Undefined: not given.
 * @param {string} option
 * @param {string | undefined} text
 * @param {number} [scale] what it is multiplied by
 */
export function wholeNumber(option, text, scale = 1) {
  if (text === undefined) return undefined;
  const most = Math.floor((2 ** 31 - 1) / scale);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > most)
    throw new UsageError(`${option} ${text} is no whole number from 0 to ${most}`);
  return value * scale;
}

/**
 * A text without anything that a terminal would do, or that would end the line.
 * @param {string} text
 * @param {number} most characters of it that are shown
 */
export function printable(text, most) {
  const shown = text
    .slice(0, most)
    .replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return text.length > most ? `${shown}...` : shown;
}
