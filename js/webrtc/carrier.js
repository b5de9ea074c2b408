import { TowlineError } from '../errors.js';
import { PeersEndpoint } from './endpoint.js';
import { nodePeerConnection } from './node-peer-connection.js';
import { check } from './options.js';
import { isPeerName, NAME_SIZE, Room, randomLetters } from './room.js';
import { Search } from './search.js';
import { isName } from './signalling.js';
import { connectionOf, RoomListener } from './stream.js';

/** @typedef {import('../request.js').HostOptions} HostOptions */
/** @import { Request } from '../request.js' */
/** @import { Owner, Role } from './room.js' */
/** @typedef {import('./signalling.js').Signalling} Signalling */

/**
 * A STUN or TURN server, as an RTCPeerConnection wants it.
 * @typedef {object} IceServer
 * @property {string | string[]} urls 'stun:example.org:3478', 'turn:example.org?transport=tcp', 'turns:example.org'
 * @property {string} [username]
 * @property {string} [credential]
 */

/**
 * All may also be given to a single `connect`, `bind` or `listen`.
 * @typedef {object} WebRTCOptions
 * @property {(room: string) => Signalling | Promise<Signalling>} signalling how participants find each other: `rendezvous(url)`,
 *   `broadcastChannel()`, `invitation()`, or your own
 * @property {IceServer[]} iceServers none, unless given: so nothing but the peers is asked
 * @property {string} [name] this participant's, of at most 31 letters, digits and `_.~-`; 16 random letters unless given
 * @property {boolean} [ordered] datagrams: whether they arrive in order
 * @property {number} [maxRetransmits] datagrams: how often one that was lost is sent again; 0 unless given, Infinity: until
 *   it arrives
 * @property {number} [maxPacketLifeTime] datagrams: the same, as milliseconds
 * @property {number} maxPeers in a room, 256
 * @property {number} opening milliseconds for making a connection to one who was heard of, 30000; people who copy and paste
 *   take longer
 * @property {number} patience milliseconds: how long one who has said that it leaves may be silent, 5000
 * @property {new (configuration?: any) => object} [RTCPeerConnection] the constructor to use
 */

/** @typedef {HostOptions & WebRTCOptions} Settings */

const defaults = { iceServers: [], ordered: false, maxPeers: 256, opening: 30_000, patience: 5000 };

/** The names of a channel's protocol: what is sent through it. */
const DATAGRAMS = 'towline.datagrams.1';
const STREAM = 'towline.0';
const FRAMED = 'towline.1';

/** 'webrtc:ROOM' or 'webrtc:ROOM/PEER'. @param {string} address */
function parse(address) {
  const [, scheme, room, peer] = /^(webrtc(?:-stream)?):([^/]*)(?:\/(.*))?$/.exec(address) ?? [];
  if (!isName(room) || (peer !== undefined && !isPeerName(peer)))
    throw new TowlineError('EADDRESS', `not a room, or a peer in it: ${address}`);
  return { isStream: scheme === 'webrtc-stream', room, peer };
}

/** @param {Settings} settings */
async function peerConnectionOf({ RTCPeerConnection }) {
  if (RTCPeerConnection ?? globalThis.RTCPeerConnection)
    return RTCPeerConnection ?? globalThis.RTCPeerConnection;
  if (typeof process === 'object') return nodePeerConnection();
  throw new TowlineError('ENOTSUP', 'there is no RTCPeerConnection here: a Worker has none');
}

/** How datagrams get lost. @param {Settings} settings @returns {RTCDataChannelInit} */
function reliability({ ordered, maxRetransmits, maxPacketLifeTime }) {
  if (maxRetransmits === Number.POSITIVE_INFINITY) return { ordered };
  if (maxPacketLifeTime === undefined) return { ordered, maxRetransmits: maxRetransmits ?? 0 };
  if (maxRetransmits === undefined) return { ordered, maxPacketLifeTime };
  throw new TowlineError('EINVAL', 'maxRetransmits and maxPacketLifeTime exclude each other');
}

/**
 * Opens a room for a request, which may be cancelled meanwhile.
 * @param {Request} request
 * @param {{isStream: boolean, room: string, role: Role, owner: () => Owner & {room?: Room}}} what
 * @param {Settings} settings
 * @returns {Promise<Room | undefined>}
 */
