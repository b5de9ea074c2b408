/** @typedef {typeof import('./errors.js').TowlineError} TowlineError */

/**
 * Why a module was not loaded: this is, once it was not. (The class of errors is given, so that a page loads it once.)
 * @param {TowlineError} TowlineError
 * @param {any} cause
 * @param {unknown} code what came of its source
 * @param {WebAssembly.Module} [module] of that
 * @param {Record<string, Record<string, unknown>>} [supply] what it may import
 */
export function diagnose(TowlineError, cause, code, module, supply) {
  if (cause instanceof TowlineError) return cause;
  if (code instanceof Response) {
    const { url, status } = code;
    return new TowlineError('EIO', `${url}: HTTP ${status}`, { native: status });
  }
  const failure = (/** @type {string} */ text) => new TowlineError('EABI', text, { cause });
  if (!module) return failure(`not a WebAssembly module: ${cause.message}`);

  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  for (const name of ['memory', 'tow_abi_version'])
    if (!names.includes(name)) return failure(`not a Towline module: it does not export ${name}`);

  for (const { module: from, name } of WebAssembly.Module.imports(module))
    if (supply && !supply[from]?.[name])
      return failure(`the module imports ${from}.${name}, which nobody supplies`);
  return failure(`the module does not start: ${cause.message}`);
}
