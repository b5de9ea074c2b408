/** What a user's page downloads: prints the sizes, and fails when one is over its limit. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** @param {string} path from the project's root */
const fromRoot = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** @param {string} entry */
async function bundle(entry) {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: fromRoot('.') },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['browser'],
    target: 'es2022',
  });
  return outputFiles[0].contents;
}

const limits = [
  {
    name: 'wasm, buffered echo (WASI)',
    bytes: await readFile(fromRoot('build/wasi/echo.wasm')),
    limit: 9216,
    zipped: 4608,
  },
  {
    name: 'wasm, buffered echo (Emscripten)',
    bytes: await readFile(fromRoot('build/emscripten/echo.wasm')),
  },
  {
    name: 'JavaScript for a WebSocket connection in the browser',
    bytes: await bundle("export { load } from './js/index.js';"),
    zipped: 8192,
  },
];

for (const { name, bytes, limit = Infinity, zipped = Infinity } of limits) {
  const small = gzipSync(bytes, { level: 9 }).length;
  const isOver = bytes.length > limit || small > zipped;
  console.log(
    `${isOver ? 'OVER ' : ''}${name}: ${bytes.length} bytes${limit < Infinity ? ` of ${limit}` : ''},` +
      ` ${small} gzipped${zipped < Infinity ? ` of ${zipped}` : ''}`,
  );
  if (isOver) process.exitCode = 1;
}
