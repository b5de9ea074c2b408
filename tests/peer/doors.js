/** Where the system under test finds its peer: for each transport, something that listens, or connects. */
import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { openChannel } from './data-channel.js';
import { FramedWire } from './framing.js';
import { pipeDoor } from './pipe.js';
import { udpDoor } from './udp.js';
import { webrtcDoor } from './webrtc.js';
import { socketWire, webSocketWire } from './wires.js';

/** @typedef {import('./wires.js').Wire} Wire */
/** @typedef {import('./trace.js').Trace} Trace */

/**
 * What a transport's other end is made of.
 * @typedef {object} Door
 * @property {string} spec where the system under test finds it: tcp:HOST:PORT, framed+tcp:HOST:PORT, unix:PATH,
 * listen:tcp, ws://HOST:PORT, udp:HOST:PORT, fd:N, webrtc-stream:ROOM/PEER, webrtc:ROOM/PEER
 * @property {() => Promise<Wire>} wire the one connection
 * @property {() => Promise<void>} close may be called twice
 * @property {() => Promise<void>} [refuse] leaves an address that nobody listens on
 * @property {() => void} [ignore] lets whoever connects wait
 */

/**
 * @param {net.Server} server
 * @param {net.ListenOptions} where
 * @param {(server: net.Server) => string} spec
 * @returns {Promise<Door>}
 */
async function listening(server, where, spec) {
  /** @type {Set<net.Socket>} */
  const sockets = new Set();
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    sockets.add(socket);
  });
  /** @type {Promise<net.Socket[]>} */
  const connection = once(server, 'connection');
  connection.catch(() => {});
  server.listen(where);
  await once(server, 'listening');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    spec: spec(server),
    wire: async () => socketWire((await connection)[0]),
    close,
    refuse: close,
  };
}

const halfOpen = { allowHalfOpen: true, pauseOnConnect: true };

/** @param {net.Server} server */
const portOf = (server) => /** @type {net.AddressInfo} */ (server.address()).port;

/**
 * @param {(socket: import('ws').WebSocket) => Wire} wireOf
 * @param {(offered: Set<string>) => string | false} [choose] a subprotocol; unless it is said, the first
 * @returns {Promise<Door>}
 */
async function webSocketDoor(wireOf, choose) {
  const http = createServer();
  /** @type {Set<import('node:stream').Duplex>} */
  const sockets = new Set();
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: false,
    handleProtocols: choose,
  });
  http.listen(0, '127.0.0.1');
  /** @type {Promise<import('ws').WebSocket>} */
  const connection = new Promise((resolve) => {
    server.once('connection', (socket) => {
      socket.pause();
      resolve(socket);
    });
  });
  await once(http, 'listening');
  const close = async () => {
    for (const socket of server.clients) socket.terminate();
    for (const socket of sockets) socket.destroy();
    http.closeAllConnections();
    if (http.listening) await new Promise((resolve) => http.close(resolve));
  };
  return {
    spec: `ws://127.0.0.1:${portOf(http)}/`,
    wire: async () => wireOf(await connection),
    close,
    refuse: close,
    ignore() {
      http.removeAllListeners('upgrade');
      http.on('upgrade', (_request, socket) => sockets.add(socket));
    },
  };
}

const tcpDoor = () =>
  listening(
    net.createServer(halfOpen),
    { host: '127.0.0.1', port: 0 },
    (server) => `tcp:127.0.0.1:${portOf(server)}`,
  );

export const doors = {
  tcp: tcpDoor,

  /** @returns {Promise<Door>} */
  async 'framed-tcp'() {
    const door = await tcpDoor();
    const wire = async () => new FramedWire(await door.wire());
    return { ...door, spec: `framed+${door.spec}`, wire };
  },

  async unix() {
    const folder = await mkdtemp(join(tmpdir(), 'towline-'));
    const path = join(folder, 's');
    const door = await listening(net.createServer(halfOpen), { path }, () => `unix:${path}`);
    const close = async () => {
      await door.close();
      await rm(folder, { recursive: true, force: true });
    };
    // A closing server removes its socket: it is to stay, with nobody behind it.
    const refuse = async () => {
      await rename(path, `${path}.kept`);
      await door.close();
      await rename(`${path}.kept`, path);
    };
    return { ...door, close, refuse };
  },

  /** @type {(trace: Trace, signal: AbortSignal) => Promise<Door>} */
  async 'tcp-server'(trace, signal) {
    /** @type {net.Socket | undefined} */
    let socket;
    return {
      spec: 'listen:tcp',
      async wire() {
        const { listening: port } = await trace.find((line) => 'listening' in line, signal);
        socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
        const wire = socketWire(socket);
        await once(socket, 'connect', { signal });
        return wire;
      },
      close: async () => void socket?.destroy(),
    };
  },

  /** @type {(trace: Trace, signal: AbortSignal) => Promise<Door>} */
  udp: (trace, signal) => udpDoor(trace, signal, false),
  /** @type {(trace: Trace, signal: AbortSignal) => Promise<Door>} */
  'udp-bound': (trace, signal) => udpDoor(trace, signal, true),
  /** A child has no peer but the scenario's own program. @returns {Promise<Door>} */
  child: async () => ({
    spec: '',
    wire: () => Promise.reject(new Error('a child has no peer')),
    close: async () => {},
  }),
  pipe_r: () => pipeDoor('pipe_r'),
  pipe_w: () => pipeDoor('pipe_w'),

  ws: () => webSocketDoor(webSocketWire),

  'framed-ws': () =>
    webSocketDoor(
      (socket) => {
        if (socket.protocol !== 'towline.1') throw new Error('Towline framing was not offered');
        return new FramedWire(webSocketWire(socket));
      },
      (offered) => offered.has('towline.1') && 'towline.1',
    ),

  'webrtc-stream': async () => webrtcDoor('webrtc-stream', openChannel),
  'framed-webrtc-stream': async () => webrtcDoor('framed-webrtc-stream', openChannel),
  webrtc: async () => webrtcDoor('webrtc', openChannel),
  'webrtc-bound': async () => webrtcDoor('webrtc-bound', openChannel),
};

/** A transport that a peer can be the other end of. @typedef {keyof typeof doors} Transport */
/** @typedef {(trace: Trace, signal: AbortSignal) => Promise<Door>} OpenDoor */
