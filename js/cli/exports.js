/** What a module exports, by wasm/exports.txt. */
import { readFileSync } from 'node:fs';
import { ofPackage } from './root.js';

const lines = readFileSync(ofPackage('wasm/exports.txt'), 'utf8')
  .split(/\r?\n/)
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' '));

/** All that the library may export. */
export const LIBRARY_EXPORTS = new Set(lines.map(([name]) => name));

/** The exports of a module that has these symbols and object files linked. @param {Set<string>} linked */
export const exportsOf = (linked) =>
  lines.filter(([, ...needed]) => needed.every((word) => linked.has(word))).map(([name]) => name);

/**
 * The symbols and object files that a link map lists: a line of it ends with a symbol, or with
 * ARCHIVE(OBJECT):(SECTION).
 * @param {string} map
 */
export function linkedIn(map) {
  const words = map.split('\n').flatMap((line) => {
    const last = line.trim().split(/\s+/).at(-1) ?? '';
    return [last, last.split(/[()]/)[1] ?? ''];
  });
  return new Set(words);
}
