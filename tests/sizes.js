/** How sizes are counted: what a page loads is bundled, minified and gzipped. */
import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** @param {Uint8Array} input */
export const gzip = (input) => execFileSync('gzip', ['-9', '-n', '-c'], { input }).length;

/**
 * A page's script, and what it loads on demand: files by name. `page.js` is what it begins with, and imports no other, but
 * by `import()`.
 * @param {string} names that the page imports
 */
export async function split(names) {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `export { ${names} } from './dist/index.js';`,
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
      sourcefile: 'page.js',
    },
    bundle: true,
    splitting: true,
    metafile: true,
    minify: true,
    write: false,
    outdir: '/',
    entryNames: 'page',
    chunkNames: '[name]',
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    target: 'es2022',
  });
  for (const [path, { imports }] of Object.entries(metafile.outputs))
    for (const { kind, path: imported } of imports)
      if (kind !== 'dynamic-import') throw new Error(`${path} is in two parts: ${imported}`);
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
}

/** What a page loads for a connection of a module that asks for no more than streams. @param {string} names that it imports */
export const bundle = async (names) =>
  /** @type {Uint8Array} */ ((await split(names)).get('page.js'));
