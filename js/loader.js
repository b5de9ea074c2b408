import { TowlineError } from './errors.js';
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
 * All that a module may import, as far as it asks for it.
 * @param {WebAssembly.Module} module
 * @param {Instance} instance
 * @param {LoadOptions} options
 */
async function choose(module, instance, options) {
  /** @type {Record<string, Record<string, Function>>} */
  const supply = { ...options.imports, towline: towlineImports(instance, options.onlog) };
  const asked = WebAssembly.Module.imports(module);
  if (asked.some(({ module, name }) => !supply[module]?.[name]))
    await (await import('./further-imports.js')).add(supply, asked, instance, options, Request);
  return supply;
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
  const { watch } = options;
  const instance = new Instance(platform, options);
  let code = /** @type {any} */ (
    await (typeof source === 'string' || source instanceof URL ? platform.read(source) : source)
  );
  if (code?.ok) code = await code.arrayBuffer?.();
  /** @type {WebAssembly.Module | undefined} */
  let module;
  /** @type {Record<string, Record<string, Function>> | undefined} */
  let imports;
  try {
    if (watch) code = watch.rewrite(code);
    module = code instanceof WebAssembly.Module ? code : await WebAssembly.compile(code);
    instance.memory.growsInPlace = !!platform.growsInPlace?.(code);
    imports = await choose(module, instance, options);
    const { exports } = await WebAssembly.instantiate(module, imports);
    const version = /** @type {Function} */ (exports.tow_abi_version)();
    if (version !== ABI_VERSION) throw new Error(`ABI version ${version}, not ${ABI_VERSION}`);
    if (exports.tow_wasm_top) await platform.framing?.();
    instance.start(watch?.wrap(exports) ?? exports);
  } catch (cause) {
    throw await import('./diagnosis.js').then(
      ({ diagnose }) => diagnose(TowlineError, cause, code, module, imports),
      () => cause,
    );
  }
  return new platform.Module(instance);
}
