/** @import { Instance } from './instance.js' */
/** @import { LoadOptions } from './loader.js' */
/** @import { Request } from './request.js' */

/** @type {[from: string, file: () => Promise<{imports: (instance: Instance, options: LoadOptions, R: typeof Request) => object}>][]} */
const files = [
  ['wasi_snapshot_preview1', () => import('./wasi.js')],
  ['env', () => import('./wasi.js')],
  ['towline', () => import('./endpoint-imports.js')],
  ['towline', () => import('./request-imports.js')],
];

/**
 * Adds what few modules import, of the files that this one asks for. (The class of requests is given, so that a page loads
 * it once.)
 * @param {Record<string, Record<string, Function>>} supply
 * @param {WebAssembly.ModuleImportDescriptor[]} asked
 * @param {[Instance, LoadOptions, typeof Request]} values
 */
export async function add(supply, asked, ...values) {
  for (const [from, file] of files)
    if (asked.some(({ module, name }) => module === from && !supply[from]?.[name]))
      supply[from] = { ...(await file()).imports(...values), ...supply[from] };
}
