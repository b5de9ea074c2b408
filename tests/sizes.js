/** How sizes are counted: what a page loads is bundled, minified and gzipped. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** @param {Uint8Array} input */
export const gzip = (input) => execFileSync('gzip', ['-9', '-n', '-c'], { input }).length;

/**
 * What a page loads for a WebSocket connection; where there is WebSocketStream, it loads a further file for that.
 * @param {string} names that it imports
 */
export async function bundle(names) {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { ${names} } from './js/index.js';`,
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    external: ['*/websocket-stream.js'],
    conditions: ['browser'],
    target: 'es2022',
  });
  return outputFiles[0].contents;
}
