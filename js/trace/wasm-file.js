/** What a wasm file says of itself, read without running or compiling it. Every byte of it is hostile. */
import { TowlineError } from '../errors.js';

/** @param {string} message */
const wrong = (message) => new TowlineError('EABI', message);

const KINDS = ['function', 'table', 'memory', 'global', 'tag'];
const [CUSTOM, TYPE, IMPORT, FUNCTION, MEMORY, GLOBAL, EXPORT, CODE, DATA] = [
  0, 1, 2, 3, 5, 6, 7, 10, 11,
];
const [I32_CONST, END] = [0x41, 0x0b];
const FUNCTION_TYPE = 0x60;
const VALUES = /** @type {Record<number, string>} */ ({
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
});

/** Reads a part of the file from its beginning; whoever reads over its end is told so. */
class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get more() {
    return this.at < this.bytes.length;
  }

  byte() {
    if (!this.more) throw wrong('the file is cut short');
    return this.bytes[this.at++];
  }

  /** A LEB128 number of at most 64 bits; as a double, which is exact for all that a file can hold. */
  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale > 2 ** 62) throw wrong('a number has no end');
    }
  }

  /** A signed one of 32 bits. */
  signed() {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return shift < 28 && byte & 64 ? value | (-1 << (shift + 7)) : value;
    }
    throw wrong('a number has no end');
  }

  /** The next so many bytes. @param {number} size */
  part(size) {
    if (size > this.bytes.length - this.at) throw wrong('the file is cut short');
    const part = this.bytes.subarray(this.at, this.at + size);
    this.at += size;
    return part;
  }

  name() {
    return new TextDecoder().decode(this.part(this.number()));
  }

  /** A vector: its elements one after another. @template T @param {() => T} element @returns {T[]} */
  vector(element) {
    const count = this.number();
    if (count > this.bytes.length - this.at) throw wrong('the file is cut short');
    return Array.from({ length: count }, element);
  }

  limits() {
    const flags = this.byte();
    const initial = this.number();
    return { initial, maximum: flags & 1 ? this.number() : null, shared: (flags & 2) !== 0 };
  }
}

/** @typedef {{parameters: string[], results: string[]}} Type */
/** @typedef {ReturnType<Reader['limits']>} Limits in pages of 64 KiB */

export class WasmFile {
  /** @type {Type[]} */
  #types = [];
  /** Of each function, the imported ones first, its type. @type {number[]} */
  #functions = [];
  /** @type {Uint8Array[]} */
  #bodies = [];
  /** The section as it stands: at first, a vector of none. @type {Uint8Array} */
  #globals = new Uint8Array(1);
  /** @type {{module: string, name: string, kind: string}[]} */
  imports = [];
  /** @type {Map<string, {kind: string, index: number}>} */
  exports = new Map();
  /** @type {Limits | null} */
  memory = null;
  /** The sizes of sections, in bytes. */
  codeSize = 0;
  dataSize = 0;
  customSize = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    checkHead(bytes);
    const file = new Reader(bytes.subarray(8));
    while (file.more) {
      const id = file.byte();
      this.#section(id, new Reader(file.part(file.number())));
    }
    this.#importedFunctions = this.#functions.length - this.#bodies.length;
  }

  #importedFunctions;

  /** @param {number} id @param {Reader} section */
  #section(id, section) {
    const { length } = section.bytes;
    if (id === CUSTOM) this.customSize += length;
    else if (id === TYPE) this.#types = section.vector(() => type(section));
    else if (id === IMPORT) section.vector(() => this.#import(section));
    else if (id === FUNCTION) this.#functions.push(...section.vector(() => section.number()));
    else if (id === MEMORY) [this.memory = null] = section.vector(() => section.limits());
    else if (id === GLOBAL) this.#globals = section.bytes;
    else if (id === EXPORT) section.vector(() => this.#export(section));
    else if (id === DATA) this.dataSize = length;
    else if (id === CODE) {
      this.codeSize = length;
      this.#bodies = section.vector(() => section.part(section.number()));
    }
  }

  /** @param {Reader} section */
  #import(section) {
    const [module, name, kind] = [section.name(), section.name(), section.byte()];
    this.imports.push({ module, name, kind: KINDS[kind] ?? 'thing' });
    if (kind === 0) this.#functions.push(section.number());
    else if (kind === 1) {
      section.byte();
      section.limits();
    } else if (kind === 2) this.memory = section.limits();
    else {
      section.byte();
      section.byte();
    }
  }

  /** @param {Reader} section */
  #export(section) {
    const [name, kind, index] = [section.name(), section.byte(), section.number()];
    this.exports.set(name, { kind: KINDS[kind] ?? 'thing', index });
  }

  /** The type of an exported function. @param {string} name @returns {Type | undefined} */
  typeOf(name) {
    const { kind, index } = this.exports.get(name) ?? { kind: '', index: -1 };
    return kind === 'function' ? this.#types[this.#functions[index]] : undefined;
  }

  /** Whether an export could be a constructor: `tow_protocol *NAME(tow_loop *, void *)`. @param {string} name */
  isConstructor(name) {
    const type = this.typeOf(name);
    return String(type?.parameters) === 'i32,i32' && String(type?.results) === 'i32';
  }

  /** What an exported function answers, if it does nothing else than answering a constant. @param {string} name */
  constantOf(name) {
    const { kind, index } = this.exports.get(name) ?? { kind: '', index: -1 };
    const body = kind === 'function' && this.#bodies[index - this.#importedFunctions];
    if (!body) return undefined;
    const code = new Reader(body);
    if (code.number() !== 0 || code.byte() !== I32_CONST) return undefined;
    const value = code.signed();
    return code.byte() === END && !code.more ? value : undefined;
  }

  /** What an exported global begins as, if all of them are i32, as those of wasm-ld. @param {string} name */
  globalOf(name) {
    const section = new Reader(this.#globals);
    const values = section.vector(() => {
      section.part(2); // its type, and whether it varies
      const isConstant = section.byte() === I32_CONST;
      const value = section.signed();
      return section.byte() === END && isConstant ? value : undefined;
    });
    return values[this.exports.get(name)?.index ?? -1];
  }
}

/** @param {Uint8Array} bytes */
function checkHead(bytes) {
  if (bytes.length === 0) throw wrong('the file is empty');
  const [head, version] = [bytes.subarray(0, 4), bytes.subarray(4, 8)];
  if (head.join() !== '0,97,115,109') throw wrong('not a wasm file');
  if (version.length < 4) throw wrong('the file is cut short');
  if (version[2] === 1) throw wrong('a wasm component, not a module');
  if (version.join() !== '1,0,0,0') throw wrong('a wasm file of an unknown version');
}

/** @param {Reader} section @returns {Type} */
function type(section) {
  if (section.byte() !== FUNCTION_TYPE) throw wrong('a type that is no function: not for Towline');
  const values = () => section.vector(() => VALUES[section.byte()] ?? 'other');
  return { parameters: values(), results: values() };
}
