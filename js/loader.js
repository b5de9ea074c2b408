import { TowlineError, textOf } from './errors.js';
import { towlineImports } from './imports.js';
import { Instance } from './instance.js';
import { Request } from './request.js';

/** @import { Platform } from './platform.js' */

/** TOW_ABI_VERSION of towline.h. */
export const ABI_VERSION = 1;

/**
 * A compiled `WebAssembly.Module`: an object with nothing to tell it by, and a name that only TypeScript's library for
 * browsers has.
 * @typedef {object} CompiledModule
 */

/**
 * Where a module comes from: its address (in Node a path, too), a Response, its bytes, or compiled already.
 * @typedef {string | URL | Response | PromiseLike<Response> | CompiledModule | ArrayBuffer | ArrayBufferView} Source
 */

/**
 * @typedef {object} LoadOptions
 * @property {Record<string, Record<string, Function>>} [imports] what the module imports besides: `{app: {...}}`
 * @property {(error: TowlineError) => void} [onerror] a failure that no call can return: of a callback, or a trap.
 *   Called after the turn; console.error unless given
 * @property {(level: number, message: string) => void} [onlog] 0: debug, 1: warning. Warnings go to console.warn unless
 *   given
 * @property {(text: string, descriptor: number) => void} [stdout] what the module prints
 * @property {Record<string, import('./request.js').Carrier>} [transports] more schemes, or others
 */

/**
 * What few modules import, loaded for those that do.
 * @type {[from: string, file: () => Promise<{imports: (instance: Instance, options: LoadOptions, R: typeof Request) => object}>][]}
 */
const further = [
  ['wasi_snapshot_preview1', () => import('./wasi.js')],
  ['towline', () => import('./endpoint-imports.js')],
  ['towline', () => import('./request-imports.js')],
];

/**
 * @param {Source} source
 * @param {Platform<any>} platform
 * @param {import('./memory.js').Memory} memory is told whether it will stay where it is
 * @param {import('./trace/watch.js').Watch} [watch]
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(source, platform, memory, watch) {
  if (!watch && source instanceof WebAssembly.Module) return source;
  let code = /** @type {any} */ (
    await (typeof source === 'string' || source instanceof URL ? platform.read(source) : source)
  );
  if (code instanceof Response) {
    if (!code.ok)
      throw new TowlineError('EIO', `${code.url}: HTTP ${code.status}`, { native: code.status });
    code = await code.arrayBuffer();
  }
  try {
    if (watch) code = watch.rewrite(code);
    const module = await WebAssembly.compile(code);
    memory.growsInPlace = !!platform.growsInPlace?.(code);
    return module;
  } catch (cause) {
    throw new TowlineError('EABI', `not a WebAssembly module: ${textOf(cause)}`, { cause });
  }
}

/**
 * The imports that the module asks for, each from whoever has it.
 * @param {WebAssembly.Module} module
 * @param {Instance} instance
 * @param {LoadOptions} options
 */
async function choose(module, instance, options) {
  const theirs = options.imports;
  /** @type {Record<string, Record<string, Function>>} */
  const supply = {
    ...theirs,
    env: { emscripten_notify_memory_growth() {}, ...theirs?.env },
    towline: towlineImports(instance, options.onlog),
    wasi_snapshot_preview1: {},
  };
  const asked = WebAssembly.Module.imports(module);
  for (const [from, file] of further)
    if (asked.some(({ module, name }) => module === from && !supply[from][name]))
      Object.assign(supply[from], (await file()).imports(instance, options, Request));

  /** @type {Record<string, Record<string, any>>} */
  const imports = {};
  for (const { module: from, name } of asked) {
    const value = supply[from]?.[name];
    if (!value)
      throw new TowlineError('EABI', `the module imports ${from}.${name}, which nobody supplies`);
    imports[from] ??= {};
    imports[from][name] = value;
  }
  return imports;
}

/** @param {WebAssembly.Module} module @param {WebAssembly.Imports} imports */
async function begin(module, imports) {
  try {
    const { exports } = await WebAssembly.instantiate(module, imports);
    const version = /** @type {Function} */ (exports.tow_abi_version)();
    if (version === ABI_VERSION) return exports;
    throw new Error(`it is of ABI version ${version}, this loader of ${ABI_VERSION}`);
  } catch (cause) {
    throw new TowlineError('EABI', `the module does not start: ${textOf(cause)}`, { cause });
  }
}

/**
 * @internal
 * @template M
 * @param {Platform<M>} platform
 * @param {Source} source
 * @param {LoadOptions & {watch?: import('./trace/watch.js').Watch}} [options] `watch`: that of towline/trace
 * @returns {Promise<M>}
 */
export async function load(platform, source, options = {}) {
  const { watch, transports, onerror = (error) => console.error(error) } = options;
  const carriers = Object.assign(Object.create(null), platform.transports, transports);
  const instance = new Instance({ onerror, carriers });
  const module = await compile(source, platform, instance.memory, watch);
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  for (const name of ['memory', 'tow_abi_version'])
    if (!names.includes(name))
      throw new TowlineError('EABI', `not a Towline module: it does not export ${name}`);
  if (names.includes('tow_wasm_top')) await platform.framing?.();
  const exports = await begin(module, await choose(module, instance, options));
  instance.start(watch?.wrap(exports) ?? exports);
  return new platform.Module(instance);
}
