/** What a user's page downloads: prints the sizes, and fails when one is over its limit. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
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

/**
 * @param {string} name
 * @param {() => Promise<Uint8Array>} read
 * @param {{bytes?: number, gzipped?: number}} limits
 */
const size = (name, read, { bytes: most = Infinity, gzipped: mostGzipped = Infinity }) =>
  test(`size: ${name}`, async (t) => {
    const bytes = await read();
    const gzipped = execFileSync('gzip', ['-9', '-n', '-c'], { input: bytes }).length;
    const of = (/** @type {number} */ limit) => (limit < Infinity ? ` of ${limit}` : '');
    t.diagnostic(`${bytes.length}${of(most)} bytes, ${gzipped}${of(mostGzipped)} gzipped`);
    assert.ok(bytes.length <= most && gzipped <= mostGzipped, 'too large');
  });

/** @param {string} build */
const echo = (build) => () => readFile(fromRoot(`build/${build}/echo.wasm`));

size('wasm for a buffered echo, WASI', echo('wasi'), { bytes: 9216, gzipped: 4608 });
size('wasm for a buffered echo, Emscripten', echo('emscripten'), {});
size(
  'JavaScript for a WebSocket connection in the browser',
  () => bundle("export { load } from './js/index.js';"),
  { gzipped: 8192 },
);
