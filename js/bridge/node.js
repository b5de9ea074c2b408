/** `towline/bridge` in Node: the bridge, and what reaches through one. */
import { nodeWebSocket } from '../transports/node-websocket.js';
import { carriers } from './carriers.js';

/** @typedef {import('./carriers.js').BridgedOptions} BridgedOptions */
/** @typedef {import('./options.js').BridgeOptions} BridgeOptions */
/** @typedef {import('./options.js').Entry} BridgeEntry */

export { Bridge, bridge } from './bridge.js';

/** @type {import('./carriers.js').Opening} */
const opening = {
  connect: /** @type {import('../request.js').Open} */ (nodeWebSocket.connect),
  find: async ({ WebSocket }) =>
    WebSocket ?? globalThis.WebSocket ?? (await import('ws')).WebSocket,
};

/**
 * As in a page: index.js says more.
 * @param {string} gateway
 * @param {import('./carriers.js').BridgedOptions} [options]
 */
export const bridged = (gateway, options = {}) => carriers(opening, gateway, options);
