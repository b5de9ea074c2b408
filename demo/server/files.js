/** The demo's files over HTTP: the page, what it loads, the C sources that it shows, and nothing else. */
import { createReadStream, realpathSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = realpathSync(fileURLToPath(new URL('../..', import.meta.url)));

/** What may be asked for: the folders, and in them the kinds of files. */
const folders = ['demo', 'js', join('build', 'wasi'), join('build', 'emscripten')];
/** @type {Record<string, string>} */
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};
/** What only the demo's own folder shows. @type {Record<string, string>} */
const sources = { '.c': 'text/plain; charset=utf-8', '.h': 'text/plain; charset=utf-8' };

/** Of what others have made, these files. */
const libraries = [
  'uplot/dist/uPlot.iife.min.js',
  '@xterm/xterm/lib/xterm.mjs',
  '@xterm/xterm/css/xterm.css',
  '@xterm/addon-fit/lib/addon-fit.mjs',
].map((path) => join(root, 'node_modules', ...path.split('/')));

/** What every answer has; with it pages may share memory with their Workers. */
export const headers = {
  'Cache-Control': 'no-cache',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; " +
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

/** @param {string} file */
function typeOf(file) {
  const type = extname(file);
  if (libraries.includes(file)) return types[type];
  const isIn = (/** @type {string} */ folder) => file.startsWith(join(root, folder) + sep);
  if (isIn('demo') && type in sources) return sources[type];
  return folders.some(isIn) ? types[type] : undefined;
}

/**
 * The file that an URL's path names, or null if it is not one of ours. Links are followed before it is looked at, so
 * neither they nor ".." lead out of the folders.
 * @param {string} path
 */
async function find(path) {
  try {
    const file = await realpath(join(root, decodeURIComponent(path)));
    const type = typeOf(file);
    if (type === undefined) return null;
    const { size } = await stat(file);
    return { file, size, type };
  } catch {
    return null;
  }
}

/** @type {import('node:http').RequestListener} */
export async function serveFile(request, response) {
  const path = (request.url ?? '/').split('?')[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  if (path === '/') {
    response.writeHead(302, { Location: '/demo/' }).end();
    return;
  }
  const found = await find(path.endsWith('/') ? `${path}index.html` : path);
  if (!found) {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Not found\n');
    return;
  }
  response.writeHead(200, { ...headers, 'Content-Type': found.type, 'Content-Length': found.size });
  if (request.method === 'HEAD') response.end();
  else
    createReadStream(found.file)
      .on('error', () => response.destroy())
      .pipe(response);
}
