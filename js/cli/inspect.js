/** `towline inspect`: what a module is, read from the file: nothing of it is run. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { TowlineError } from '../errors.js';
import { describe } from '../trace/describe.js';
import { LIBRARY_EXPORTS } from './exports.js';
import { Failure, fileFailure, parse, UsageError } from './usage.js';

export const summary = 'says what a module has and needs';
export const help = `Usage: towline inspect M.wasm [--json]

Says what is in a module: its ABI version, its protocols, what it can, what it imports, its sizes, and what it lacks
to be a module of Towline. The file is only read; nothing of it is run. Exit code: 0 if it can be loaded, 1 if not.
What counts as a protocol is an export that has a constructor's type: two integers to one.

  --json   the same for programs
`;

const LARGEST = 256 << 20;

/** Who supplies what is imported. @param {string} module */
function supplier(module) {
  if (module === 'towline') return 'Towline';
  if (module === 'wasi_snapshot_preview1') return 'Towline, for what libc asks';
  return 'you: load(url, { imports })';
}

/** @param {string} path */
function read(path) {
  let file;
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // a FIFO would wait for a writer
    const about = fstatSync(file);
    if (about.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    if (!about.isFile()) throw new Failure(`${path}: is no regular file`);
    if (about.size > LARGEST) throw new Failure(`${path}: is larger than ${LARGEST >> 20} MB`);
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw error instanceof Failure ? error : fileFailure(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** All that is said of a module. @param {string} path */
function inspect(path) {
  const bytes = read(path);
  try {
    const { sizes, ...found } = describe(bytes, (name) => LIBRARY_EXPORTS.has(name));
    if (!WebAssembly.validate(/** @type {BufferSource} */ (bytes)))
      throw new Failure('its head is a module, but it is not valid');
    const { file, ...parts } = sizes;
    const gzipped = gzipSync(bytes, { level: 9 }).length;
    return { file: path, ...found, sizes: { file, gzipped, ...parts } };
  } catch (error) {
    if (error instanceof Failure || error instanceof TowlineError)
      throw new Failure(`${path}: ${error.message}`);
    throw error;
  }
}

/** Names are whatever a file says; a terminal is to be shown letters. @param {string} name */
const shown = (name) =>
  /^[\w.$-]+$/.test(name) ? name : JSON.stringify(name).replace(/[^ -~]/g, escaped);

/** @param {string} letter */
const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** @param {string[]} names */
const list = (names) => names.map(shown).join(', ') || 'none';

/** @param {ReturnType<typeof inspect>} found */
function lines({
  file,
  abiVersion,
  protocols,
  functions,
  families,
  imports,
  sizes,
  memory,
  problems,
}) {
  const maximum = memory?.maximum === null ? 'none' : `${memory?.maximum} bytes`;
  const all = [
    ['file', `${file}: ${sizes.file} bytes, ${sizes.gzipped} gzipped`],
    ['code, data', `${sizes.code} bytes, ${sizes.data} bytes; names and the like: ${sizes.custom}`],
    ['memory', memory ? `${memory.initial} bytes at first, maximum: ${maximum}` : 'none'],
    ['ABI version', String(abiVersion ?? 'none')],
    ['protocols', list(protocols)],
    ...(functions.length > 0 ? [['functions', list(functions)]] : []),
    ['it can', list(families)],
    ...Object.entries(imports).map(([module, names]) => [
      'imports',
      `${shown(module)}: ${list(names)}\n${' '.repeat(13)}(from ${supplier(module)})`,
    ]),
    ...problems.map((problem) => ['problem', problem]),
  ];
  return all.map(([what, text]) => `${what.padEnd(13)}${text}\n`).join('');
}

/** @param {string[]} args */
export function run(args) {
  const { values, positionals } = parse({
    args,
    options: { json: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (positionals.length === 0) throw new UsageError('a module is missing: M.wasm');
  if (positionals.length > 1) throw new UsageError('one module at a time');
  const found = inspect(positionals[0]);
  process.stdout.write(values.json ? `${JSON.stringify(found, null, 2)}\n` : lines(found));
  return found.problems.length === 0 ? 0 : 1;
}
