import { Listener } from '../listener.js';
import { hostPort } from './node-address.js';
import { fromNode } from './node-error.js';
import { opening, subprotocolsOf, WebSocketConnection } from './websocket.js';

/** @typedef {import('../request.js').HostOptions} HostOptions */
/** @typedef {import('../request.js').Carrier} Carrier */

/** A WebSocket of the package `ws`: it tells when bytes have left, and why it failed. */
class NodeWebSocketConnection extends WebSocketConnection {
  /** @type {any} */
  #error;
  #sending = 0;

  /**
   * @param {import('../instance.js').Instance} instance
   * @param {any} socket
   * @param {HostOptions} options
   */
  constructor(instance, socket, options) {
    super(instance, socket, options);
    socket.binaryType = 'nodebuffer';
    socket.onerror = (/** @type {{error: any}} */ event) => {
      this.#error ??= event.error;
    };
  }

  /** @param {number} code @param {string} reason @override */
  lostBy(code, reason) {
    return this.#error ? fromNode(this.#error) : super.lostBy(code, reason);
  }

  /** @param {number} code @override */
  closeCode(code) {
    return code;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes @override */
  transmit(bytes) {
    this.#sending++;
    this.socket.send(bytes, () => {
      this.#sending--;
      if (this.waiting) this.instance.turn(() => this.drain());
    });
  }

  /** @override */
  await() {
    if (this.#sending === 0) this.instance.later(() => this.drain());
  }

  /** @param {string} name @override */
  extraInfo(name) {
    const socket = this.socket._socket;
    if (name === 'peername' && socket?.remoteAddress)
      return hostPort(socket.remoteAddress, socket.remotePort);
    if (name === 'sockname' && socket?.localAddress)
      return hostPort(socket.localAddress, socket.localPort);
    return super.extraInfo(name);
  }
}

/** 'Name: value\r\n' lines as an object. @param {string | Record<string, string>} given */
function headersOf(given) {
  if (typeof given !== 'string') return given;
  return Object.fromEntries(
    given
      .split('\r\n')
      .filter(Boolean)
      .map((line) => [
        line.slice(0, line.indexOf(':')).trim(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
  );
}

class NodeWebSocketListener extends Listener {
  /**
   * @param {import('../instance.js').Instance} instance
   * @param {any} server
   * @param {URL} url
   */
  constructor(instance, server, url) {
    super(instance);
    this.wsServer = server;
    this.url = url;
  }

  /** @override */
  get address() {
    return `ws://${this.extraInfo('sockname')}${this.url.pathname}`;
  }

  /** @param {string} name @override */
  extraInfo(name) {
    const where = this.wsServer.address();
    return name === 'sockname' && where ? hostPort(where.address, where.port) : undefined;
  }

  /** @override */
  close() {
    this.wsServer.close();
  }
}

/** @type {Carrier} */
export const nodeWebSocket = {
  async connect(request, address, options) {
    let cancelled = false;
    request.oncancel = () => {
      cancelled = true;
    };
    try {
      const WebSocket = options.WebSocket ?? globalThis.WebSocket ?? (await import('ws')).WebSocket;
      if (cancelled) return;
      const socket = new WebSocket(address, subprotocolsOf(options.subprotocols), {
        headers: headersOf(options.headers),
        perMessageDeflate: false,
      });
      const tells = typeof socket.terminate === 'function';
      const Connection = tells ? NodeWebSocketConnection : WebSocketConnection;
      opening(
        request,
        socket,
        () => new Connection(request.instance, socket, options),
        ({ error }) =>
          error
            ? fromNode(error)
            : {
                code: 'EUNKNOWN',
                native: 0,
                message: 'the WebSocket did not open, and does not tell why',
              },
      );
    } catch (error) {
      request.failed('EADDRESS', 0, error instanceof Error ? error.message : String(error));
    }
  },

  async listen(request, address, options) {
    try {
      const url = new URL(address);
      if (!/^ws:\/\/[^/]+:\d+(\/|$)/.test(address))
        throw new Error(`no place to listen: ${address}`);
      const { WebSocketServer } = await import('ws');
      const wanted = subprotocolsOf(options.subprotocols);
      const server = new WebSocketServer({
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: Number(url.port || 80),
        path: url.pathname === '/' ? undefined : url.pathname,
        backlog: options.backlog,
        handleProtocols: (/** @type {Set<string>} */ offered) =>
          wanted.find((name) => offered.has(name)) ?? false,
      });
      const listener = new NodeWebSocketListener(request.instance, server, url);
      request.oncancel = () => listener.abandon();
      server.on('listening', () => request.listening(listener));
      server.on('connection', (/** @type {any} */ socket) =>
        listener.accepted(new NodeWebSocketConnection(request.instance, socket, options)),
      );
      server.on('error', (/** @type {any} */ error) => {
        const { code, native, message } = fromNode(error);
        listener.abandon();
        request.failed(code, native, message);
      });
    } catch (error) {
      request.failed('EADDRESS', 0, error instanceof Error ? error.message : String(error));
    }
  },
};
