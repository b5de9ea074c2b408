import net from 'node:net';
import { Listener } from '../listener.js';
import { BACKLOG, hostPort, parseHostPort } from './node-address.js';
import { fromNode } from './node-error.js';
import { Landing, SocketConnection } from './node-socket.js';
import { removeStale } from './node-stale.js';

/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('../request.js').Carrier} Carrier */
/** @typedef {import('../request.js').HostOptions} HostOptions */

/** The longest path of a socket, in bytes, by platform: a longer one would be cut. @type {Record<string, number>} */
const longestPath = { linux: 107, win32: 256 };
const LONGEST_PATH = longestPath[process.platform] ?? 103;

/** 'tcp://[::1]:80' or 'unix:/path', for Node. @param {string} address */
function parse(address) {
  const [, path] = /^unix:(.+)$/s.exec(address) ?? [];
  if (path === undefined) return parseHostPort(address);
  if (path.includes('\0')) throw new Error('a NUL in the path');
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw new Error(`a path of more than ${LONGEST_PATH} bytes`);
  return { path };
}

class NetListener extends Listener {
  /** @param {Instance} instance @param {net.Server} server */
  constructor(instance, server) {
    super(instance);
    this.netServer = server;
  }

  /** @override */
  get address() {
    const name = this.extraInfo('sockname');
    return typeof this.netServer.address() === 'string' ? `unix:${name}` : `tcp://${name}`;
  }

  /** @param {string} name @override */
  extraInfo(name) {
    const where = this.netServer.address();
    if (name !== 'sockname' || !where) return undefined;
    return typeof where === 'string' ? where : hostPort(where.address, where.port);
  }

  /** @override */
  close() {
    this.netServer.close();
  }
}

/** @param {HostOptions} options */
const socketOptions = (options) => ({
  allowHalfOpen: true,
  noDelay: options.nodelay ?? true,
  keepAlive: options.keepalive > 0,
  keepAliveInitialDelay: options.keepalive ?? 0,
});

/** A read of a server's connection after which more is expected, and memory is held for it. */
const MUCH = 16384;

/**
 * The connection of a socket that has come. Node's servers make sockets that cannot be told where to read to, so it is made
 * anew of the same handle; that is not by the book, and where it cannot be done chunks are copied.
 * @param {Instance} instance
 * @param {net.Socket} socket
 */
function connectionOf(instance, socket) {
  if (!instance.memory.growsInPlace || !Landing.mayLoan(socket))
    return new SocketConnection(instance, socket, null);
  const landing = new Landing(instance, MUCH);
  const given = /** @type {any} */ (socket);
  const { onread } = landing;
  const options = { handle: given._handle, onread, pauseOnCreate: true, allowHalfOpen: true };
  const own = new net.Socket(options);
  given._handle = null;
  socket.destroy(); // the server counts it no more
  return new SocketConnection(instance, own, landing);
}

/** @type {Carrier} */
export const nodeNet = {
  connect(request, address, options) {
    const { instance } = request;
    const landing = instance.memory.growsInPlace ? new Landing(instance) : null;
    const socket = net.connect({
      ...parse(address),
      ...socketOptions(options),
      autoSelectFamily: true, // RFC 8305
      ...(landing && { onread: landing.onread }),
    });
    socket.pause();
    const fail = (/** @type {Error} */ error) => {
      const { code, native, message } = fromNode(error);
      request.failed(code, native, message);
    };
    socket.on('error', fail);
    socket.on('connect', () => {
      socket.off('error', fail);
      request.opened(new SocketConnection(instance, socket, landing));
    });
    request.oncancel = () => socket.destroy();
  },

  listen(request, address, options) {
    const { instance } = request;
    const backlog = options.backlog ?? BACKLOG;
    const where = { ...parse(address), backlog, ipv6Only: options.ipv6Only };
    const server = net.createServer({ ...socketOptions(options), pauseOnConnect: true }, (socket) =>
      listener.accepted(connectionOf(instance, socket)),
    );
    const listener = new NetListener(instance, server);
    let isOver = false;
    const abandon = () => {
      isOver = true;
      listener.abandon();
    };
    const fail = (/** @type {Error} */ error) => {
      const { code, native, message } = fromNode(error);
      abandon();
      request.failed(code, native, message);
    };
    request.oncancel = abandon;
    server.once('listening', () => request.opened(listener));
    server.once('error', async (/** @type {NodeJS.ErrnoException} */ error) => {
      server.on('error', fail);
      const mayBeStale = 'path' in where && error.code === 'EADDRINUSE';
      const isFree = mayBeStale && (await removeStale(where.path));
      if (!isFree) fail(error);
      else if (!isOver) server.listen(where);
    });
    server.listen(where);
  },
};
