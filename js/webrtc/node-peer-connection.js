import { TowlineError } from '../errors.js';

/** The connections that are not closed: what only the library holds would be collected, and stall. */
const alive = new Set();

/** An exception must not reach the library, which ends the process. @param {(...values: any[]) => void} body */
const guarded =
  (body) =>
  (/** @type {any[]} */ ...values) => {
    try {
      body(...values);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };

const ignore = () => {};

/** So many turns of the event loop without a message, and there is none. */
const QUIET = 2;

/**
 * A browser says names instead of its addresses, which are good for its own kind only (mDNS); it reaches this end all the
 * same. But the library gives up when it can do nothing with what it was told.
 * @param {string} candidate
 */
const isHidden = (candidate) => / [\w-]+\.local /.test(candidate);
const HIDDEN_LINES = /^a=(candidate:.* [\w-]+\.local .*|end-of-candidates)\r?\n/gm;

/** What link.js uses of an RTCDataChannel. */
class NodeDataChannel {
  onopen = ignore;
  onmessage = (/** @type {{data: Uint8Array | string}} */ _event) => {};
  onbufferedamountlow = ignore;
  onerror = ignore;
  onclose = ignore;
  /** @type {'connecting' | 'open' | 'closing' | 'closed'} */
  readyState = 'connecting';
  #channel;
  #messages = 0;

  /** @param {any} channel @param {string} protocol @param {NodePeerConnection} connection */
  constructor(channel, protocol, connection) {
    this.#channel = channel;
    this.protocol = protocol;
    channel.onOpen(guarded(() => this.#opened()));
    channel.onMessage(
      guarded((data) => {
        this.#opened();
        this.#messages++;
        this.onmessage({ data });
      }),
    );
    channel.onBufferedAmountLow(guarded(() => this.onbufferedamountlow()));
    channel.onClosed(
      guarded(() => {
        const isConnected = connection.connectionState === 'connected';
        // After `close` it is told at once, when what was sent is still on its way: it counts when the connection has gone.
        if (this.readyState !== 'closing' || !isConnected) this.#closed(isConnected);
      }),
    );
  }

  // The library tells each kind of event in order, but not one after the other.

  #opened() {
    if (this.readyState !== 'connecting') return;
    this.readyState = 'open';
    this.onopen();
  }

  /** Messages that came before are told before. @param {boolean} isConnected */
  #closed(isConnected, quiet = 0) {
    if (quiet < QUIET) {
      const messages = this.#messages;
      const go = () => this.#closed(isConnected, messages === this.#messages ? quiet + 1 : 0);
      setImmediate(go);
      return;
    }
    if (!isConnected) this.onerror();
    this.readyState = 'closed';
    this.onclose();
  }

  get maxMessageSize() {
    return this.#channel.maxMessageSize();
  }

  get bufferedAmount() {
    try {
      return this.#channel.bufferedAmount();
    } catch {
      return 0; // it is gone already, which is yet to be told
    }
  }

  /** @param {number} size */
  set bufferedAmountLowThreshold(size) {
    this.#channel.setBufferedAmountLowThreshold(size);
  }

  /** @param {Uint8Array | string} message */
  send(message) {
    if (typeof message === 'string') this.#channel.sendMessage(message);
    else this.#channel.sendMessageBinary(message);
  }

  /** What was sent before leaves first. */
  close() {
    if (this.readyState === 'closing' || this.readyState === 'closed') return;
    this.readyState = 'closing';
    this.#channel.close();
  }
}

/** What link.js uses of an RTCPeerConnection, made of the package node-datachannel. */
class NodePeerConnection {
  connectionState = 'new';
  onconnectionstatechange = ignore;
  onicecandidate = (/** @type {{candidate: any}} */ _event) => {};
  #connection;
  /** @type {NodeDataChannel | undefined} */
  #channel;

  /** @param {any} library @param {{iceServers: RTCIceServer[]}} configuration */
  constructor(library, { iceServers }) {
    this.#connection = new library.PeerConnection('towline', {
      iceServers: iceServers.flatMap(serversOf),
      disableAutoNegotiation: true,
    });
    alive.add(this);
    this.#connection.onStateChange(guarded((state) => this.#changed(state)));
    this.#connection.onLocalCandidate(
      guarded((candidate, sdpMid) => this.onicecandidate({ candidate: { candidate, sdpMid } })),
    );
    this.#connection.onGatheringStateChange(
      guarded((state) => {
        if (state === 'complete') this.onicecandidate({ candidate: null });
      }),
    );
  }

  /** @param {string} state */
  #changed(state) {
    this.connectionState = state;
    if (state === 'closed') alive.delete(this);
    this.onconnectionstatechange();
  }

  get sctp() {
    return { maxMessageSize: this.#channel?.maxMessageSize ?? 0 };
  }

  /** @param {string} label @param {any} options */
  createDataChannel(label, { ordered, ...options }) {
    const channel = this.#connection.createDataChannel(label, { ...options, unordered: !ordered });
    this.#channel = new NodeDataChannel(channel, options.protocol, this);
    return this.#channel;
  }

  async setLocalDescription() {
    this.#connection.setLocalDescription();
  }

  get localDescription() {
    return this.#connection.localDescription();
  }

  /** @param {{type: string, sdp: string}} description */
  async setRemoteDescription({ type, sdp }) {
    this.#connection.setRemoteDescription(sdp.replace(HIDDEN_LINES, ''), type);
  }

  /** @param {{candidate: string, sdpMid: string}} candidate */
  async addIceCandidate({ candidate, sdpMid }) {
    if (!isHidden(candidate)) this.#connection.addRemoteCandidate(candidate, sdpMid);
  }

  /** Reports as RTCStatsReport has them. */
  async getStats() {
    const pair = this.#connection.getSelectedCandidatePair();
    if (!pair) return new Map();
    const candidate = (/** @type {any} */ { address, port, type, transportType }) => ({
      address,
      port,
      candidateType: type,
      protocol: transportType.toLowerCase(),
    });
    const currentRoundTripTime = this.#connection.rtt() / 1000;
    return new Map(
      /** @type {[string, any][]} */ ([
        ['transport', { type: 'transport', selectedCandidatePairId: 'pair' }],
        ['pair', { localCandidateId: 'local', remoteCandidateId: 'remote', currentRoundTripTime }],
        ['local', candidate(pair.local)],
        ['remote', candidate(pair.remote)],
      ]),
    );
  }

  close() {
    this.#connection.close();
  }
}

/** An RTCIceServer, as the library has them. @param {RTCIceServer} server */
function serversOf({ urls, username, credential }) {
  return [urls].flat().map((url) => {
    const [, scheme, host, port, transport] =
      /^(stun|turns?):(\[[\da-f:]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(udp|tcp))?$/.exec(url) ?? [];
    if (!scheme) throw new TowlineError('EADDRESS', `not an ICE server: ${url}`);
    const isTls = scheme === 'turns';
    const place = { hostname: host, port: Number(port ?? (isTls ? 5349 : 3478)) };
    if (scheme === 'stun') return `stun:${host}:${place.port}`;
    const relayType = isTls ? 'TurnTls' : transport === 'tcp' ? 'TurnTcp' : 'TurnUdp';
    return { ...place, username, password: credential, relayType };
  });
}

/** The constructor to use in Node. */
export async function nodePeerConnection() {
  try {
    const { default: library } = await import(/* webpackIgnore: true */ 'node-datachannel');
    return NodePeerConnection.bind(null, library);
  } catch (cause) {
    throw new TowlineError(
      'ENOTSUP',
      'WebRTC in Node needs the package node-datachannel, which cannot be loaded: npm install node-datachannel',
      { cause },
    );
  }
}
