/**
 * A module's table of functions, opened. Modules keep theirs to themselves, and its size fixed: the file is changed, before
 * it is compiled, so far that callbacks can be put there.
 */
import { TowlineError } from '../errors.js';

export const TABLE_EXPORT = '__indirect_function_table';

const TABLE = 4;
const EXPORT = 7;

/** A LEB128 number. @param {number} value */
export function number(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  return [...bytes, value];
}

/** @param {Uint8Array} bytes @param {number} at @returns {[value: number, next: number]} */
function readNumber(bytes, at) {
  for (let value = 0, scale = 1; at < bytes.length; scale *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at];
  }
  throw new TowlineError('EABI', 'the module is cut short');
}

/** The only table, without a maximum. @param {Uint8Array} section */
function growing(section) {
  const [count, at] = readNumber(section, 0);
  const [minimum] = readNumber(section, at + 2);
  if (count !== 1)
    throw new TowlineError('EABI', 'the module has more than one table of functions');
  return [1, section[at], 0, ...number(minimum)];
}

/** @param {Uint8Array} section */
function exporting(section) {
  const [count, at] = readNumber(section, 0);
  const name = new TextEncoder().encode(TABLE_EXPORT);
  return [...number(count + 1), ...number(name.length), ...name, 1, 0, ...section.subarray(at)];
}

/** @param {(Uint8Array | number[])[]} parts */
function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * The same module, whose table of functions is exported and may grow.
 * @param {Uint8Array} bytes of a module that is valid
 * @param {boolean} isExported already
 */
export function withTable(bytes, isExported) {
  /** @type {(Uint8Array | number[])[]} */
  const parts = [bytes.subarray(0, 8)];
  let hasTable = false;
  for (let at = 8; at < bytes.length; ) {
    const [size, start] = readNumber(bytes, at + 1);
    const section = bytes.subarray(start, start + size);
    const id = bytes[at];
    let changed;
    if (id === TABLE) changed = growing(section);
    if (id === EXPORT && !isExported) changed = exporting(section);
    hasTable ||= id === TABLE;
    if (changed) parts.push([id, ...number(changed.length), ...changed]);
    else parts.push(bytes.subarray(at, start + size));
    at = start + size;
  }
  if (!hasTable)
    throw new TowlineError('EABI', 'the module has no table of functions: it calls no protocol');
  return joined(parts);
}

/** By how many arguments they take. @type {Map<number, WebAssembly.Module>} */
const shells = new Map();

/**
 * A function of ours, as WebAssembly has its own: the module that imports and exports it has nothing else.
 * @param {number} arity how many i32 it takes; it answers one
 * @param {(...values: number[]) => number} body
 */
export function wasmFunction(arity, body) {
  let shell = shells.get(arity);
  if (!shell) {
    const I32 = 0x7f;
    const type = [1, 0x60, arity, ...Array(arity).fill(I32), 1, I32];
    const imported = [1, 1, 0x66, 1, 0x66, 0, 0]; // f.f, of type 0
    const exported = [1, 1, 0x66, 0, 0];
    const sections = [
      [1, type.length, ...type],
      [2, imported.length, ...imported],
      [EXPORT, exported.length, ...exported],
    ];
    shell = new WebAssembly.Module(
      new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]),
    );
    shells.set(arity, shell);
  }
  return new WebAssembly.Instance(shell, { f: { f: body } }).exports.f;
}
