/** Towline in Node: index.js, and what only Node can. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TowlineError } from './errors.js';
import { load as loadOn } from './loader.js';
import { NodeModule } from './node-module.js';
import { nodeChildProcess } from './transports/node-child-process.js';
import { nodeDgram } from './transports/node-dgram.js';
import { nodeNet } from './transports/node-net.js';
import { nodePipe } from './transports/node-pipe.js';
import { nodeWebSocket } from './transports/node-websocket.js';

export { TowlineError } from './errors.js';
export { Server, Transport } from './module.js';
export { NodeModule as Module } from './node-module.js';
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
  Module: NodeModule,
  transports: {
    tcp: nodeNet,
    unix: nodeNet,
    ws: nodeWebSocket,
    wss: nodeWebSocket,
    udp: nodeDgram,
    exec: nodeChildProcess,
    fd: nodePipe,
  },
  read,
};

/**
 * Loads a module: from a path, an address, a Response, bytes, or compiled already.
 * @param {import('./loader.js').Source} source
 * @param {import('./loader.js').LoadOptions} [options]
 */
export const load = (source, options) => loadOn(platform, source, options);
