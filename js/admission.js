/** What a server for WebSockets lets in: of the rendezvous and of the bridge. */
import { once } from 'node:events';
import http, { STATUS_CODES } from 'node:http';
import https from 'node:https';
import { TowlineError } from './errors.js';
import { fromNode } from './transports/node-error.js';

/** @import { IncomingMessage } from 'node:http' */
/** @import { Duplex } from 'node:stream' */

/** How many connections may be no WebSockets yet, and for how long. */
const UNDECIDED = 64;
const PATIENCE = 5000;

/** What the package `ws` is told, so that nobody takes more than a message's worth of memory. */
export const bounds = {
  noServer: true,
  clientTracking: false,
  maxFragments: 16,
  maxBufferedChunks: 1024,
  closeTimeout: 1000,
};

/**
 * A server for no more than WebSockets: whoever does not ask for one in time goes.
 * @param {number} maxSockets
 * @param {{cert: string | Buffer, key: string | Buffer}} [tls]
 */
export function makeServer(maxSockets, tls) {
  const patience = {
    headersTimeout: PATIENCE,
    requestTimeout: PATIENCE,
    connectionsCheckingInterval: PATIENCE,
  };
  const answer = (/** @type {any} */ _request, /** @type {http.ServerResponse} */ response) =>
    response.writeHead(426, { connection: 'close' }).end();
  const server = tls
    ? https.createServer({ ...patience, ...tls, handshakeTimeout: PATIENCE }, answer)
    : http.createServer(patience, answer);
  server.maxConnections = maxSockets + UNDECIDED;
  server.on('error', () => {}); // that a connection could not be accepted is no reason to stop
  return server;
}

/** Resolves when it listens; else throws why not. @param {http.Server | https.Server} server */
export async function listening(server) {
  try {
    if (!server.listening) await once(server, 'listening');
  } catch (cause) {
    const { code, native, message } = fromNode(cause);
    throw new TowlineError(code, message, { native, cause });
  }
}

/** @param {Duplex} socket @param {number} status */
export function refuse(socket, status) {
  socket.on('error', () => socket.destroy());
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
  socket.end(head, () => socket.destroy());
}

/** What is counted as one: an IPv4 address, or the 64 bits that an IPv6 network is given. @param {string} address */
function networkOf(address) {
  if (address.includes('.')) return address.slice(address.lastIndexOf(':') + 1);
  const [head, tail = ''] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = Array(Math.max(0, 8 - head.length - tail.length)).fill('0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}

/**
 * Who may come, and how many at once. Origins are what browsers say, and nobody else has to: they protect the users of
 * pages, and are no password. Those who say none may come.
 */
export class Admission {
  #isWelcome;
  #most;
  #mostOfOne;
  #count = 0;
  /** @type {Map<string, number>} */
  #networks = new Map();

  /**
   * @param {(origin: string) => boolean} isWelcome
   * @param {number} most
   * @param {number} mostOfOne of one IPv4 address or IPv6 network
   */
  constructor(isWelcome, most, mostOfOne) {
    this.#isWelcome = isWelcome;
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  /** The status that a request is to be refused with, whatever it asks for; 0: none. @param {IncomingMessage} request */
  refusal({ headers: { origin }, socket }) {
    if (origin !== undefined && !this.#isWelcome(origin)) return 403;
    const network = networkOf(socket.remoteAddress ?? '');
    if ((this.#networks.get(network) ?? 0) >= this.#mostOfOne) return 429;
    return this.#count >= this.#most ? 503 : 0;
  }

  /** Counts it in. Answers how it is counted out. @param {IncomingMessage} request */
  enter({ socket }) {
    const network = networkOf(socket.remoteAddress ?? '');
    const change = (/** @type {number} */ by) => {
      const count = (this.#networks.get(network) ?? 0) + by;
      this.#count += by;
      if (count > 0) this.#networks.set(network, count);
      else this.#networks.delete(network);
    };
    change(1);
    return () => change(-1);
  }
}

/** @param {string[]} origins as 'https://example.org'; '*': all */
export const among = (origins) => (/** @type {string} */ origin) =>
  origins.includes('*') || origins.includes(origin);
