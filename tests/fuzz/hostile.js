/**
 * A wasm module without code of its own: what it exports are JavaScript's functions, and what it imports from `towline`
 * it exports again, as `towline_NAME`. So a test plays the module: it answers what it likes, and calls the host as it
 * likes, with values of wasm's types, as a module of any language might.
 */
import { readFileSync } from 'node:fs';
import { fromRoot } from '../adapters.js';

const I32 = 0x7f;
const F64 = 0x7c;
const PAGES = 2;
const MOST_PAGES = 4;
const MOST = 9;

/** The imports whose values are not all i32. @type {Record<string, number[]>} */
const FLOATS = { set_timer: [1], ask: [4] };

/** The names of wasm/exports.txt, and what else the loader may ask for. */
export const exported = [
  ...new Set(
    readFileSync(fromRoot('wasm/exports.txt'), 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
      .map((line) => line.split(' ')[0]),
  ),
  'tow_error_from_name',
  'tow_host_connections',
  'constructor',
];

/** The names that wasm/boundary.h imports. */
export const imported = [
  ...readFileSync(fromRoot('wasm/boundary.h'), 'utf8').matchAll(/^TOW_IMPORT\((\w+)\)/gm),
].map(([, name]) => name);

/** @param {number} value @returns {number[]} */
const unsigned = (value) =>
  value < 128 ? [value] : [(value & 127) | 128, ...unsigned(Math.floor(value / 128))];
/** @param {number[][]} items */
const vector = (items) => [...unsigned(items.length), ...items.flat()];
/** @param {string} text */
const name = (text) => vector([...Buffer.from(text)].map((code) => [code]));
/** @param {number} id @param {number[]} content */
const section = (id, content) => [id, ...unsigned(content.length), ...content];
/** @param {number[]} floats */
const type = (floats) => [
  0x60,
  ...vector(Array.from({ length: MOST }, (_, i) => [floats.includes(i) ? F64 : I32])),
  ...vector([[I32]]),
];

/** The module's bytes. */
export function hostileModule() {
  const types = [[], ...Object.values(FLOATS)];
  const typeOf = (/** @type {string} */ own) => Object.keys(FLOATS).indexOf(own) + 1;
  const functions = [
    ...exported.map((own) => ({ from: 'app', own, type: 0, as: own })),
    ...imported.map((own) => ({ from: 'towline', own, type: typeOf(own), as: `towline_${own}` })),
  ];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types.map(type))),
    ...section(
      2,
      vector(
        functions.map((one) => [...name(one.from), ...name(one.own), 0, ...unsigned(one.type)]),
      ),
    ),
    ...section(5, vector([[1, PAGES, MOST_PAGES]])),
    ...section(
      7,
      vector([
        [...name('memory'), 2, 0],
        ...functions.map((one, i) => [...name(one.as), 0, ...unsigned(i)]),
      ]),
    ),
  ]);
}
