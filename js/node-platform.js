import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TowlineError } from './errors.js';
import { hasMaximum } from './node-memory.js';
import { NodeModule } from './node-module.js';
import { nodeChildProcess } from './transports/node-child-process.js';
import { nodeDgram } from './transports/node-dgram.js';
import { nodeNet } from './transports/node-net.js';
import { nodePipe } from './transports/node-pipe.js';
import { nodeWebSocket } from './transports/node-websocket.js';

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

/** What Node has. */
export const platform = {
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
  macrotask: (/** @type {() => void} */ run) => () => void setImmediate(run),
  growsInPlace: hasMaximum,
};
