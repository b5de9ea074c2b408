/** One connection of a bridge: two protocols, each of which does to the other's transport what happens to its own. */
import { BROKEN, GOING, nameOf } from './words.js';

/** @import { TowlineError } from '../errors.js' */

/** What a WebSocket says that ends as it should. */
const CLEAN = [1000, 1001, 1005];

class Side {
  /** Set when it is open. @type {any} */
  transport = null;
  /** Set by the relay. @type {Side} */
  other = this;
  /** @type {Relay | undefined} */
  relay;
  received = 0;
  hasEnded = false;
  isLost = false;

  /** @param {string} name 'client' or 'target' */
  constructor(name) {
    this.name = name;
  }

  /** Nothing is read before there are two. @param {any} transport */
  connectionMade(transport) {
    this.transport = transport;
    transport.pauseReading();
  }

  pauseWriting() {
    this.other.transport.pauseReading();
  }

  resumeWriting() {
    this.other.transport.resumeReading();
  }

  /** @param {number} size */
  came(size) {
    this.received += size;
    this.relay?.moved();
  }

  /** @param {TowlineError | null} error */
  connectionLost(error) {
    const isClean = error === null || (error.code === 'ECLOSED' && CLEAN.includes(error.native));
    this.isLost = true;
    this.relay?.lost(this, isClean ? null : error);
  }
}

/** One of two streams. */
export class StreamSide extends Side {
  /** @param {Uint8Array} data */
  dataReceived(data) {
    this.came(data.length);
    this.other.transport.write(data);
  }

  /** Where there is no half-close the whole connection ends. */
  eofReceived() {
    const { transport, hasEnded } = this.other;
    this.hasEnded = true;
    if (!hasEnded && transport.canWriteEof()) transport.writeEof();
    else transport.close();
    return !hasEnded;
  }
}

/** One of two endpoints. */
export class DatagramSide extends Side {
  /** What is told of a datagram that got lost; the client's side needs none. */
  onfailed = (/** @type {string} */ _code) => {};

  /** @param {Uint8Array} data */
  datagramReceived(data) {
    this.came(data.length);
    this.other.transport.sendto(data);
  }

  /** @param {TowlineError} error */
  errorReceived(error) {
    this.onfailed(nameOf(error));
  }
}

/** A client and a target that are both open. */
export class Relay {
  /** When something came last. */
  moment = performance.now();
  /** Why it has ended: the first cause. */
  why = '';
  #socket;
  /** @type {() => void} */
  #done = () => {};

  /**
   * @param {Side} client
   * @param {Side} target
   * @param {import('ws').WebSocket} socket the client's
   * @param {boolean} isFramed
   */
  constructor(client, target, socket, isFramed) {
    this.client = client;
    this.target = target;
    this.#socket = socket;
    this.isFramed = isFramed;
    client.relay = target.relay = this;
    client.other = target;
    target.other = client;
    /** Both are lost. @type {Promise<void>} */
    this.closed = new Promise((resolve) => {
      this.#done = resolve;
    });
    // One that was lost before there were two has told nobody.
    if (target.isLost) this.end(BROKEN, 'ECONNRESET: the target broke off');
    if (client.isLost) this.lost(client, null);
    for (const { transport } of [client, target]) transport.resumeReading();
  }

  moved() {
    this.moment = performance.now();
  }

  /** @param {Side} side @param {TowlineError | null} error */
  lost(side, error) {
    const { client, target } = this;
    this.why ||= error ? `${side.name}: ${error.code}` : `${side.name} closed`;
    if (side === client && error) target.transport.abort();
    else if (error) this.#breakOff(BROKEN, `${nameOf(error)}: the target broke off`);
    else side.other.transport.close();
    if (client.isLost && target.isLost) this.#done();
  }

  /** Ends it, whatever waits. @param {number} code @param {string} reason */
  end(code, reason) {
    this.why ||= code === GOING ? 'the bridge closes' : reason;
    this.target.transport.abort();
    this.#breakOff(code, reason);
  }

  /** The client is told why: a WebSocket without framing has its close for that. @param {number} code @param {string} reason */
  #breakOff(code, reason) {
    if (!this.isFramed) this.#socket.close(code, reason);
    this.client.transport.abort(code, reason);
  }
}
