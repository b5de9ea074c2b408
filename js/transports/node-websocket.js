import { TowlineError } from '../errors.js';
import { framed } from '../framing.js';
import { Listener } from '../listener.js';
import { BACKLOG, hostPort } from './node-address.js';
import { fromNode } from './node-error.js';
import { connectForLargeReads } from './node-large-reads.js';
import { openWebSocket, subprotocolsOf, WebSocketConnection } from './websocket.js';
import { NOT_SPOKEN, pick, understand } from './websocket-framing.js';
import { pausing } from './websocket-pausing.js';

/** @typedef {import('../request.js').HostOptions} HostOptions */
/** @typedef {import('../request.js').Carrier} Carrier */

/** Messages up to so many bytes are delivered together with others that have come at once: alone, each costs as much. */
const SMALL = 2048;
/** Where they are put together, those of one connection at a time: what lies there is still in the processor's cache. */
const tray = new Uint8Array(1 << 15);
let filled = 0;
/** Whose they are. @type {NodeWebSocketConnection | null} */
let owner = null;

/** A WebSocket of the package `ws`: it tells why it failed, too. */
class NodeWebSocketConnection extends pausing(WebSocketConnection) {
  /** @type {any} */
  #error;

  /**
   * @param {import('../instance.js').Instance} instance
   * @param {any} socket
   * @param {HostOptions} options
   * @param {string} subprotocol
   */
  constructor(instance, socket, options, subprotocol) {
    super(instance, socket, options, subprotocol);
    socket.binaryType = 'nodebuffer';
    socket.onmessage = null;
    const { emit } = socket;
    // Taken before Node looks for listeners: to find them costs as much as to copy a small message.
    socket.emit = (
      /** @type {string} */ name,
      /** @type {any} */ first,
      /** @type {any} */ second,
    ) => (name === 'message' ? this.#came(first, second) : emit.call(socket, name, first, second));
    socket.onerror = (/** @type {{error: any}} */ event) => {
      this.#error ??= event.error;
    };
  }

  /** A message: a small one waits a moment for others. @param {Uint8Array} bytes @param {boolean} isBinary */
  #came(bytes, isBinary) {
    if (bytes.length > SMALL || (this.refuseText && !isBinary)) return this.#tell(bytes, isBinary);
    if (owner !== this || bytes.length > tray.length - filled) this.#begin();
    tray.set(bytes, filled);
    filled += bytes.length;
  }

  /** By itself, behind those that wait. @param {Uint8Array} bytes @param {boolean} isBinary */
  #tell(bytes, isBinary) {
    if (owner) owner.#flush();
    this.instance.turn(() => this.message(isBinary || !this.refuseText ? bytes : ''));
  }

  #begin() {
    if (owner) owner.#flush();
    owner = this;
    filled = 0;
    process.nextTick(this.#flush); // when Node has told all that has come
  }

  #flush = () => {
    if (owner !== this) return;
    const bytes = tray.subarray(0, filled);
    owner = null;
    this.instance.turn(() => this.message(bytes));
  };

  /** @param {number} code @param {string} reason @override */
  lostBy(code, reason) {
    return this.#error ? fromNode(this.#error) : super.lostBy(code, reason);
  }

  /** @param {number} code @override */
  shut(code) {
    delete this.socket.emit;
    if (owner === this) owner = null;
    super.shut(code);
  }

  /** @param {number} code @override */
  closeCode(code) {
    return code;
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

/**
 * Of a WebSocket that is open already: what has been agreed on, its subprotocol says.
 * @param {import('../instance.js').Instance} instance
 * @param {any} socket
 * @param {HostOptions} options
 */
export function connectionOf(instance, socket, options) {
  const { isFramed, subprotocol } = understand(socket.protocol, options.framing);
  const Kind = isFramed ? framed(NodeWebSocketConnection) : NodeWebSocketConnection;
  return new Kind(instance, socket, options, subprotocol);
}

/** 'Name: value\r\n' lines as an object. @param {string | Record<string, string>} given */
function headersOf(given) {
  if (typeof given !== 'string') return given;
  if (given.split('\r\n').some((line) => line && !/^[^:]+:/.test(line)))
    throw new TowlineError('EINVAL', "headers are 'name: value' lines");
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

/** @param {import('node:http').IncomingMessage} request */
const offeredBy = ({ headers }) => new Set(subprotocolsOf(headers['sec-websocket-protocol'] ?? ''));

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

/** Why those have failed that do tell. @type {WeakMap<any, unknown>} */
const failures = new WeakMap();

/** @type {import('./websocket.js').Opener} */
const opener = {
  async find(options) {
    const WebSocket = options.WebSocket ?? globalThis.WebSocket ?? (await import('ws')).WebSocket;
    const isOfWs = typeof WebSocket.prototype?.terminate === 'function';
    const more = { headers: headersOf(options.headers ?? ''), perMessageDeflate: false };
    const plain = { ...more, createConnection: connectForLargeReads }; // TLS has small pieces anyway
    const start = (/** @type {string} */ address, /** @type {string[]} */ names) => {
      const how = address.startsWith('ws:') ? plain : more;
      const socket = /** @type {any} */ (new WebSocket(address, names, how));
      socket.onerror = (/** @type {any} */ { error }) => failures.set(socket, error);
      return socket;
    };
    return [start, isOfWs ? NodeWebSocketConnection : WebSocketConnection];
  },
  explain(socket, framing) {
    const error = failures.get(socket);
    if (!error) return [true, 'EUNKNOWN', 0, 'the WebSocket did not open, and does not tell why'];
    const { code, native, message } = fromNode(error);
    const isPlain = message === 'Server sent no subprotocol';
    return isPlain && framing === 'demanded'
      ? [true, ...NOT_SPOKEN]
      : [isPlain, code, native, message];
  },
};

/** @type {Carrier} */
export const nodeWebSocket = {
  negotiates: true,
  connect: (request, address, options) => openWebSocket(request, address, options, opener),

  async listen(request, address, options) {
    try {
      const url = new URL(address);
      if (!/^ws:\/\/[^/]+:\d+(\/|$)/.test(address))
        throw new Error(`no place to listen: ${address}`);
      const { WebSocketServer } = await import('ws');
      const { framing } = options;
      const names = subprotocolsOf(options.subprotocols);
      const choose = (/** @type {Set<string>} */ offered) => pick(offered, names, framing);
      const server = new WebSocketServer({
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: Number(url.port || 80),
        path: url.pathname === '/' ? undefined : url.pathname,
        backlog: options.backlog ?? BACKLOG,
        verifyClient: ({ req }, answer) =>
          answer(framing !== 'demanded' || !!choose(offeredBy(req)), 400),
        handleProtocols: (offered) => choose(offered) ?? false,
      });
      const listener = new NodeWebSocketListener(request.instance, server, url);
      request.oncancel = () => listener.abandon();
      server.on('listening', () => request.opened(listener));
      server.on('connection', (/** @type {any} */ socket) =>
        listener.accepted(connectionOf(request.instance, socket, options)),
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