async function openRoom(request, { isStream, room: at, role, owner: makeOwner }, settings) {
  const {
    name = randomLetters(16),
    signalling,
    iceServers,
    opening,
    patience,
    maxPeers,
    framing,
  } = settings;
  let isCancelled = false;
  request.oncancel = () => {
    isCancelled = true;
  };
  check(settings);
  if (!signalling)
    throw new TowlineError('EINVAL', 'webrtc({ signalling }) says how peers find each other');
  if (!isPeerName(name))
    throw new TowlineError('EINVAL', `not a name of at most ${NAME_SIZE} letters: ${name}`);
  const datagrams = reliability(settings);
  const RTCPeerConnection = await peerConnectionOf(settings);
  const texts = isCancelled ? undefined : await signalling(at);
  if (isCancelled) return void texts?.close?.();
  if (typeof texts?.send !== 'function' || typeof texts.receive !== 'function')
    throw new TowlineError('EINVAL', 'what signalling answers has no send, or no receive');
  const owner = makeOwner();
  const self = /** @type {const} */ ({
    name,
    role,
    kind: isStream ? 'stream' : 'datagram',
    framing: isStream ? framing : 'refused',
    maxPeers,
  });
  /** @param {boolean} framed */
  const making = (framed) => {
    const stream = { ordered: true, protocol: framed ? FRAMED : STREAM };
    const channel = isStream ? stream : { ...datagrams, protocol: DATAGRAMS };
    const holds = !texts.isLetters;
    return { RTCPeerConnection, iceServers, holds, opening, patience, channel };
  };
  const room = new Room(texts, self, making, owner);
  owner.room = room;
  request.oncancel = () => room.leave();
  return room;
}

/** Says why a request has failed. @param {Request} request @param {Promise<void>} work */
const answer = (request, work) =>
  void work.catch(({ code = 'EUNKNOWN', native = 0, message }) =>
    request.failed(code, native, message),
  );

/** @param {Request} request */
function lacksDatagrams(request) {
  if (request.instance.exports.tow_host_datagram) return false;
  request.failed('ENOTSUP', 0, 'the module has no protocols of datagrams');
  return true;
}

/** @param {Request} request @param {Settings} settings @param {string} [only] */
const newEndpoint = ({ instance }, { inbox, maxRetransmits }, only) =>
  new PeersEndpoint(
    instance,
    { inbox, mayLose: maxRetransmits !== Number.POSITIVE_INFINITY },
    only,
  );

/** @param {Request} request @param {{isStream: boolean, room: string, peer?: string}} place @param {Settings} settings */
async function connect(request, { isStream, room: at, peer }, settings) {
  const search = new Search(request, peer, (link) => {
    const { room } = link;
    if (isStream) {
      room.leave(); // once it is found, there is nobody to look for
      return connectionOf(request.instance, link, settings);
    }
    const connected = newEndpoint(request, settings, link.id);
    connected.room = room;
    room.owner = connected;
    connected.joined(link);
    return connected;
  });
  const role = isStream ? 'client' : 'peer';
  const room = await openRoom(request, { isStream, room: at, role, owner: () => search }, settings);
  room?.join(peer);
}

/** @param {Request} request @param {string} at @param {Settings} settings */
async function bind(request, at, settings) {
  /** @type {PeersEndpoint | undefined} */
  let endpoint;
  const owner = () => {
    endpoint = newEndpoint(request, settings);
    return endpoint;
  };
  const room = await openRoom(
    request,
    { isStream: false, room: at, role: 'peer', owner },
    settings,
  );
  if (!room || !endpoint) return;
  request.opened(endpoint);
  room.join();
}

/** @param {Request} request @param {string} at @param {string} address @param {Settings} settings */
async function listen(request, at, address, settings) {
  /** @type {RoomListener | undefined} */
  let listener;
  const owner = () => {
    listener = new RoomListener(request.instance, address, settings);
    return listener;
  };
  const room = await openRoom(
    request,
    { isStream: true, room: at, role: 'server', owner },
    settings,
  );
  if (!room || !listener) return;
  request.opened(listener);
  room.join();
}

/**
 * What carries `webrtc:` and `webrtc-stream:` addresses, for `load(url, { transports })`:
 *
 *     const peers = webrtc({ signalling: rendezvous('wss://example.org/rendezvous') });
 *     const module = await load(url, { transports: { webrtc: peers, 'webrtc-stream': peers } });
 *
 * @param {Partial<WebRTCOptions>} [given]
 * @returns {import('../request.js').Carrier}
 */
export function webrtc(given = {}) {
  check(given);
  /** @param {HostOptions & Partial<WebRTCOptions>} options @returns {Settings} */
  const settle = (options) => /** @type {Settings} */ ({ ...defaults, ...given, ...options });
  return {
    negotiates: true,

    connect(request, address, options) {
      const place = parse(address);
      if (place.isStream || !lacksDatagrams(request))
        answer(request, connect(request, place, settle(options)));
    },

    bind(request, address, options) {
      const { isStream, room, peer } = parse(address);
      if (isStream || peer !== undefined)
        throw new TowlineError('EADDRESS', `an endpoint is bound to webrtc:ROOM, not ${address}`);
      if (!lacksDatagrams(request)) answer(request, bind(request, room, settle(options)));
    },

    listen(request, address, options) {
      const { isStream, room, peer } = parse(address);
      if (!isStream || peer !== undefined)
        throw new TowlineError('EADDRESS', `webrtc-stream:ROOM can be served, not ${address}`);
      answer(request, listen(request, room, address, settle(options)));
    },
  };
}
