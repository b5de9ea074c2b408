/**
 * The peer of the page's streams: a protocol in JavaScript on Towline in Node, reached by a WebSocket with Towline framing
 * at /stream/NAME. What it shall do is told aside, so that no burst stands before it: POST /stream/NAME.
 */
import { WebSocketServer } from 'ws';
import { Loop, Protocol } from '../../js/node.js';
import { connectionOf } from '../../js/transports/node-websocket.js';
import { pick } from '../../js/transports/websocket-framing.js';

/** @import { IncomingMessage } from 'node:http' */
/** @import { StreamTransport } from '../../js/protocols/transport.js' */

export const STREAM_PATH = /^\/stream\/([\w-]{8,64})$/;

const MOST_PEERS = 64;
/** What it can be asked to send, and how fast to read, at most. */
const MOST = 1 << 30;
const CHUNK = new Uint8Array(16384).fill(0x2e);

/**
 * What a page may ask.
 * @typedef {object} Orders
 * @property {number} [rate] bytes a second that are read; 0: as they come
 * @property {number} [send] so many bytes more
 * @property {boolean} [echo] whether what comes is sent back
 * @property {boolean} [reset] the connection is broken off, with a code and a reason
 */

class Peer extends Protocol {
  received = 0;
  sent = 0;
  #rate = 0;
  #owed = 0;
  #isEcho = false;
  #isPaused = false;
  /** @type {NodeJS.Timeout | undefined} */
  #rest;
  /** @type {StreamTransport | undefined} */
  #transport;

  /** @override @param {StreamTransport} transport */
  connectionMade(transport) {
    this.#transport = transport;
  }

  /** @override */
  connectionLost() {
    clearTimeout(this.#rest);
    this.#transport = undefined;
  }

  /** @override @param {Uint8Array} data */
  dataReceived(data) {
    this.received += data.length;
    if (this.#isEcho) {
      this.sent += data.length;
      this.#transport?.write(data);
    }
    if (this.#rate === 0) return;
    this.#transport?.pauseReading();
    this.#rest = setTimeout(() => this.#readOn(), (data.length * 1000) / this.#rate);
  }

  #readOn() {
    if (!(this.#isEcho && this.#isPaused)) this.#transport?.resumeReading();
  }

  /** @override Says what has come; what is owed is still sent. */
  eofReceived() {
    this.#transport?.write(new TextEncoder().encode(`${this.received} bytes have come, bye\n`));
    return this.#owed > 0;
  }

  /** @override */
  pauseWriting() {
    this.#isPaused = true;
    if (this.#isEcho) this.#transport?.pauseReading();
  }

  /** @override */
  resumeWriting() {
    this.#isPaused = false;
    if (this.#isEcho) this.#readOn();
    this.#pump();
  }

  #pump() {
    while (this.#owed > 0 && !this.#isPaused && this.#transport) {
      const part = CHUNK.subarray(0, this.#owed);
      this.#owed -= part.length;
      this.sent += part.length;
      this.#transport.write(part);
    }
  }

  /** @param {Orders} orders */
  obey({ rate, send, echo, reset }) {
    if (rate !== undefined) {
      this.#rate = rate;
      clearTimeout(this.#rest);
      this.#readOn();
    }
    if (echo !== undefined) this.#isEcho = echo;
    if (send !== undefined) this.#owed += send;
    if (reset) this.#transport?.abort(4000, 'the server has had enough');
    else this.#pump();
  }

  get status() {
    const { received, sent } = this;
    return { received, sent, waiting: this.#transport?.getWriteBufferSize() ?? 0 };
  }
}

/** What is wrong with orders that came over the network; undefined: nothing. @param {any} orders */
export function wrongIn(orders) {
  if (typeof orders !== 'object' || orders === null || Array.isArray(orders)) return 'no object';
  for (const [name, value] of Object.entries(orders))
    if (name === 'rate' || name === 'send') {
      if (!Number.isInteger(value) || value < 0 || value > MOST) return `${name}: 0 to ${MOST}`;
    } else if (name !== 'echo' && name !== 'reset') return `no order ${name}`;
    else if (typeof value !== 'boolean') return `${name}: true or false`;
}

/** All streams of one server. */
export class Peers {
  /** @type {Map<string, Peer>} */
  #peers = new Map();
  /** Sockets that are accepted, until the loop has taken them. @type {Map<string, any>} */
  #sockets = new Map();
  #count = 0;
  #webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => pick(offered, [], 'demanded') ?? false,
  });
  #loop = new Loop({
    transports: {
      accepted: {
        negotiates: true,
        connect: (request, address, options) => {
          const socket = this.#sockets.get(address);
          this.#sockets.delete(address);
          request.opened(connectionOf(request.instance, socket, options));
        },
      },
    },
  });

  /** @param {string} name @param {IncomingMessage} request @param {import('node:stream').Duplex} socket @param {Buffer} head */
  accept(name, request, socket, head) {
    if (this.#peers.size >= MOST_PEERS || this.#peers.has(name))
      return socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const address = `accepted:${++this.#count}`;
      this.#sockets.set(address, webSocket);
      const peer = new Peer();
      this.#peers.set(name, peer);
      this.#loop
        .connect(address, () => peer, { framing: 'demanded' })
        .then(({ transport }) => transport.closed)
        .catch(() => webSocket.terminate())
        .then(() => this.#peers.delete(name));
    });
  }

  /** @param {string} name */
  get(name) {
    return this.#peers.get(name);
  }

  async close() {
    await this.#loop.close();
    this.#webSockets.close();
  }
}
