import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { bundle, gzip } from '../sizes.js';
import { judge } from './compare.js';
import { source } from './server.js';

const fromRoot = (/** @type {string} */ path) =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Where `make bench` has npm install. */
const installed = fromRoot('build/bench/');

/** @typedef {{wasm?: Uint8Array, script?: Uint8Array}} Parts */

/** @param {Parts} parts */
function row({ wasm, script }) {
  const wasmGzipped = wasm ? gzip(wasm) : 0;
  const scriptGzipped = script ? gzip(script) : 0;
  return {
    ...(wasm && { wasm: wasm.length, wasmGzipped }),
    ...(script && { script: script.length, scriptGzipped }),
    all: wasmGzipped + scriptGzipped,
  };
}

/**
 * A program by Emscripten, as small as it makes it. Debian's lacks acorn, which npm has.
 * @param {string} name
 * @param {...string} options
 * @returns {Promise<Parts>}
 */
async function emscripten(name, ...options) {
  const folder = await mkdtemp(join(tmpdir(), 'towline-'));
  try {
    const out = join(folder, 'program.js');
    const flags = ['-Oz', '-sENVIRONMENT=web', '-o', out, ...options];
    await promisify(execFile)('emcc', [source(name), ...flags], {
      env: { ...process.env, NODE_PATH: join(installed, 'node_modules') },
    });
    const { outputFiles } = await build({
      entryPoints: [out],
      minify: true,
      write: false,
      logLevel: 'error',
    });
    return { wasm: await readFile(join(folder, 'program.wasm')), script: outputFiles[0].contents };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** llhttp as undici has it: base64 in a script. @returns {Parts} */
function llhttp() {
  const wasm = createRequire(installed)(String('undici/lib/llhttp/llhttp-wasm.js'));
  return { wasm: typeof wasm === 'string' ? Buffer.from(wasm, 'base64') : wasm };
}

/** @type {import('./index.js').Benchmark} */
export default {
  title: 'Size',
  about:
    'Of an echo over a WebSocket in the browser; all minified, and gzipped at level 9. Emscripten’s programs do the same with its ' +
    '`websocket.h` and with its POSIX sockets, and have none of the contract. llhttp is a parser alone.',
  figures: {
    wasm: 'wasm, bytes',
    wasmGzipped: 'gzipped',
    script: 'JavaScript, minified',
    scriptGzipped: 'gzipped',
    all: 'both gzipped',
  },
  seconds: { full: 6, quick: 6, smoke: 1 },
  async run({ mode }, progress) {
    progress('Towline');
    const towline = {
      wasm: await readFile(fromRoot('build/wasi/echo.wasm')),
      script: await bundle('load'),
    };
    /** @type {Record<string, Parts>} */
    const all = { 'Towline, a buffered echo': towline };
    if (mode !== 'smoke') {
      progress('Emscripten, websocket.h');
      all['Emscripten, websocket.h'] = await emscripten('websocket.c', '-lwebsocket.js');
      progress('Emscripten, POSIX sockets');
      all['Emscripten, POSIX sockets'] = await emscripten('sockets.c', '-sASYNCIFY');
      all['llhttp, in undici'] = llhttp();
    }
    /** @type {Record<string, import('./compare.js').Figures>} */
    const subjects = {};
    for (const [name, parts] of Object.entries(all)) subjects[name] = row(parts);
    const { script, wasm } = towline;
    return [
      {
        title: '',
        subjects,
        judged: [
          judge({ what: 'JavaScript of a WebSocket, minified and gzipped', most: 6 * 1024 }, [
            gzip(script),
          ]),
          judge({ what: 'wasm of a buffered echo', most: 9 * 1024 }, [wasm.length]),
          judge({ what: 'the same, gzipped', most: 4.5 * 1024 }, [gzip(wasm)]),
        ],
      },
    ];
  },
};
