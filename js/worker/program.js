import { TowlineError } from '../errors.js';

/** @import { Source } from '../loader.js' */

/**
 * A program's source is as a module's. An address whose path ends in .js or .mjs is a Worker's script, see module-worker.js;
 * everything else is a WASI command.
 * @typedef {{module: WebAssembly.Module} | {script: string}} Program
 */

const scripts = /\.m?js(?:[?#].*)?$/;

/** Programs, compiled once each. */
export class Programs {
  /** @type {Map<string, Promise<WebAssembly.Module>>} */
  #byAddress = new Map();
  /** @type {WeakMap<object, Promise<WebAssembly.Module>>} */
  #byObject = new WeakMap();

  /**
   * @param {Record<string, Source>} names
   * @param {(address: string) => string} resolve makes an address whole
   * @param {(address: string) => Promise<Response | ArrayBuffer | ArrayBufferView>} read
   */
  constructor(names, resolve, read) {
    this.names = names;
    this.resolve = resolve;
    this.read = read;
  }

  /** @param {string} name @param {Source} [given] @returns {Promise<Program>} */
  async find(name, given) {
    const source = given ?? (Object.hasOwn(this.names, name) ? this.names[name] : name);
    if (typeof source === 'string' || source instanceof URL) {
      const address = this.resolve(String(source));
      if (scripts.test(address)) return { script: address };
      return { module: await this.#once(this.#byAddress, address, () => this.#read(address)) };
    }
    if (source instanceof WebAssembly.Module) return { module: check(source) };
    if (typeof source !== 'object')
      throw new TowlineError('EINVAL', 'a program is an address, bytes, a Response or a module');
    return { module: await this.#once(this.#byObject, source, async () => source) };
  }

  /** @param {string} address */
  async #read(address) {
    try {
      return await this.read(address);
    } catch (cause) {
      if (cause instanceof TowlineError) throw cause;
      throw new TowlineError('EIO', `${address} cannot be fetched: ${cause}`, { cause });
    }
  }

  /**
   * @template K
   * @param {{get(key: K): Promise<WebAssembly.Module> | undefined, set(key: K, value: Promise<WebAssembly.Module>): unknown, delete(key: K): unknown}} cache
   * @param {K} key
   * @param {() => Promise<any>} read
   */
  #once(cache, key, read) {
    const found = cache.get(key);
    if (found) return found;
    const compiled = read().then(compile);
    cache.set(key, compiled);
    compiled.catch(() => cache.delete(key)); // it may be there the next time
    return compiled;
  }
}

/** @param {Response | BufferSource} code */
async function compile(code) {
  let bytes = code;
  if (typeof Response !== 'undefined' && bytes instanceof Response) {
    const { ok, status, url } = bytes;
    const code = status === 404 || status === 410 ? 'ENOENT' : 'EIO';
    if (!ok) throw new TowlineError(code, `${url}: HTTP ${status}`, { native: status });
    bytes = await bytes.arrayBuffer();
  }
  try {
    return check(await WebAssembly.compile(/** @type {BufferSource} */ (bytes)));
  } catch (cause) {
    if (cause instanceof TowlineError) throw cause;
    const text = cause instanceof Error ? cause.message : cause;
    throw new TowlineError('EINVAL', `not a WebAssembly module: ${text}`, { cause });
  }
}

/** Throws what is missing of a WASI command. @param {WebAssembly.Module} module */
function check(module) {
  const exported = (/** @type {string} */ wanted, /** @type {string} */ kind) =>
    WebAssembly.Module.exports(module).some(
      (found) => found.name === wanted && found.kind === kind,
    );
  const foreign = WebAssembly.Module.imports(module).find(
    (wanted) => wanted.module !== 'wasi_snapshot_preview1',
  );
  const why = !exported('_start', 'function')
    ? 'it exports no _start'
    : !exported('memory', 'memory')
      ? 'it exports no memory'
      : foreign && `it imports ${foreign.module}.${foreign.name}`;
  if (why) throw new TowlineError('EINVAL', `not a WASI command: ${why}`);
  return module;
}
