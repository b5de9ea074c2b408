/** Towline in a browser. In Node, package.json's "exports" names node.js instead, which has the same names and more. */
import { load as loadOn } from './loader.js';
import { Module } from './module.js';
import { websocket } from './transports/websocket.js';

export { TowlineError } from './errors.js';
export { Module, Server, Transport } from './module.js';
export { MemoryNetwork } from './transports/memory.js';

const platform = {
  Module,
  transports: { ws: websocket, wss: websocket },
  read: (/** @type {string | URL} */ source) => fetch(source),
};

/**
 * Loads a module: from an address, a Response, bytes, or compiled already.
 * @param {import('./loader.js').Source} source
 * @param {import('./loader.js').LoadOptions} [options]
 */
export const load = (source, options) => loadOn(platform, source, options);
