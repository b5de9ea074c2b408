import { WebSocketServer } from 'ws';
import { bounds } from '../admission.js';
import { connectionOf } from '../transports/node-websocket.js';
import { pick, understand } from '../transports/websocket-framing.js';
import { WebSocketEndpoint } from './endpoint.js';
import { DatagramSide, Relay, StreamSide } from './relay.js';
import { DATAGRAMS, nameOf, resetFrame, UNREACHED } from './words.js';

/** @import { IncomingMessage } from 'node:http' */
/** @import { Duplex } from 'node:stream' */
/** @import { WebSocket } from 'ws' */
/** @import { BaseLoop } from '../protocols/loop.js' */
/** @import { Carrier } from '../request.js' */
/** @import { Target } from './targets.js' */

/** The subprotocol of others who carry bytes over WebSockets. */
const PLAIN = ['binary'];

/** @param {WebSocket} webSocket */
const isFramed = ({ protocol }) => understand(protocol, 'offered').isFramed;

/** A client's end: a WebSocket that is open already. @type {Carrier} */
export const accepted = {
  negotiates: true,
  connect(request, _address, { socket, isStream, ...options }) {
    const { instance } = request;
    if (socket.readyState !== socket.OPEN) return request.failed('ECLOSED', 0, 'it has gone');
    request.opened(
      isStream
        ? connectionOf(instance, socket, options)
        : new WebSocketEndpoint(instance, socket, options, 'client'),
    );
  },
};

/** One who has asked for a target that is allowed: the target is reached first, and then the WebSocket is accepted. */
export class Visit {
  #loop;
  #options;
  #target;
  #opening = new AbortController();
  /** The target's. @type {StreamSide | DatagramSide} */
  #side;

  /**
   * @param {BaseLoop} loop
   * @param {{connectTimeout: number, buffer: number, maxMessage: number}} options
   * @param {Target} target
   */
  constructor(loop, options, target) {
    this.#loop = loop;
    this.#options = options;
    this.#target = target;
    this.#side = this.#isStream ? new StreamSide('target') : new DatagramSide('target');
  }

  get #isStream() {
    return this.#target.scheme !== 'udp';
  }

  /** There is no time left for reaching the target. */
  cancel() {
    this.#opening.abort();
  }

  /**
   * Opens the target's side. Answers '', or the name of what went wrong.
   * @param {Duplex} socket the client's, which may go meanwhile
   */
  async reach(socket) {
    const { connectTimeout, buffer } = this.#options;
    const { address } = this.#target;
    const options = { signal: this.#opening.signal, timeout: connectTimeout, high: buffer };
    const gone = () => this.cancel();
    socket.on('error', gone).on('close', gone);
    try {
      if (this.#isStream) await this.#loop.connect(address, () => this.#side, options);
      else await this.#loop.datagram(address, () => this.#side, options);
      return '';
    } catch (error) {
      return nameOf(error);
    } finally {
      socket.off('close', gone);
    }
  }

  /** Nobody wants the target any more. */
  letGo() {
    this.#side.transport?.abort();
  }

  /**
   * Null: it was no WebSocket, and has been told.
   * @param {IncomingMessage} request
   * @param {Duplex} socket
   * @param {Buffer} head
   */
  accept(request, socket, head) {
    /** @type {WebSocket | null} */
    let accepted = null;
    const server = new WebSocketServer({
      ...bounds,
      maxPayload: this.#options.maxMessage,
      handleProtocols: (offered) => this.#choose(offered),
    });
    server.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => {}); // 'close' follows
      webSocket.pause();
      accepted = webSocket;
    });
    return /** @type {WebSocket | null} */ (accepted);
  }

  /** @param {Set<string>} offered */
  #choose(offered) {
    if (this.#isStream) return pick(offered, PLAIN, 'offered') ?? false;
    return [DATAGRAMS, ...PLAIN].find((name) => offered.has(name)) ?? false;
  }

  /** Tells that the target was not reached, and ends it. @param {WebSocket} webSocket @param {string} name of the error */
  async turnAway(webSocket, name) {
    const ending = { code: UNREACHED, reason: `${name}: the target was not reached` };
    const closed = new Promise((resolve) => {
      webSocket.on('close', resolve);
    });
    if (isFramed(webSocket)) webSocket.send(resetFrame(ending));
    webSocket.close(ending.code, ending.reason);
    webSocket.resume();
    await closed;
  }

  /** Undefined: the client has gone. @param {WebSocket} webSocket */
  async join(webSocket) {
    const { buffer, maxMessage } = this.#options;
    const side = this.#side;
    const client = this.#isStream ? new StreamSide('client') : new DatagramSide('client');
    const options = /** @type {any} */ ({
      socket: webSocket,
      isStream: this.#isStream,
      high: buffer,
      inbox: maxMessage,
    });
    try {
      if (this.#isStream) await this.#loop.connect('accepted:', () => client, options);
      else await this.#loop.datagram('accepted:', () => client, options);
    } catch {
      this.letGo();
      webSocket.terminate();
      return undefined;
    }
    if (side instanceof DatagramSide) this.#talk(side, webSocket);
    return new Relay(client, side, webSocket, isFramed(webSocket));
  }

  /** The texts between datagrams. @param {DatagramSide} target @param {WebSocket} webSocket */
  #talk(target, webSocket) {
    webSocket.resume();
    if (webSocket.protocol !== DATAGRAMS) return;
    webSocket.send('open');
    target.onfailed = (code) => {
      if (webSocket.bufferedAmount <= this.#options.buffer) webSocket.send(`error ${code}`);
    };
  }
}
