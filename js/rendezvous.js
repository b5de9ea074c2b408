/** A rendezvous for WebRTC: `towline/rendezvous`, for Node. Its clients are `rendezvous(url)` of `towline/webrtc`. */
import { once } from 'node:events';
import { createServer, STATUS_CODES } from 'node:http';
import { Server as TlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import { TowlineError } from './errors.js';
import { Participant } from './rendezvous-participant.js';
import { hostPort } from './transports/node-address.js';
import { fromNode } from './transports/node-error.js';
import { isName } from './webrtc/signalling.js';

/** @typedef {import('node:stream').Duplex} Duplex */
/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('./rendezvous-participant.js').Message} Message */

/**
 * @typedef {object} Options
 * @property {import('node:http').Server | import('node:https').Server} [server] serve on this one, which stays yours; `port`
 *   and `host` mean nothing then
 * @property {number} [port] 0, unless given: one that is free
 * @property {string} [host] where to listen: only this machine, unless given
 * @property {string} [path] the rooms are at PATH/ROOM: '/'
 * @property {string[]} [origins] the pages that may come, as 'https://example.org', or '*' for all: none. What is no
 *   browser says no origin, and may come: this protects the users of pages, and is no password
 * @property {number} [maxRooms] 256
 * @property {number} [maxParticipants] of a room: 64
 * @property {number} [maxSockets] in all: 1,024
 * @property {number} [maxSocketsPerAddress] of one IPv4 address or IPv6 network (/64): 64. Behind a proxy all have the
 *   proxy's: give `maxSockets` then, and let the proxy count
 * @property {number} [maxMessage] in bytes: 16,384
 * @property {number} [maxBacklog] what a participant may leave unread, in bytes; then it is dropped: 131,072
 * @property {number} [ratePerSecond] messages a participant may cause, one for each that they go to, and a second's worth at
 *   once: 200. Those above are not lost, but read later
 * @property {number} [keepalive] milliseconds: who is not there is dropped after one to two of these, who never says who it is
 *   too: 15,000
 */

const defaults = {
  port: 0,
  host: '127.0.0.1',
  path: '/',
  origins: /** @type {string[]} */ ([]),
  maxRooms: 256,
  maxParticipants: 64,
  maxSockets: 1024,
  maxSocketsPerAddress: 64,
  maxMessage: 16384,
  maxBacklog: 131072,
  ratePerSecond: 200,
  keepalive: 15000,
};

/** How many connections may be no WebSockets yet, and for how long. */
const UNDECIDED = 64;
const PATIENCE = 5000;

const bounds = {
  noServer: true,
  clientTracking: false,
  maxFragments: 16,
  maxBufferedChunks: 1024,
  closeTimeout: 1000,
};

/** A limit that is none would be no limit. @param {Options} options @returns {typeof defaults} */
function checked(options) {
  const all = /** @type {any} */ ({ ...defaults, ...options });
  for (const [name, otherwise] of Object.entries(defaults)) {
    const value = all[name];
    if (typeof value !== typeof otherwise || value < 0 || Number.isNaN(value))
      throw new TowlineError('EINVAL', `a rendezvous with ${name} ${value}`);
  }
  if (!all.path.startsWith('/') || !(all.keepalive > 0 && all.keepalive < 2 ** 31))
    throw new TowlineError('EINVAL', `a rendezvous at ${all.path}, keepalive ${all.keepalive}`);
  return all;
}

