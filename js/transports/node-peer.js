import net from 'node:net';
import { PEER_SIZE } from '../endpoint.js';
import { hostPort, parseHostPort } from './node-address.js';

/**
 * Who is at the other end of a datagram, as Node says it, and as a module does: a `tow_peer`, whose first byte counts the
 * others. These are 4 or 6, the port and the address as on the wire, and for a link-local IPv6 address its zone's name.
 * @typedef {{address: string, port: number}} Peer
 */

const HOST = 4;
const ZONE = HOST + 16;

/** The 16 bytes of an IPv6 address. @param {string} address without a zone */
function ipv6Bytes(address) {
  const [head, tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const words = (/** @type {string} */ text) =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [first, last] = [words(head), words(tail)];
  const zeros = new Array(8 - first.length - last.length).fill(0);
  return [...first, ...zeros, ...last].flatMap((word) => [word >> 8, word & 255]);
}

/** @param {Uint8Array} bytes 16 of them */
function ipv6Text(bytes) {
  const words = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8) | bytes[2 * i + 1]);
  const address = words.map((word) => word.toString(16)).join(':');
  return new net.SocketAddress({ family: 'ipv6', address }).address;
}

/** A `tow_peer`; undefined if it has no room for it. @param {Peer} peer */
export function peerBytes({ address, port }) {
  const [host, zone] = address.split('%');
  const bytes = net.isIPv4(host)
    ? [4, port >> 8, port & 255, ...host.split('.').map(Number)]
    : [6, port >> 8, port & 255, ...ipv6Bytes(host), ...Buffer.from(zone ?? '')];
  if (bytes.length >= PEER_SIZE) return undefined;
  const peer = new Uint8Array(PEER_SIZE);
  peer.set([bytes.length, ...bytes]);
  return peer;
}

/** What a `tow_peer` says; undefined: nothing of ours. @param {Uint8Array} bytes @returns {Peer | undefined} */
export function peerOf(bytes) {
  const [size, family] = bytes;
  const port = (bytes[2] << 8) | bytes[3];
  if (family === 4 && size === HOST + 3)
    return { address: bytes.subarray(HOST, HOST + 4).join('.'), port };
  if (family !== 6 || size < ZONE - 1 || size >= PEER_SIZE) return undefined;
  const zone = Buffer.from(bytes.subarray(ZONE, size + 1)).toString();
  const host = ipv6Text(bytes.subarray(HOST, ZONE));
  return { address: zone ? `${host}%${zone}` : host, port };
}

/** '127.0.0.1:9' or '[::1]:9', no names; undefined: none. @param {string} text @returns {Peer | undefined} */
export function parsePeer(text) {
  try {
    const { host, port } = parseHostPort(`udp://${text}`);
    return net.isIP(host) ? { address: host, port } : undefined;
  } catch {
    return undefined;
  }
}

/** @param {Peer} peer */
export const peerText = ({ address, port }) => hostPort(address, port);
