/** Towline in Node: index.js, and what only Node can. */
import { load as loadOn } from './loader.js';
import { platform } from './node-platform.js';
import { BaseLoop } from './protocols/loop.js';

export { TowlineError } from './errors.js';
export { Transport } from './module.js';
export { NodeModule as Module } from './node-module.js';
export * from './protocols/index.js';
export { Server } from './server.js';
export { MemoryNetwork } from './transports/memory.js';

/**
 * Loads a module: from a path, an address, a Response, bytes, or compiled already.
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

  /**
   * A transport on a descriptor, of a pipe, FIFO, socket or terminal, to read from it only: as NodeModule's.
   * @template {import('./protocols/protocol.js').AnyStreamProtocol} P
   * @param {number} fd
   * @param {() => P} factory
   * @param {import('./protocols/loop.js').Options} [options]
   * @returns {Promise<{transport: import('./protocols/transport.js').StreamTransport, protocol: P}>}
   */
  connectReadPipe(fd, factory, options) {
    return this.open('readPipe', `fd:${fd}`, factory, options);
  }

  /**
   * The same to write to it only.
   * @template {import('./protocols/protocol.js').AnyStreamProtocol} P
   * @param {number} fd
   * @param {() => P} factory
   * @param {import('./protocols/loop.js').Options} [options]
   * @returns {Promise<{transport: import('./protocols/transport.js').StreamTransport, protocol: P}>}
   */
  connectWritePipe(fd, factory, options) {
    return this.open('writePipe', `fd:${fd}`, factory, options);
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
/** {@link Loop.connectReadPipe} of `loop`. @type {Loop['connectReadPipe']} */
export const connectReadPipe = (...values) => loop.connectReadPipe(...values);
/** {@link Loop.connectWritePipe} of `loop`. @type {Loop['connectWritePipe']} */
export const connectWritePipe = (...values) => loop.connectWritePipe(...values);
