/** What the tests of the bridge have in common: bridges, targets and clients that are gone when the test is. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { WebSocket } from 'ws';
import { Bridge, bridged } from '../../js/bridge/node.js';
import { Loop, Protocol } from '../../js/node.js';

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('node:net').Socket} Socket */
/** @typedef {import('../../js/bridge/options.js').BridgeOptions} BridgeOptions */
/** @typedef {import('../../js/bridge/options.js').Entry} Entry */

/** What is put in is taken out in the same order, by who waits for it. @template T */
export class Queue {
  /** @type {T[]} */
  #things = [];
  /** @type {((thing: T) => void)[]} */
  #takers = [];

  /** @param {T} thing */
  put = (thing) => {
    const taker = this.#takers.shift();
    if (taker) taker(thing);
    else this.#things.push(thing);
  };

  /** @returns {Promise<T>} */
  take() {
    const [thing] = this.#things;
    if (this.#things.length === 0) return new Promise((resolve) => this.#takers.push(resolve));
    this.#things.shift();
    return Promise.resolve(thing);
  }
}

/** @param {TestContext} t @param {BridgeOptions} [options] */
export async function openBridge(t, options) {
  /** @type {Queue<Entry>} */
  const log = new Queue();
  const bridge = new Bridge({ onlog: log.put, ...options });
  t.after(() => bridge.close(0));
  return { bridge, log, address: await bridge.listening };
}

/**
 * A TCP server, or with a path a Unix one, whose connections are taken one by one.
 * @param {TestContext} t
 * @param {{path?: string, pauseOnConnect?: boolean}} [options]
 */
export async function openTarget(t, { path, pauseOnConnect = false } = {}) {
  /** @type {Queue<Socket>} */
  const clients = new Queue();
  /** @type {Set<Socket>} */
  const sockets = new Set();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    clients.put(socket);
  });
  if (path) server.listen(path);
  else server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    address: path ? `unix:${path}` : `tcp://127.0.0.1:${port}`,
    port,
    client: () => clients.take(),
  };
}

/** Nothing more will come, and nobody wants what has. @param {Socket} socket */
export async function untilEnded(socket) {
  if (!socket.readableEnded) await once(socket.resume(), 'end');
}

/** All that comes up to the end, after which it may still be written to. @param {Socket} socket */
export async function untilEnd(socket) {
  /** @type {Buffer[]} */
  const pieces = [];
  socket.on('data', (piece) => pieces.push(piece));
  await once(socket, 'end');
  return Buffer.concat(pieces);
}

/** Through a bridge. @param {TestContext} t @param {string} gateway @param {import('../../js/bridge/carriers.js').BridgedOptions} [options] */
export function openLoop(t, gateway, options) {
  const loop = new Loop({ transports: bridged(gateway, options) });
  t.after(() => loop.close());
  return loop;
}

/** Writes its calls down, and what came. */
export class Recorder extends Protocol {
  /** @type {import('../../js/node.js').StreamTransport} */
  transport = /** @type {any} */ (undefined);
  /** @type {Queue<string>} */
  calls = new Queue();
  text = '';

  /** @override @param {import('../../js/node.js').StreamTransport} transport */
  connectionMade(transport) {
    this.transport = transport;
  }

  /** @override @param {Uint8Array} data */
  dataReceived(data) {
    this.text += Buffer.from(data).toString('latin1');
    this.calls.put('data');
  }

  /** @override */
  eofReceived() {
    this.calls.put('eof');
    return true;
  }

  /** @override */
  pauseWriting() {
    this.calls.put('pause');
  }

  /** @override */
  resumeWriting() {
    this.calls.put('resume');
  }

  /** @override @param {import('../../js/node.js').TowlineError | null} error */
  connectionLost(error) {
    this.calls.put(error ? `lost ${error.code} ${error.native} ${error.message}` : 'lost');
  }

  /** @param {string} call */
  async until(call) {
    for (let told = ''; !told.startsWith(call); ) told = await this.calls.take();
  }

  /** @param {number} size */
  async untilText(size) {
    while (this.text.length < size) await this.calls.take();
    return this.text;
  }
}

/** A WebSocket of nobody's in particular. */
export class Plain {
  /** @type {Queue<Buffer | string>} */
  messages = new Queue();

  /** @param {TestContext} t @param {string} url @param {string[]} [subprotocols] @param {object} [options] */
  constructor(t, url, subprotocols = [], options = {}) {
    this.socket = new WebSocket(url, subprotocols, options);
    t.after(() => this.socket.terminate());
    this.socket.on('error', () => {});
    this.socket.on('message', (data, isBinary) =>
      this.messages.put(isBinary ? /** @type {Buffer} */ (data) : String(data)),
    );
    /** @type {Promise<[code: number, reason: string]>} */
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve([code, String(reason)]));
    });
    /** @type {Promise<number | undefined>} HTTP's status */
    this.refused = new Promise((resolve) => {
      this.socket.on('unexpected-response', (_request, response) => {
        response.destroy();
        resolve(response.statusCode);
      });
      this.socket.on('open', () => resolve(101));
    });
  }
}

/** The status that a request is answered with. @param {TestContext} t @param {string} url @param {object} [options] */
export const statusOf = (t, url, options) => new Plain(t, url, [], options).refused;

/** Where a target is asked for. @param {string} gateway @param {string} target */
export const urlOf = (gateway, target) => `${gateway}?to=${encodeURIComponent(target)}`;
