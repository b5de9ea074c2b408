/** A rendezvous for WebRTC: `towline/rendezvous`, for Node. Its clients are `rendezvous(url)` of `towline/webrtc`. */
import { Server as TlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import { Admission, among, bounds, listening, makeServer, refuse } from './admission.js';
import { TowlineError } from './errors.js';
import { Participant } from './rendezvous-participant.js';
import { hostPort } from './transports/node-address.js';
import { isName } from './webrtc/signalling.js';

/** @import { IncomingMessage } from 'node:http' */
/** @import { Duplex } from 'node:stream' */
/** @import { Message } from './rendezvous-participant.js' */

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
  #admission;
  #sweeping;
  /** @type {Promise<void> | undefined} */
  #closing;

  /** @param {Options} [options] */
  constructor(options = {}) {
    this.#options = checked(options);
    const { path, origins, maxSockets, maxSocketsPerAddress, maxMessage, keepalive } =
      this.#options;
    const { server } = options;
    this.#prefix = path.endsWith('/') ? path : `${path}/`;
    this.#isMine = server === undefined;
    this.#server = server ?? this.#serve();
    this.#admission = new Admission(among(origins), maxSockets, maxSocketsPerAddress);
    this.#sockets = new WebSocketServer({ ...bounds, maxPayload: maxMessage });
    this.#server.on('upgrade', this.#upgrade);
    this.#sweeping = setInterval(() => this.#sweep(), keepalive).unref();
    /** Where it is, as soon as it can be reached; or why it cannot. @type {Promise<string>} */
    this.listening = this.#server.listening ? Promise.resolve(this.address) : this.#listening();
  }

  #serve() {
    const { port, host, maxSockets } = this.#options;
    return makeServer(maxSockets).listen(port, host);
  }

  /** @returns {Promise<string>} */
  async #listening() {
    await listening(this.#server);
    return this.address;
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

  /** As close, for `await using`. */
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
    const status = isOurs ? this.#refusal(room, request) : 404;
    if (status !== 0) return refuse(socket, status);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#opened(webSocket, room, this.#admission.enter(request)),
    );
  };

  /** @param {string} room @param {IncomingMessage} request */
  #refusal(room, request) {
    const status = this.#admission.refusal(request);
    return status !== 403 && !isName(room) ? 400 : status;
  }

  /** @param {import('ws').WebSocket} socket @param {string} room @param {() => void} leave */
  async #opened(socket, room, leave) {
    const participant = new Participant(socket, room, this.#options, (message) =>
      this.#relay(participant, message),
    );
    this.#participants.add(participant);
    await participant.closed;
    this.#participants.delete(participant);
    leave();
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
