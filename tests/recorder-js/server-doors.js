/** A peer that connects: the system under test serves, and has printed where. */
import { once } from 'node:events';
import net from 'node:net';
import { WebSocket } from 'ws';
import { FramedWire } from '../peer/framing.js';
import { socketWire, webSocketWire } from '../peer/wires.js';

/** @typedef {import('../peer/doors.js').OpenDoor} OpenDoor */
/** @typedef {import('../peer/wires.js').Wire} Wire */

/**
 * @param {string} spec
 * @param {(where: any, signal: AbortSignal) => Promise<{wire: Wire, end: () => void}>} connect
 * @returns {OpenDoor}
 */
const serverDoor = (spec, connect) => async (trace, signal) => {
  let end = () => {};
  return {
    spec,
    async wire() {
      const { listening } = await trace.find((line) => 'listening' in line, signal);
      const connected = await connect(listening, signal);
      end = connected.end;
      return connected.wire;
    },
    close: async () => end(),
  };
};

/** @param {number} port @param {AbortSignal} signal @param {string[]} subprotocols */
async function webSocketTo(port, signal, subprotocols) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, subprotocols, {
    perMessageDeflate: false,
  });
  socket.once('open', () => socket.pause()); // what comes with the handshake, too
  const wire = webSocketWire(socket);
  await once(socket, 'open', { signal });
  return { wire, end: () => socket.terminate() };
}

export const unixServerDoor = serverDoor('listen:unix', async (path, signal) => {
  const socket = net.connect({ path, allowHalfOpen: true });
  const wire = socketWire(socket);
  await once(socket, 'connect', { signal });
  return { wire, end: () => socket.destroy() };
});

export const webSocketServerDoor = serverDoor('listen:ws', (port, signal) =>
  webSocketTo(port, signal, []),
);

export const framedServerDoor = serverDoor('listen:ws', async (port, signal) => {
  const { wire, end } = await webSocketTo(port, signal, ['towline.1']);
  return { wire: new FramedWire(wire), end };
});
