import dgram from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import net from 'node:net';
import { constants } from 'node:os';
import { Endpoint, PEER_SIZE } from '../endpoint.js';
import { parseHostPort } from './node-address.js';
import { fromNode } from './node-error.js';
import { parsePeer, peerBytes, peerOf, peerText } from './node-peer.js';

/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('../request.js').Carrier} Carrier */
/** @typedef {import('../request.js').HostOptions} HostOptions */
/** @typedef {import('../request.js').Request} Request */
/** @typedef {import('./node-peer.js').Peer} Peer */

/** The most that UDP can carry: what is left of 65,535 bytes beside its header, and IPv4's. */
const LONGEST = { 4: 65507, 6: 65527 };

/**
 * An endpoint of datagrams. Node tries at once what it is given, and keeps what would block; while it keeps one it is
 * given no other, so that the rest waits, and counts, in the core [F6, F7].
 */
class UdpEndpoint extends Endpoint {
  #closing = false;
  #gone = false;

  /**
   * @param {Instance} instance
   * @param {dgram.Socket} socket bound
   * @param {boolean} isConnected
   * @param {number} limit
   */
  constructor(instance, socket, isConnected, limit) {
    const remote = isConnected ? socket.remoteAddress() : null;
    super(instance, limit, remote && (peerBytes(remote) ?? null));
    this.socket = socket;
    this.sockname = socket.address();
    this.remote = remote;
    /** @type {4 | 6} */
    this.family = net.isIPv4(this.sockname.address) ? 4 : 6;
    socket.on('message', (bytes, from) => {
      const peer = peerBytes(from);
      if (peer) instance.turn(() => this.come(bytes, peer));
    });
    socket.on('error', (error) => instance.turn(() => this.#failed(error, null)));
    socket.on('close', () => {
      this.#gone = true;
      if (this.ended) instance.turn(() => this.closed());
    });
  }

  /** @param {Error} error @param {Peer | null} peer */
  #failed(error, peer) {
    this.datagramFailed(fromNode(error), peer && (peerBytes(peer) ?? null));
  }

  // ---- Sending ----

  /**
   * False: it would block. A failure that comes of it later is told when Node tells it.
   * @param {number} data
   * @param {number} size
   * @param {number} peerAt
   */
  sendto(data, size, peerAt) {
    const { socket, instance } = this;
    if (socket.getSendQueueCount() > 0) return false;
    const to = this.remote ?? peerOf(instance.memory.bytes(peerAt, PEER_SIZE));
    const bytes = instance.memory.bytes(data, size);
    if (!to || to.port === 0 || net.isIPv4(to.address) !== (this.family === 4))
      return this.refuse('EINVAL', constants.errno.EINVAL, peerAt);
    if (bytes.length > LONGEST[this.family])
      return this.refuse('EMSGSIZE', constants.errno.EMSGSIZE, peerAt);
    const done = (/** @type {Error | null} */ error) => this.#sent(error, to);
    if (this.remote) socket.send(bytes.slice(), done);
    else socket.send(bytes.slice(), to.port, to.address, done);
    return true;
  }

  /** @param {Error | null} error @param {Peer} to */
  #sent(error, to) {
    if (this.#closing) return this.close();
    if (error) this.instance.turn(() => this.#failed(error, to));
    if (this.waiting) this.instance.turn(() => this.drain());
  }

  /** @override */
  flush() {
    this.waiting = true;
    if (this.socket.getSendQueueCount() === 0) this.instance.later(() => this.drain());
  }

  // ---- The end ----

  /** What Node has kept is sent first [D4]. @override */
  close() {
    this.#closing = true;
    if (this.#gone) this.closed();
    else if (this.socket.getSendQueueCount() === 0) this.destroy();
  }

  /** @override */
  destroy() {
    if (!this.#gone) this.socket.close();
    this.#gone = true;
  }

  // ---- Names ----

  /** @param {number} text @param {number} peerAt */
  parsePeer(text, peerAt) {
    const { instance } = this;
    const peer = parsePeer(instance.memory.string(text));
    const bytes = peer && net.isIPv4(peer.address) === (this.family === 4) && peerBytes(peer);
    if (!bytes) return instance.code('EADDRESS');
    instance.memory.bytes(peerAt, PEER_SIZE).set(bytes);
    return 0;
  }

  /** As snprintf. @param {number} peerAt @param {number} text @param {number} capacity */
  formatPeer(peerAt, text, capacity) {
    const { instance } = this;
    const peer = peerOf(instance.memory.bytes(peerAt, PEER_SIZE));
    if (!peer) return instance.code('EADDRESS');
    return instance.memory.setString(text, capacity, peerText(peer));
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'sockname') return peerText(this.sockname);
    if (name === 'peername' && this.remote) return peerText(this.remote);
  }
}

/** Addresses are looked up before there is a socket; so a send need not wait for it. */
const asItIs = (
  /** @type {string} */ address,
  /** @type {number} */ family,
  /** @type {Function} */ tell,
) => tell(null, address, family);

/**
 * The carrier of datagrams, with sockets of `createSocket`.
 * @param {typeof dgram.createSocket} createSocket
 * @returns {Carrier}
 */
export function datagrams(createSocket) {
  /**
   * With the first of its addresses that can be had.
   * @param {Request} request
   * @param {string} address
   * @param {HostOptions} options
   * @param {boolean} isConnected
   */
  async function open(request, address, options, isConnected) {
    const { instance } = request;
    const { host, port } = parseHostPort(address);
    if (!instance.exports.tow_host_datagram)
      return request.failed('ENOTSUP', 0, 'the module has no protocols of datagrams');
    if (isConnected && port === 0) return request.failed('EADDRESS', 0, 'datagrams to no port');
    /** @type {dgram.Socket | undefined} */
    let socket;
    let isCancelled = false;
    request.oncancel = () => {
      isCancelled = true;
      socket?.close();
    };
    /** @type {Error[]} */
    const errors = [];
    for (const { address, family } of await lookup(host, { all: true })) {
      if (isCancelled) return;
      socket = createSocket({
        type: family === 4 ? 'udp4' : 'udp6',
        ipv6Only: options.ipv6Only && family === 6,
        lookup: /** @type {any} */ (asItIs),
      });
      try {
        const ready = once(socket, isConnected ? 'connect' : 'listening');
        if (isConnected) socket.connect(port, address);
        else socket.bind({ port, address, exclusive: true });
        await ready;
        return request.opened(new UdpEndpoint(instance, socket, isConnected, options.inbox));
      } catch (error) {
        errors.push(/** @type {Error} */ (error));
        socket.close();
        socket = undefined;
      }
    }
    throw new AggregateError(errors, '');
  }

  /** @param {boolean} isConnected @returns {import('../request.js').Open} */
  const opener = (isConnected) => (request, address, options) => {
    parseHostPort(address);
    open(request, address, options, isConnected).catch((error) => {
      const { code, native, message } = fromNode(error);
      request.failed(code, native, message);
    });
  };
  return { connect: opener(true), bind: opener(false) };
}

/** @type {Carrier} */
export const nodeDgram = datagrams(dgram.createSocket);
