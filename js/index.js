/** Towline in a browser. In Node, package.json's "exports" names node.js instead, which has the same names and more. */
import { load as loadOn } from './loader.js';
import { Module } from './module.js';
import { BaseLoop } from './protocols/loop.js';
import { websocket } from './transports/websocket.js';

export { TowlineError } from './errors.js';
export { Module, Transport } from './module.js';
export * from './protocols/index.js';
export { Server } from './server.js';
export { MemoryNetwork } from './transports/memory.js';

/** @param {() => void} run */
function macrotask(run) {
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = run;
  return () => port1.postMessage(0);
}

const platform = {
  Module,
  transports: { ws: websocket, wss: websocket },
  read: (/** @type {string | URL} */ source) => fetch(source),
  macrotask,
  framing: () => import('./transports/websocket-framing.js'),
};

/**
 * Loads a module: from an address, a Response, bytes, or compiled already.
 * @param {import('./loader.js').Source} source
 * @param {import('./loader.js').LoadOptions} [options]
 */
export const load = (source, options) => loadOn(platform, source, options);

/** A loop of one's own, with other transports or handlers than the page's. */
export class Loop extends BaseLoop {
  /** @param {import('./protocols/loop.js').LoopOptions} [options] */
  constructor(options) {
    super(platform, options);
  }
}

/** The one that these functions use: made on first use. Its `onerror` and `onlog` may be set at any time. */
export const loop = /* @__PURE__ */ new Loop();
/** {@link Loop.connect} of `loop`. @type {Loop['connect']} */
export const connect = (...values) => loop.connect(...values);
/** {@link Loop.listen} of `loop`. @type {Loop['listen']} */
export const listen = (...values) => loop.listen(...values);
/** {@link Loop.datagram} of `loop`. @type {Loop['datagram']} */
export const datagram = (...values) => loop.datagram(...values);
/** {@link Loop.spawn} of `loop`. @type {Loop['spawn']} */
export const spawn = (...values) => loop.spawn(...values);
/** {@link Loop.openConnection} of `loop`. @type {Loop['openConnection']} */
export const openConnection = (...values) => loop.openConnection(...values);
/** {@link Loop.startServer} of `loop`. @type {Loop['startServer']} */
export const startServer = (...values) => loop.startServer(...values);
