/**
 * The calls of a protocol in a module, as they are made: no module needs to know of it.
 *
 * A protocol begins with the address of a table of its callbacks, each of which is an index into the module's table of
 * functions. So the protocol is given a copy of its table, in which each callback is one of ours that tells of the call and
 * makes it. Modules keep their table of functions to themselves, and its size fixed: the file is changed, before it is
 * compiled, so far that this can be done.
 */
import { Failure } from './usage.js';

/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('./trace.js').Trace} Trace */
/** @typedef {(trace: Trace, instance: Instance, values: number[]) => (string | number)[]} Words what is said of a call */
/** @typedef {{name: string, arity: number, words?: Words}} Callback */

const TABLE_EXPORT = '__indirect_function_table';
const TABLE = 4;
const EXPORT = 7;

// ---- The file ----

/** A LEB128 number. @param {number} value */
function number(value) {
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
  throw new Failure('the module is cut short');
}

/** The only table, without a maximum. @param {Uint8Array} section */
function growing(section) {
  const [count, at] = readNumber(section, 0);
  const [minimum] = readNumber(section, at + 2);
  if (count !== 1) throw new Failure('the module has more than one table of functions');
  return [1, section[at], 0, ...number(minimum)];
}

/** @param {Uint8Array} section */
function exporting(section) {
  const [count, at] = readNumber(section, 0);
  const name = new TextEncoder().encode(TABLE_EXPORT);
  return [...number(count + 1), ...number(name.length), ...name, 1, 0, ...section.subarray(at)];
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
  if (!hasTable) throw new Failure('the module has no table of functions: it calls no protocol');
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}

// ---- The callbacks, as towline.h has them ----

/** @type {(at: number) => Words} */
const bytesAt =
  (at) =>
  (trace, { memory }, values) => [
    ...values.slice(1, at),
    trace.bytes(memory.bytes(values[at], values[at + 1])),
  ];
/** @type {(at: number) => Words} */
const errorAt = (at) => (trace, instance, values) => [
  ...values.slice(1, at),
  trace.error(instance.readError(values[at])),
];

/** @type {Callback[]} */
const BASE = [
  { name: 'CM', arity: 2 },
  { name: 'CL', arity: 2, words: errorAt(1) },
  { name: 'PW', arity: 1 },
  { name: 'RW', arity: 1 },
];
const ER = { name: 'ER', arity: 1 };

/** By `tow_kind`. @type {Record<number, Callback[]>} */
const TABLES = {
  1: [...BASE, ER, { name: 'DR', arity: 3, words: bytesAt(1) }],
  2: [
    ...BASE,
    ER,
    { name: 'GB', arity: 3, words: (_trace, _instance, values) => [values[1]] },
    { name: 'BU', arity: 2, words: filled },
  ],
  3: [
    ...BASE,
    { name: 'DG', arity: 4, words: bytesAt(1) },
    { name: 'EE', arity: 3, words: errorAt(1) },
    { name: 'PJ', arity: 2 },
  ],
  4: [
    ...BASE,
    { name: 'PD', arity: 4, words: bytesAt(2) },
    { name: 'PL', arity: 3, words: errorAt(2) },
    { name: 'PX', arity: 1 },
  ],
};

/** Where the buffers are that protocols have given. @type {WeakMap<Trace, number>} */
const buffers = new WeakMap();

/** @type {Words} */
function filled(trace, { memory }, [, size]) {
  return [trace.bytes(memory.bytes(buffers.get(trace) ?? 0, size))];
}

// ---- The calls ----

/**
 * A function of ours, as WebAssembly has its own: the module that imports and exports it has nothing else.
 * @param {number} arity how many i32 it takes; it answers one
 * @param {(...values: number[]) => number} body
 */
function wasmFunction(arity, body) {
  const I32 = 0x7f;
  const type = [1, 0x60, arity, ...Array(arity).fill(I32), 1, I32];
  const imported = [1, 1, 0x66, 1, 0x66, 0, 0]; // f.f, of type 0
  const exported = [1, 1, 0x66, 0, 0];
  const sections = [
    [1, type.length, ...type],
    [2, imported.length, ...imported],
    [EXPORT, exported.length, ...exported],
  ];
  const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { f: { f: body } });
  return exports.f;
}

/**
 * Has the trace told of each call of a protocol.
 * @param {Instance} instance of a module with its table
 * @param {number} protocol its address
 * @param {Trace} trace
 */
function watch(instance, protocol, trace) {
  const { memory } = instance;
  const functions = /** @type {WebAssembly.Table} */ (
    /** @type {unknown} */ (instance.exports[TABLE_EXPORT])
  );
  const table = memory.word(protocol);
  const size = memory.word(table);
  const copy = instance.call('tow_loop_alloc', instance.loop, size);
  if (copy === 0) throw new Failure('the module is out of memory');
  memory.bytes(copy, size).set(memory.bytes(table, size));
  for (const [i, { name, arity, words }] of (TABLES[memory.word(table + 4)] ?? []).entries()) {
    const at = 8 + 4 * i;
    const index = at + 4 <= size ? memory.word(table + at) : 0;
    if (index === 0) continue;
    const original = functions.get(index);
    const replacement = wasmFunction(arity, (...values) => {
      trace.call(name, ...(words?.(trace, instance, values) ?? []));
      const answer = original(...values);
      if (name === 'GB') buffers.set(trace, memory.word(values[2]));
      return answer;
    });
    memory.setWords(copy + at, functions.grow(1, replacement));
  }
  memory.setWords(protocol, copy);
}

/**
 * Has every protocol that a constructor makes told of. (Where the module puts another in its place, or opens a connection
 * by itself, that one is not.)
 * @param {Instance} instance of a module with its table
 * @param {string} name of the constructor
 * @param {() => Trace} makeTrace one for each
 */
export function watchAll(instance, name, makeTrace) {
  const make = instance.exports[name];
  const watched = (/** @type {number} */ loop, /** @type {number} */ context) => {
    const protocol = make(loop, context);
    if (protocol !== 0) watch(instance, protocol, makeTrace());
    return protocol;
  };
  instance.exports = { ...instance.exports, [name]: watched };
}
