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
 * @param {Source} source
 * @param {Platform<any>} platform
 * @param {import('./trace/watch.js').Watch} [watch]
 * @returns {Promise<{module: WebAssembly.Module, growsInPlace: boolean}>}
 */
async function compile(source, platform, watch) {
  if (!watch && source instanceof WebAssembly.Module)
    return { module: source, growsInPlace: false };
  let code = /** @type {any} */ (
    typeof source === 'string' || source instanceof URL ? await platform.read(source) : await source
  );
  if (code instanceof Response) {
    if (!code.ok)
      throw new TowlineError('EIO', `${code.url}: HTTP ${code.status}`, { native: code.status });
    code = await code.arrayBuffer();
  }
  try {
    if (watch) code = watch.rewrite(code);
    const module = await WebAssembly.compile(code);
    return { module, growsInPlace: platform.growsInPlace?.(code) ?? false };
  } catch (cause) {
    throw new TowlineError('EABI', `not a WebAssembly module: ${textOf(cause)}`, { cause });
  }
}

/**
 * The imports that the module asks for, each from whoever has it. What few modules ask for is loaded for them only.
 * @param {WebAssembly.Module} module
 * @param {Instance} instance
 * @param {LoadOptions} options
 */
async function choose(module, instance, { imports: { env, ...theirs } = {}, onlog, stdout }) {
  /** @type {Record<string, Record<string, Function>>} */
  const supply = {
    ...theirs,
    env: { emscripten_notify_memory_growth() {}, ...env },
    towline: towlineImports(instance, onlog),
    wasi_snapshot_preview1: {},
  };
  const asked = WebAssembly.Module.imports(module);
  const lacks = (/** @type {string} */ from) =>
    asked.some(({ module, name }) => module === from && !supply[from][name]);
  if (lacks('wasi_snapshot_preview1'))
    supply.wasi_snapshot_preview1 = (await import('./wasi.js')).wasiImports(
      instance.memory,
      stdout,
    );
  if (lacks('towline'))
    Object.assign(
      supply.towline,
      (await import('./endpoint-imports.js')).endpointImports(instance),
    );
  if (lacks('towline'))
    Object.assign(
      supply.towline,
      (await import('./request-imports.js')).requestImports(instance, Request),
    );

  /** @type {Record<string, Record<string, any>>} */
  const imports = {};
  for (const { module: from, name } of asked) {
    const value = supply[from]?.[name];
    if (!value)
      throw new TowlineError('EABI', `the module imports ${from}.${name}, which nobody supplies`);
    imports[from] = { ...imports[from], [name]: value };
  }
  return imports;
}

/** @param {WebAssembly.Module} module @param {WebAssembly.Imports} imports */
async function begin(module, imports) {
  try {
    const { exports } = await WebAssembly.instantiate(module, imports);
    return { exports, version: /** @type {Function} */ (exports.tow_abi_version)() };
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
  const { watch } = options;
  const { module, growsInPlace } = await compile(source, platform, watch);
  const { transports, onerror = (error) => console.error(error) } = options;
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  for (const name of ['memory', 'tow_abi_version'])
    if (!names.includes(name))
      throw new TowlineError('EABI', `not a Towline module: it does not export ${name}`);
  const instance = new Instance({ onerror, carriers: { ...platform.transports, ...transports } });
  const { exports, version } = await begin(module, await choose(module, instance, options));
  if (version !== ABI_VERSION)
    throw new TowlineError(
      'EABI',
      `the module is of ABI version ${version}, this loader of ${ABI_VERSION}`,
    );
  instance.start(watch?.wrap(exports) ?? exports, growsInPlace);
  return new platform.Module(instance);
}
