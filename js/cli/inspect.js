/** `towline inspect`: what a module is, read from the file: nothing of it is run. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { ABI_VERSION } from '../loader.js';
import { isConstructor, LIBRARY_EXPORTS } from './exports.js';
import { Failure, fileFailure, parse, UsageError } from './usage.js';
import { WasmFile } from './wasm-file.js';

export const summary = 'says what a module has and needs';
export const help = `Usage: towline inspect M.wasm [--json]

Says what is in a module: its ABI version, its protocols, what it can, what it imports, its sizes, and what it lacks
to be a module of Towline. The file is only read; nothing of it is run. Exit code: 0 if it can be loaded, 1 if not.
What counts as a protocol is an export that has a constructor's type: two integers to one.

  --json   the same for programs
`;

const LARGEST = 256 << 20;
const PAGE = 65536;

/** What a module has if it exports this. */
const FAMILIES = {
  streams: 'tow_wasm_open',
  datagrams: 'tow_host_datagram',
  subprocesses: 'tow_host_exited',
  framing: 'tow_wasm_top',
  timers: 'tow_host_run_timers',
  connects: 'tow_wasm_opened',
  listens: 'tow_wasm_accepted',
  spawns: 'tow_wasm_spawned',
};

/** Without these it is no module of Towline. */
const NEEDED = ['memory', 'tow_abi_version', 'tow_wasm_new_loop', 'tow_host_run_ready'];

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

/** @param {string} path @param {Uint8Array} bytes */
function parsed(path, bytes) {
  try {
    const file = new WasmFile(bytes);
    if (!WebAssembly.validate(/** @type {BufferSource} */ (bytes)))
      throw new Failure('its head is a module, but it is not valid');
    return file;
  } catch (error) {
    if (error instanceof Failure) throw new Failure(`${path}: ${error.message}`);
    throw error;
  }
}

/** @param {WasmFile} file @param {number | undefined} version */
function problemsOf(file, version) {
  const problems = [];
  const missing = NEEDED.filter((name) => !file.exports.has(name));
  if (missing.length > 0)
    problems.push(
      `no module of Towline, or not linked by it: it exports no ${missing.join(', no ')}`,
    );
  if (file.exports.has('tow_abi_version') && version === undefined)
    problems.push('its ABI version is not a constant, so it cannot be read');
  else if (version !== undefined && version !== ABI_VERSION)
    problems.push(`its ABI version is ${version}, and this loader's ${ABI_VERSION}`);
  if (file.memory?.shared) problems.push('its memory is shared');
  for (const { module, name, kind } of file.imports)
    if (kind !== 'function') problems.push(`it imports ${module}.${name}, which is a ${kind}`);
  return problems;
}

/** @param {WasmFile} file */
function importsOf(file) {
  /** @type {Record<string, string[]>} */
  const imports = Object.create(null);
  for (const { module, name } of file.imports) {
    imports[module] ??= [];
    imports[module].push(name);
  }
  return imports;
}

/** All that is said of a module. @param {string} path */
function inspect(path) {
  const bytes = read(path);
  const file = parsed(path, bytes);
  const version = file.constantOf('tow_abi_version');
  const functions = [...file.exports].filter(
    ([name, { kind }]) =>
      kind === 'function' && !LIBRARY_EXPORTS.has(name) && name !== '_initialize',
  );
  const own = functions.map(([name]) => name);
  const protocols = own.filter((name) => !name.startsWith('tow_') && isConstructor(file, name));
  const pages = file.memory;
  return {
    file: path,
    abiVersion: version ?? null,
    protocols,
    functions: own.filter((name) => !protocols.includes(name)),
    families: Object.entries(FAMILIES).flatMap(([family, name]) =>
      file.exports.has(name) ? [family] : [],
    ),
    imports: importsOf(file),
    sizes: {
      file: bytes.length,
      gzipped: gzipSync(bytes, { level: 9 }).length,
      code: file.codeSize,
      data: file.dataSize,
      custom: file.customSize,
    },
    memory: pages && {
      initial: pages.initial * PAGE,
      maximum: pages.maximum === null ? null : pages.maximum * PAGE,
    },
    problems: problemsOf(file, version),
  };
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
