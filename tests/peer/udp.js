/** The peer of an endpoint of datagrams. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { Inbox } from './wires.js';

/** @typedef {import('./doors.js').Door} Door */
/** @typedef {import('./trace.js').Trace} Trace */

/**
 * It answers whoever sent last; a bound endpoint tells where it is before it has sent anything.
 * @param {Trace} trace
 * @param {AbortSignal} signal
 * @param {boolean} isBound
 * @returns {Promise<Door>}
 */
export async function udpDoor(trace, signal, isBound) {
  const socket = dgram.createSocket('udp4');
  const inbox = new Inbox();
  let port = 0;
  socket.on('message', (bytes, from) => {
    port = from.port;
    inbox.push(bytes);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let isOpen = true;
  const close = () => {
    if (isOpen) socket.close();
    isOpen = false;
    inbox.finish('eof');
  };
  /** @type {import('./wires.js').Wire} */
  const wire = {
    hasBoundaries: true,
    read: () => inbox.read(),
    send: (bytes) =>
      new Promise((resolve, reject) => {
        socket.send(bytes, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
      }),
    shutdown: async () => close(),
    close,
    reset: close,
    end: 'open',
  };
  return {
    spec: `udp:127.0.0.1:${socket.address().port}`,
    async wire() {
      if (isBound) port = (await trace.find((line) => 'listening' in line, signal)).listening;
      return wire;
    },
    close: async () => close(),
    refuse: async () => close(),
  };
}
