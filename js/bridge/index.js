/** `towline/bridge` in a page: what a page cannot open itself, through a bridge. In Node, node.js has the bridge, too. */
import { websocket } from '../transports/websocket.js';
import { carriers } from './carriers.js';

/** @typedef {import('./carriers.js').BridgedOptions} BridgedOptions */

/** @type {import('./carriers.js').Opening} */
const opening = {
  connect: /** @type {import('../request.js').Open} */ (websocket.connect),
  find: async ({ WebSocket }) => WebSocket ?? globalThis.WebSocket,
};

/**
 * `load(url, { transports: bridged('wss://gateway.example/') })`: then a protocol that connects to 'tcp://host:port',
 * 'unix:/path' or 'udp://host:port' does so through the bridge that is there, if the bridge allows it.
 * @param {string} gateway
 * @param {import('./carriers.js').BridgedOptions} [options]
 */
export const bridged = (gateway, options = {}) => carriers(opening, gateway, options);