/** @param {Duplex} socket @param {number} status */
function refuse(socket, status) {
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

/** Relays signalling between those who are in the same room. It keeps nothing, and tells nobody what it has not checked. */
export class Rendezvous {
  #options;
  #prefix;
  #server;
  #isMine;
  #sockets;
  /** @type {Set<Participant>} */
  #participants = new Set();
  /** Those who have said who they are, by room and name. @type {Map<string, Map<string, Participant>>} */
  #rooms = new Map();
  /** @type {Map<string, number>} */
  #networks = new Map();
  #sweeping;
  /** @type {Promise<void> | undefined} */
  #closing;

  /** @param {Options} [options] */
  constructor(options = {}) {
    this.#options = checked(options);
    const { path, maxMessage, keepalive } = this.#options;
    const { server } = options;
    this.#prefix = path.endsWith('/') ? path : `${path}/`;
    this.#isMine = server === undefined;
    this.#server = server ?? this.#serve();
    this.#sockets = new WebSocketServer({ ...bounds, maxPayload: maxMessage });
    this.#server.on('upgrade', this.#upgrade);
    this.#sweeping = setInterval(() => this.#sweep(), keepalive).unref();
    /** Where it is, as soon as it can be reached; or why it cannot. @type {Promise<string>} */
    this.listening = this.#server.listening ? Promise.resolve(this.address) : this.#listening();
  }

  #serve() {
    const { port, host, maxSockets } = this.#options;
    const patience = { headersTimeout: PATIENCE, requestTimeout: PATIENCE };
    const server = createServer(
      { ...patience, connectionsCheckingInterval: PATIENCE },
      (_request, response) => response.writeHead(426, { connection: 'close' }).end(),
    );
    server.maxConnections = maxSockets + UNDECIDED;
    server.on('error', () => {}); // that a connection could not be accepted is no reason to stop
    return server.listen(port, host);
  }

  /** @returns {Promise<string>} */
  async #listening() {
    try {
      await once(this.#server, 'listening');
      return this.address;
    } catch (cause) {
      const { code, native, message } = fromNode(cause);
      throw new TowlineError(code, message, { native, cause });
    }
  }

  /** What clients give to `rendezvous`; '' while it does not listen. */
  get address() {
    const where = this.#server.address();
    if (where === null || typeof where === 'string') return '';
    const scheme = this.#server instanceof TlsServer ? 'wss' : 'ws';
    return `${scheme}://${hostPort(where.address, where.port)}${this.#prefix}`;
  }

  /** Lets everybody go, and stops listening, if the server is its own. */
  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
    clearInterval(this.#sweeping);
    this.#server.off('upgrade', this.#upgrade);
    this.#rooms.clear();
    for (const participant of this.#participants) participant.refuse(1001, 'closing');
    await Promise.all([...this.#participants].map(({ closed }) => closed));
    if (!this.#isMine) return;
    await this.listening.catch(() => {});
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }

  // ---- Coming and going ----

  #upgrade = (
    /** @type {IncomingMessage} */ request,
    /** @type {Duplex} */ socket,
    /** @type {Buffer} */ head,
  ) => {
    const [path] = (request.url ?? '').split('?');
    const isOurs = path.startsWith(this.#prefix);
    if (!isOurs && this.#server.listenerCount('upgrade') > 1) return;
    const room = path.slice(this.#prefix.length);
    const network = networkOf(request.socket.remoteAddress ?? '');
    const status = isOurs ? this.#refusal(room, request.headers.origin, network) : 404;
    if (status !== 0) return refuse(socket, status);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#opened(webSocket, room, network),
    );
  };

  /** @param {string} room @param {string | undefined} origin @param {string} network */
  #refusal(room, origin, network) {
    const { origins, maxSockets, maxSocketsPerAddress } = this.#options;
    const isWelcome = origin === undefined || origins.includes('*') || origins.includes(origin);
    if (!isWelcome) return 403;
    if (!isName(room)) return 400;
    if ((this.#networks.get(network) ?? 0) >= maxSocketsPerAddress) return 429;
    return this.#participants.size >= maxSockets ? 503 : 0;
  }

  /** @param {import('ws').WebSocket} socket @param {string} room @param {string} network */
  async #opened(socket, room, network) {
    const participant = new Participant(socket, room, this.#options, (message) =>
      this.#relay(participant, message),
    );
    this.#participants.add(participant);
    this.#networks.set(network, (this.#networks.get(network) ?? 0) + 1);
    await participant.closed;
    this.#participants.delete(participant);
    const left = /** @type {number} */ (this.#networks.get(network)) - 1;
    if (left > 0) this.#networks.set(network, left);
    else this.#networks.delete(network);
    this.#leave(participant);
  }

  /** Whether it is in its room now. @param {Participant} participant @param {string} name */
  #join(participant, name) {
    const { maxRooms, maxParticipants } = this.#options;
    const room = this.#rooms.get(participant.room) ?? new Map();
    // An old connection of its own may not have been noticed to be dead: it may try again.
    if (room.has(name)) return participant.refuse(1013, 'the name is taken');
    if (room.size >= maxParticipants) return participant.refuse(1013, 'the room is full');
    if (room.size === 0 && this.#rooms.size >= maxRooms)
      return participant.refuse(1013, 'too many rooms');
    this.#rooms.set(participant.room, room.set(name, participant));
    participant.name = name;
    return true;
  }

  /** @param {Participant} participant */
  #leave({ room: roomName, name }) {
    const room = this.#rooms.get(roomName);
    if (name === '' || !room) return;
    room.delete(name);
    if (room.size === 0) this.#rooms.delete(roomName);
    for (const other of room.values()) other.send(JSON.stringify({ from: name, type: 'left' }));
  }

  #sweep() {
    for (const participant of this.#participants) participant.check();
  }

  // ---- Relaying ----

  /** Answers how many it went to. @param {Participant} participant @param {Message} message */
  #relay(participant, message) {
    if (participant.name === '' && !this.#join(participant, message.from)) return 0;
    if (message.from !== participant.name) {
      participant.refuse(1008, 'not the name it came with');
      return 0;
    }
    const room = /** @type {Map<string, Participant>} */ (this.#rooms.get(participant.room));
    const wanted = message.to === undefined ? [...room.values()] : [room.get(message.to)];
    const others = wanted.filter((one) => one && one !== participant);
    for (const other of others) other?.send(message.text);
    return others.length;
  }
}
