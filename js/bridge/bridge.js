/** A gateway from WebSockets to TCP, UDP and Unix sockets, for pages: README.md. */
import { Server as TlsServer } from 'node:tls';
import { Admission, among, listening, makeServer, refuse } from '../admission.js';
import { TowlineError } from '../errors.js';
import { Loop } from '../node.js';
import { hostPort } from '../transports/node-address.js';
import { checked, ofHost, place } from './options.js';
import { Targets } from './targets.js';
import { accepted, Visit } from './visit.js';
import { GOING, IDLE } from './words.js';

/** @import { IncomingMessage } from 'node:http' */
/** @import { Duplex } from 'node:stream' */
/** @import { BridgeOptions } from './options.js' */
/** @import { Relay } from './relay.js' */

/** Whom it is for, and where to, as the log has it. @typedef {{client: string, target: string}} Names */

/** Serves WebSockets, each of which is one connection to one target. */
export class Bridge {
  #options;
  #targets;
  #place;
  #server;
  #isMine;
  #admission;
  #loop = new Loop({ transports: { accepted } });
  /** @type {Set<Relay>} */
  #relays = new Set();
  /** Those whose target is not reached yet. @type {Set<Visit>} */
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
    const { allow, listen, server, origins, cert, key, idle } = this.#options;
    const { maxConnections, maxConnectionsPerAddress } = this.#options;
    this.#targets = new Targets(allow);
    this.#place = place(listen);
    const isWelcome = origins ? among(origins) : ofHost(server ? '' : this.#place.host);
    this.#admission = new Admission(isWelcome, maxConnections, maxConnectionsPerAddress);
    this.#isMine = server === undefined;
    this.#server = server ?? this.#serve(cert, key);
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
    try {
      return makeServer(this.#options.maxConnections, tls).listen(where);
    } catch (cause) {
      const { message } = /** @type {Error} */ (cause);
      throw new TowlineError('EINVAL', `a certificate or key of no use: ${message}`, { cause });
    }
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
    const visit = new Visit(this.#loop, this.#options, target);
    const through = this.#receive(visit, names, request, socket, head)
      .catch((error) => this.#loop.onerror(error, {}))
      .finally(() => {
        this.#visits.delete(through);
        leave();
      });
    this.#visits.add(through);
  };

  /**
   * From the request to the end.
   * @param {Visit} visit
   * @param {Names} names
   * @param {IncomingMessage} request
   * @param {Duplex} socket
   * @param {Buffer} head
   */
  async #receive(visit, names, request, socket, head) {
    const id = ++this.#lastId;
    const { onlog } = this.#options;
    this.#opening.add(visit);
    const failure = await visit.reach(socket);
    this.#opening.delete(visit);
    const webSocket = socket.destroyed ? null : visit.accept(request, socket, head);
    if (!webSocket) return visit.letGo();
    if (failure !== '') {
      await visit.turnAway(webSocket, failure);
      const why = `target: ${failure}`;
      return onlog({ type: 'closed', id, ...names, sent: 0, received: 0, why });
    }
    const relay = await visit.join(webSocket);
    if (!relay) return;
    onlog({ type: 'opened', id, ...names });
    this.#relays.add(relay);
    if (this.#isOver) this.#endAll();
    await relay.closed;
    this.#relays.delete(relay);
    const { client, target, why } = relay;
    const [sent, received] = [client.received, target.received];
    onlog({ type: 'closed', id, ...names, sent, received, why });
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
    for (const visit of this.#opening) visit.cancel();
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
