/** The demo's MQTT broker: aedes, reachable over TCP and over WebSockets. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { createWebSocketStream, WebSocketServer } from 'ws';

/** Nobody needs a name here; who gives one must be this. */
export const USER = 'demo';
export const PASSWORD = 'demo';

/** Where its WebSockets are. */
export const MQTT_PATH = '/mqtt';

/** CONNACK's "bad user name or password". */
const BAD_PASSWORD = /** @type {import('aedes').AuthErrorCode} */ (4);

/** @type {import('aedes').AedesOptions['authenticate']} */
const authenticate = (_client, user, password, done) => {
  if (!user || (user === USER && password?.toString() === PASSWORD)) return done(null, true);
  done(Object.assign(new Error('bad user name or password'), { returnCode: BAD_PASSWORD }), null);
};

/**
 * A WebSocket peer that goes away is no news to the demo.
 * @param {import('node:stream').Duplex} stream
 */
const ignoreErrors = (stream) => stream.on('error', () => stream.destroy());

/**
 * @param {import('node:http').Server} http takes WebSockets under MQTT_PATH, subprotocol "mqtt"
 * @param {{ host: string, port: number, fallback?: boolean }} tcp `fallback`: another port if that one is taken
 * @returns {Promise<{ port: number, close: () => Promise<void> }>}
 */
export async function startBroker(http, { host, port, fallback = false }) {
  const broker = await Aedes.createBroker({ authenticate });

  const webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : false),
  });
  http.on('upgrade', (request, socket, head) => {
    if (request.url?.split('?')[0] !== MQTT_PATH) return;
    webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      webSockets.emit('connection', webSocket, request),
    );
  });
  webSockets.on('connection', (socket, request) => {
    if (socket.protocol !== 'mqtt') return socket.close(1002, 'the subprotocol must be mqtt');
    broker.handle(ignoreErrors(createWebSocketStream(socket)), request);
  });

  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    broker.handle(ignoreErrors(socket));
  });
  const close = async () => {
    for (const socket of webSockets.clients) socket.terminate();
    for (const socket of sockets) socket.destroy();
    webSockets.close();
    if (tcp.listening) await new Promise((resolve) => tcp.close(resolve));
    await new Promise((resolve) => broker.close(() => resolve(undefined)));
  };
  try {
    await listen(tcp, { host, port, fallback });
  } catch (error) {
    await close();
    throw error;
  }
  return { port: portOf(tcp), close };
}

/**
 * @param {import('node:net').Server} server
 * @param {{ host: string, port: number, fallback: boolean }} options
 */
export async function listen(server, { host, port, fallback }) {
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    if (!fallback || /** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE')
      throw error;
    await once(server.listen(0, host), 'listening');
  }
}

/** @param {import('node:net').Server} server */
export const portOf = (server) =>
  /** @type {import('node:net').AddressInfo} */ (server.address()).port;
