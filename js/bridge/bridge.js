/** A gateway from WebSockets to TCP, UDP and Unix sockets, for pages: README.md. */
import { Server as TlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import { Admission, among, bounds, listening, makeServer, refuse } from '../admission.js';
import { TowlineError } from '../errors.js';
import { Loop } from '../node.js';
import { hostPort } from '../transports/node-address.js';
import { NodeWebSocketConnection } from '../transports/node-websocket.js';
import { pick, understand } from '../transports/websocket-framing.js';
import { WebSocketEndpoint } from './endpoint.js';
import { checked, ofHost, place } from './options.js';
import { DatagramSide, Relay, StreamSide } from './relay.js';
import { Targets } from './targets.js';
import { DATAGRAMS, GOING, IDLE, nameOf, resetFrame, UNREACHED } from './words.js';

/** @import { IncomingMessage } from 'node:http' */
/** @import { Duplex } from 'node:stream' */
/** @import { WebSocket } from 'ws' */
/** @import { Carrier } from '../request.js' */
/** @import { BridgeOptions } from './options.js' */
/** @import { Target } from './targets.js' */

/**
 * A request that is being served.
 * @typedef {object} Visit
 * @property {number} id
 * @property {IncomingMessage} request
 * @property {Duplex} socket
 * @property {Buffer} head
 * @property {Target} target
 * @property {{client: string, target: string}} names for the log
 */

/** The client's end: a WebSocket that is open already. @type {Carrier} */
const accepted = {
  negotiates: true,
  connect(request, _address, { socket, isStream, ...options }) {
    const { instance } = request;
    if (socket.readyState !== socket.OPEN) return request.failed('ECLOSED', 0, 'it has gone');
    request.opened(
      isStream
        ? new NodeWebSocketConnection(instance, socket, options)
        : new WebSocketEndpoint(instance, socket, options, 'client'),
    );
  },
};

/** The subprotocol of others who carry bytes over WebSockets. */
const PLAIN = ['binary'];

/** Serves WebSockets, each of which is one connection to one target. */
export class Bridge {
  #options;
  #targets;
  #place;
  #server;
  #isMine;
  #sockets;
  #admission;
  #loop = new Loop({ transports: { accepted } });
  /** @type {Set<Relay>} */
  #relays = new Set();
  /** Those whose target is not reached yet. @type {Set<AbortController>} */
  #opening = new Set();
  /** All of them, until they are through. @type {Set<Promise<void>>} */
  #visits = new Set();
  #lastId = 0;
  /** Nobody has time left. */
  #isOver = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #sweeping;
  /** @type {Promise<void> | undefined} */
  #closing;

  /** @param {BridgeOptions} [options] */
  constructor(options = {}) {
    this.#options = checked(options);
    const { allow, listen, server, origins, cert, key, idle, maxMessage } = this.#options;
    const { maxConnections, maxConnectionsPerAddress } = this.#options;
    this.#targets = new Targets(allow);
    this.#place = place(listen);
    const isWelcome = origins ? among(origins) : ofHost(server ? '' : this.#place.host);
    this.#admission = new Admission(isWelcome, maxConnections, maxConnectionsPerAddress);
    this.#isMine = server === undefined;
    this.#server = server ?? this.#serve(cert, key);
    this.#sockets = new WebSocketServer({
      ...bounds,
      maxPayload: maxMessage,
      handleProtocols: (offered, request) => this.#choose(offered, request),
    });
    this.#server.on('upgrade', this.#upgrade);
    if (idle > 0) this.#sweeping = setInterval(() => this.#sweep(), idle / 4).unref();
    /** Where it is, as soon as it can be reached; or why it cannot. @type {Promise<string>} */
    this.listening = this.#listening();
    this.listening.catch(() => {}); // whoever asks is told
  }

  /** @param {string | Buffer | undefined} cert @param {string | Buffer | undefined} key */
  #serve(cert, key) {
    const { isSecure, where } = this.#place;
    if (isSecure !== (cert !== undefined && key !== undefined))
      throw new TowlineError(
        'EINVAL',
        isSecure ? 'wss: takes a certificate and its key' : 'a certificate is for wss:',
      );
    const tls = cert !== undefined && key !== undefined ? { cert, key } : undefined;
    return makeServer(this.#options.maxConnections, tls).listen(where);
  }

  async #listening() {
    await listening(this.#server);
    return this.address;
  }

  /** What clients give to `bridged`; '' while it does not listen. */
  get address() {
    const where = this.#server.address();
    if (where === null) return '';
    if (typeof where === 'string') return `unix:${where}`;
    const scheme = this.#server instanceof TlsServer ? 'wss' : 'ws';
    return `${scheme}://${hostPort(where.address, where.port)}${this.#place.prefix}`;
  }

  /** How many are open. */
  get connections() {
    return this.#relays.size;
  }

  // ---- Coming ----

  #upgrade = (
    /** @type {IncomingMessage} */ request,
    /** @type {Duplex} */ socket,
    /** @type {Buffer} */ head,
  ) => {
    const { prefix } = this.#place;
    const [path, query] = (request.url ?? '').split('?');
    const isOurs = path.startsWith(prefix);
    if (!isOurs && this.#server.listenerCount('upgrade') > 1) return;
    const name = path.slice(prefix.length);
    const to = new URLSearchParams(query).get('to');
    const target = name === '' ? this.#targets.at(to ?? '') : this.#targets.named(name);
    const { remoteAddress, remotePort = 0 } = request.socket;
    const names = {
      client: remoteAddress ? hostPort(remoteAddress, remotePort) : 'local',
      target: name || to || '',
    };
    const missing = !isOurs || name !== '' ? 404 : to === null ? 400 : 403;
    const status = this.#admission.refusal(request) || (target && isOurs ? 0 : missing);
    if (status !== 0 || !target || this.#closing) {
      refuse(socket, status || 503);
      this.#options.onlog({ type: 'refused', ...names, status: status || 503 });
      return;
    }
    const leave = this.#admission.enter(request);
    const visit = this.#visit({ id: ++this.#lastId, request, socket, head, target, names })
      .catch((error) => this.#loop.onerror(error, {}))
      .finally(() => {
        this.#visits.delete(visit);
        leave();
      });
    this.#visits.add(visit);
  };

  /** @param {Set<string>} offered @param {IncomingMessage} request */
  #choose(offered, request) {
    if (this.#schemes.get(request) !== 'udp') return pick(offered, PLAIN, 'offered') ?? false;
    return [DATAGRAMS, ...PLAIN].find((name) => offered.has(name)) ?? false;
  }

  /** What kind of target a request that is upgraded is for. @type {WeakMap<IncomingMessage, string>} */
  #schemes = new WeakMap();

  /** From the request to the end. @param {Visit} visit */
  async #visit(visit) {
    const { id, request, socket, target, names } = visit;
    const { onlog } = this.#options;
    const side = target.scheme === 'udp' ? new DatagramSide('target') : new StreamSide('target');
    const failure = await this.#reach(side, target, socket);
    if (socket.destroyed) return side.transport?.abort();
    this.#schemes.set(request, target.scheme);
    const webSocket = this.#accept(visit);
    if (!webSocket) return side.transport?.abort();
    if (failure !== '') {
      await this.#turnAway(webSocket, `${failure}: the target was not reached`);
      return onlog({
        type: 'closed',
        id,
        ...names,
        sent: 0,
        received: 0,
        why: `target: ${failure}`,
      });
    }
    const relay = await this.#join(side, webSocket);
    if (!relay) return;
    onlog({ type: 'opened', id, ...names });
    this.#relays.add(relay);
    if (this.#isOver) this.#endAll();
    await relay.closed;
    this.#relays.delete(relay);
    const { client, why } = relay;
    onlog({ type: 'closed', id, ...names, sent: client.received, received: side.received, why });
  }

  /**
   * Opens the target's side. Answers '', or the name of what went wrong.
   * @param {DatagramSide | StreamSide} side
   * @param {Target} target
   * @param {Duplex} socket the client's, which may go meanwhile
   */
  async #reach(side, { scheme, address }, socket) {
    const { connectTimeout, buffer } = this.#options;
    const opening = new AbortController();
    const gone = () => opening.abort();
    this.#opening.add(opening);
    socket.on('error', gone).on('close', gone);
    try {
      const options = { signal: opening.signal, timeout: connectTimeout, high: buffer };
      if (scheme === 'udp') await this.#loop.datagram(address, () => side, options);
      else await this.#loop.connect(address, () => side, options);
      return '';
    } catch (error) {
      return nameOf(error);
    } finally {
      this.#opening.delete(opening);
      socket.off('close', gone);
    }
  }

  /** Null: it was no WebSocket, and has been told. @param {Visit} visit */
  #accept({ request, socket, head }) {
    /** @type {WebSocket | null} */
    let accepted = null;
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => {}); // 'close' follows
      webSocket.pause();
      accepted = webSocket;
    });
    return /** @type {WebSocket | null} */ (accepted);
  }

  /** @param {WebSocket} webSocket @param {string} reason */
  async #turnAway(webSocket, reason) {
    const ending = { code: UNREACHED, reason };
    const closed = new Promise((resolve) => {
      webSocket.on('close', resolve);
    });
    if (isFramed(webSocket)) webSocket.send(resetFrame(ending));
    webSocket.close(ending.code, ending.reason);
    webSocket.resume();
    await closed;
  }

  /** Undefined: the client has gone. @param {DatagramSide | StreamSide} target @param {WebSocket} webSocket */
  async #join(target, webSocket) {
    const isStream = target instanceof StreamSide;
    const options = /** @type {any} */ ({
      socket: webSocket,
      isStream,
      high: this.#options.buffer,
      inbox: this.#options.maxMessage,
    });
    try {
      const client = isStream ? new StreamSide('client') : new DatagramSide('client');
      if (isStream) await this.#loop.connect('accepted:', () => client, options);
      else {
        await this.#loop.datagram('accepted:', () => /** @type {DatagramSide} */ (client), options);
        this.#talk(/** @type {DatagramSide} */ (target), webSocket);
      }
      return new Relay(client, target, webSocket, isFramed(webSocket));
    } catch {
      target.transport.abort();
      webSocket.terminate();
      return undefined;
    }
  }

  /** The texts between datagrams. @param {DatagramSide} target @param {WebSocket} webSocket */
  #talk(target, webSocket) {
    if (webSocket.protocol === DATAGRAMS) {
      webSocket.send('open');
      target.onfailed = (code) => {
        if (webSocket.bufferedAmount <= this.#options.buffer) webSocket.send(`error ${code}`);
      };
    }
    webSocket.resume();
  }

  #sweep() {
    const oldest = performance.now() - this.#options.idle;
    for (const relay of this.#relays)
      if (relay.moment < oldest) relay.end(IDLE, 'ETIMEDOUT: nothing came either way');
  }

  // ---- The end ----

  /**
   * Lets nobody in any more, gives those who are there some time to end, and then ends them. May be called again, with less
   * time.
   * @param {number} [grace] milliseconds
   */
  close(grace = this.#options.grace) {
    this.#closing ??= this.#close();
    const timer = setTimeout(() => this.#endAll(), grace);
    this.#closing.finally(() => clearTimeout(timer));
    return this.#closing;
  }

  #endAll() {
    this.#isOver = true;
    for (const relay of this.#relays) relay.end(GOING, 'ECANCELED: the bridge closes');
  }

  async #close() {
    if (this.#isMine) {
      await this.listening.catch(() => {});
      this.#server.close();
      this.#server.closeIdleConnections();
    }
    for (const opening of this.#opening) opening.abort();
    await Promise.all(this.#visits);
    clearInterval(this.#sweeping);
    this.#server.off('upgrade', this.#upgrade);
    if (this.#isMine) this.#server.closeAllConnections();
    await this.#loop.close();
  }

  /** As close, for `await using`. */
  [Symbol.asyncDispose]() {
    return this.close(0);
  }
}

/** @param {WebSocket} webSocket */
const isFramed = ({ protocol }) => understand(protocol, 'offered').framed;

/**
 * A bridge that listens: `await bridge({ allow: ['tcp://127.0.0.1:6379'] })`.
 * @param {BridgeOptions} [options]
 */
export async function bridge(options) {
  const made = new Bridge(options);
  try {
    await made.listening;
  } catch (error) {
    await made.close(0);
    throw error;
  }
  return made;
}
