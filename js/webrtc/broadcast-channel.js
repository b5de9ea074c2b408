import { TowlineError } from '../errors.js';
import { isName, TEXT_LIMIT } from './signalling.js';

/** @typedef {import('./signalling.js').Signalling} Signalling */

/**
 * Signalling between the tabs and workers of one origin; in Node, between the threads of one process. A room is a
 * BroadcastChannel with its name behind a prefix.
 * @param {{prefix?: string}} [options] 'towline:' unless given
 * @returns {(room: string) => Signalling}
 */
export function broadcastChannel({ prefix = 'towline:' } = {}) {
  return (room) => {
    if (!isName(room)) throw new TowlineError('EADDRESS', `not a room: ${room}`);
    const channel = new BroadcastChannel(prefix + room);
    let isOver = false;
    return {
      send(text) {
        if (!isOver) channel.postMessage(text);
      },
      receive(take) {
        channel.onmessage = ({ data }) => {
          if (typeof data === 'string' && data.length <= TEXT_LIMIT) take(data);
        };
      },
      close() {
        isOver = true;
        channel.onmessage = null;
        channel.close();
      },
    };
  };
}
