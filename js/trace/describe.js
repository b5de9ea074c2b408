/** What a module is, read from its file: nothing of it is run. */
import { ABI_VERSION } from '../loader.js';
import { WasmFile } from './wasm-file.js';

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

/** The exports that have a constructor's type and are not the library's. @param {WasmFile} file */
export const constructorsIn = (file) =>
  [...file.exports.keys()].filter((name) => !name.startsWith('tow_') && file.isConstructor(name));

/**
 * All that is said of a module; a TowlineError if it is no wasm file.
 * @param {Uint8Array} bytes
 * @param {(name: string) => boolean} [isLibrary] whether an export is Towline's own
 */
export function describe(bytes, isLibrary = (name) => name.startsWith('tow_')) {
  const file = new WasmFile(bytes);
  const version = file.constantOf('tow_abi_version');
  const protocols = constructorsIn(file);
  const functions = [...file.exports].flatMap(([name, { kind }]) =>
    kind === 'function' && name !== '_initialize' && !isLibrary(name) && !protocols.includes(name)
      ? [name]
      : [],
  );
  const pages = file.memory;
  return {
    abiVersion: version ?? null,
    protocols,
    functions,
    families: Object.entries(FAMILIES).flatMap(([family, name]) =>
      file.exports.has(name) ? [family] : [],
    ),
    imports: importsOf(file),
    sizes: {
      file: bytes.length,
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
