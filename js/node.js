/** Towline in Node: index.js, and what only Node can. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TowlineError } from './errors.js';
import { load as loadOn } from './loader.js';
import { nodeNet } from './transports/node-net.js';
import { nodeWebSocket } from './transports/node-websocket.js';

export { TowlineError } from './errors.js';
export { Module, Server, Transport } from './module.js';
export { MemoryNetwork } from './transports/memory.js';

/** @param {string | URL} source an http address, a file: address, or a path */
async function read(source) {
  const text = String(source);
  if (/^https?:/.test(text)) return fetch(source);
  try {
    return await readFile(text.startsWith('file:') ? fileURLToPath(text) : text);
  } catch (error) {
    const { code = 'EIO' } = /** @type {NodeJS.ErrnoException} */ (error);
    throw new TowlineError(code, `${text} cannot be read: ${code}`, { cause: error });
  }
}

const platform = {
  transports: { tcp: nodeNet, unix: nodeNet, ws: nodeWebSocket, wss: nodeWebSocket },
  read,
};

/**
 * Loads a module: from a path, an address, a Response, bytes, or compiled already.
 * @param {import('./loader.js').Source} source
 * @param {import('./loader.js').LoadOptions} [options]
 */
export const load = (source, options) => loadOn(platform, source, options);
