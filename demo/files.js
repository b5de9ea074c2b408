/** The demo's files over HTTP: the page, the JavaScript that it loads, the wasm modules, and nothing else. */
import { createReadStream, realpathSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = realpathSync(fileURLToPath(new URL('..', import.meta.url)));

/** What may be asked for: the folders, and in them the kinds of files. */
const folders = ['demo', 'js', join('build', 'wasi'), join('build', 'emscripten')];
/** @type {Record<string, string>} */
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

const headers = {
  'Cache-Control': 'no-cache',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; base-uri 'none'",
};

/**
 * The file that an URL's path names, or null if it is not one of ours. Links are followed before it is looked at, so
 * neither they nor ".." lead out of the folders.
 * @param {string} path
 */
async function find(path) {
  try {
    const file = await realpath(join(root, decodeURIComponent(path)));
    const inside = folders.some((folder) => file.startsWith(join(root, folder) + sep));
    if (!inside || !(extname(file) in types)) return null;
    const { size } = await stat(file);
    return { file, size, type: types[extname(file)] };
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
