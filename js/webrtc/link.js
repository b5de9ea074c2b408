import { Statistics } from './statistics.js';

/** @typedef {import('./room.js').Room} Room */
/** @typedef {{code: string, native: number, message: string}} Failure */
/**
 * How links are made: an RTCPeerConnection's constructor and its ICE servers; what the channel is, an RTCDataChannelInit; how
 * many milliseconds making it may take, and for how many one who has said that it leaves may be silent.
 * @typedef {object} Making
 * @property {any} RTCPeerConnection
 * @property {RTCIceServer[]} iceServers
 * @property {RTCDataChannelInit} channel
 * @property {boolean} holds whether candidates may wait for the answer
 * @property {number} opening
 * @property {number} patience
 */

/**
 * How much may be on its way in a channel; what is over it waits in the core [F7]. Where messages may get lost it is less: an
 * engine that is given more at once loses some in its own socket, and then stands still for a second or more.
 */
const WINDOW = 262144;
const LOSSY_WINDOW = 32768;
/** The longest message, here and there [R2]. */
const LONGEST = 262144;
/** Milliseconds for sending what was written before it was closed. */
const LINGERING = 30_000;
/** Milliseconds for the peer to say `bye`, when it has all: so it sees the channel end, and not the connection break off. */
const FAREWELL = 1000;
/** What is said in the channel itself after the last message, where messages come in order and none is lost. */
const END = 'end';
const CANDIDATE_LINES = /^a=(candidate:.*|end-of-candidates)\r?\n/gm;
/** Candidates that are kept until there is a description. */
const CANDIDATES = 64;

const encoder = new TextEncoder();

/** @param {string} code @param {string} message @returns {Failure} */
const failure = (code, message) => ({ code, native: 0, message });

/**
 * One participant's data channel to another, and the RTCPeerConnection that is there for it alone. Both ends make the channel
 * before they negotiate: so it needs no word of its own on the wire, and each end's messages are sent as that end wants.
 *
 * The end: who closes says `bye`, and END in the channel; the peer, when it comes to that, says `bye` and ends the connection.
 * Either tells who closed that it may go, too. A channel that may lose messages has no END: it is closed itself, when what was
 * sent has left. (In Node that loses what the peer's library has not yet handed over.)
 */
export class Link {
  /** @type {'opening' | 'open' | 'closing' | 'over'} */
  #state = 'opening';
  #connection;
  #channel;
  /** What waits for its turn: the calls of an RTCPeerConnection are asynchronous. */
  #chain = Promise.resolve();
  /** @type {RTCIceCandidateInit[]} */
  #candidates = [];
  /** Messages that Chromium tells of before it tells that the channel is open. @type {(ArrayBuffer | Uint8Array | string)[]} */
  #early = [];
  #isDescribed = false;
  /**
   * Who offers keeps its candidates until the answer is there: else the other could reach it before it knows whom to expect,
   * and node-datachannel then takes that for a stranger. @type {(() => void)[]}
   */
  #held = [];
  #isHolding;
  #isBroken = false;
  #isReliable;
  #wasHeard = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** The peer has said that it leaves. */
  hasLeft = false;

  onopen = () => {};
  onmessage = (/** @type {Uint8Array} */ _bytes) => {};
  onlow = () => {};
  /** Told once, of an end that was not asked for; null: the peer has closed it. @type {(error: Failure | null) => void} */
  onend = () => {};

  /**
   * @param {Room} room
   * @param {{id: string, session: string, framed: boolean, offers: boolean}} peer
   * @param {Making} making
   */
  constructor(room, { id, session, framed, offers }, making) {
    this.room = room;
    this.id = id;
    this.session = session;
    this.framed = framed;
    this.offers = offers;
    this.#isHolding = offers && making.holds;
    this.patience = making.patience;
    const { ordered, maxRetransmits, maxPacketLifeTime } = making.channel;
    const isWhole = (maxRetransmits ?? maxPacketLifeTime) === undefined;
    this.#isReliable = isWhole && ordered !== false;
    this.window = isWhole ? WINDOW : LOSSY_WINDOW;
    /** There is room again: `onlow`. */
    this.low = this.window / 4;
    this.#connection = new making.RTCPeerConnection({ iceServers: making.iceServers });
    this.#channel = this.#connection.createDataChannel('towline', {
      ...making.channel,
      negotiated: true,
      id: 0,
    });
    this.statistics = new Statistics(this.#connection);
    this.#listen();
    this.#wait(making.opening, () => this.#fail('ETIMEDOUT', 'no way to it was found in time'));
    globalThis.addEventListener?.('pagehide', this.#hide);
    if (offers) this.#work(() => this.#describe());
  }

  #listen() {
    const [connection, channel] = [this.#connection, this.#channel];
    connection.onicecandidate = (/** @type {{candidate: RTCIceCandidate | null}} */ event) => {
      const { candidate } = event;
      if (!candidate) this.#sayWhere('gathered');
      else if (candidate.candidate)
        this.#sayWhere('candidate', { candidate: candidate.candidate, mid: candidate.sdpMid });
    };
    connection.onconnectionstatechange = () => {
      const { connectionState } = connection;
      if (connectionState === 'failed') this.#fail('ECONNRESET', 'the way to it broke off');
      else if (connectionState === 'closed' && this.#state !== 'open') this.#lost();
    };
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = this.low;
    channel.onopen = () => this.#opened();
    channel.onmessage = (/** @type {{data: any}} */ { data }) => this.#message(data);
    channel.onbufferedamountlow = () => this.onlow();
    channel.onerror = () => {
      this.#isBroken = true;
    };
    channel.onclose = () => {
      const lacksEnd = this.#isReliable && this.#state === 'open';
      if (this.#isBroken || lacksEnd) this.#lost();
      else if (this.#state === 'closing') this.#wait(FAREWELL, () => this.#end(null));
      else this.#end(null);
    };
  }

  /** @param {number} milliseconds @param {() => void} body */
  #wait(milliseconds, body) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(body, milliseconds);
  }

  // ---- Making it ----

  /** @param {string} type @param {object} [more] */
  #say(type, more) {
    if (this.#state !== 'over') this.room.say(this.id, type, { ...more, peer: this.session });
  }

  /** Of a candidate; later, if it is held back. @param {string} type @param {object} [more] */
  #sayWhere(type, more) {
    if (this.#isHolding) this.#held.push(() => this.#say(type, more));
    else this.#say(type, more);
  }

  /** @param {() => Promise<void>} body */
  #work(body) {
    this.#chain = this.#chain
      .then(() => (this.#state === 'over' ? undefined : body()))
      .catch((error) => this.#fail('EPROTO', `no connection can be made: ${error.message}`));
  }

  async #describe() {
    await this.#connection.setLocalDescription();
    const { sdp } = this.#connection.localDescription;
    this.#say('description', { sdp: this.#isHolding ? sdp.replace(CANDIDATE_LINES, '') : sdp });
  }

  /** The peer's description; there is one. @param {string} sdp */
  described(sdp) {
    if (this.#isDescribed) return;
    this.#isDescribed = true;
    this.#work(async () => {
      await this.#connection.setRemoteDescription({ type: this.offers ? 'answer' : 'offer', sdp });
      if (!this.offers) await this.#describe();
      this.#isHolding = false;
      for (const say of this.#held.splice(0)) say();
    });
    for (const candidate of this.#candidates.splice(0)) this.candidate(candidate);
  }

  /** A place where the peer may be reached. @param {RTCIceCandidateInit} candidate */
  candidate(candidate) {
    if (this.#isDescribed)
      this.#work(() => this.#connection.addIceCandidate(candidate).catch(() => {})); // one of many
    else if (this.#candidates.length < CANDIDATES) this.#candidates.push(candidate);
  }

  #opened() {
    if (this.#state !== 'opening') return;
    clearTimeout(this.#timer);
    this.#state = 'open';
    this.statistics.refresh();
    this.onopen();
    if (this.hasLeft && this.#state === 'open') this.#expectEnd();
    for (const data of this.#early.splice(0)) this.#message(data);
  }

  // ---- Messages ----

  /** The longest that can be sent. */
  get maximum() {
    return Math.min(this.#connection.sctp.maxMessageSize, LONGEST);
  }

  /** Bytes that have not left yet. */
  get buffered() {
    return this.#channel.bufferedAmount;
  }

  get isOpen() {
    return this.#state === 'open';
  }

  /** The channel's. */
  get protocol() {
    return this.#channel.protocol;
  }

  /** @param {Uint8Array | string} message */
  send(message) {
    try {
      this.#channel.send(message);
    } catch {
      // it has just closed, which is told when its turn comes
    }
  }

  /** @param {ArrayBuffer | Uint8Array | string} data */
  #message(data) {
    if (this.#state === 'opening') return void this.#early.push(data);
    if (this.#isReliable && data === END) return this.#end(null);
    if (this.#state !== 'open') return;
    this.#wasHeard = true;
    const bytes =
      typeof data === 'string'
        ? encoder.encode(data)
        : data instanceof Uint8Array
          ? data
          : new Uint8Array(data);
    if (bytes.length > LONGEST) this.#fail('EPROTO', `a message of ${bytes.length} bytes`);
    else this.onmessage(bytes);
  }

  // ---- The end ----

  /** The peer says that it leaves: its channel says so, too, after what was sent before. */
  bye() {
    this.hasLeft = true;
    if (this.#state === 'opening') this.#expectOpening();
    else if (this.#state === 'closing') this.#end(null);
    else this.#expectEnd();
  }

  /** One that has described itself may have opened, and closed, its end before this one opens. */
  #expectOpening() {
    const refuse = () => this.#fail('ECONNREFUSED', 'it does not want the connection');
    if (this.#isDescribed) this.#wait(this.patience, refuse);
    else refuse();
  }

  #expectEnd() {
    this.#wasHeard = false;
    this.#wait(this.patience, () => {
      if (this.#wasHeard) this.#expectEnd();
      else this.#fail('ECONNRESET', 'it has left without an end');
    });
  }

  /** Nothing more is wanted of it; what was sent is delivered. */
  close() {
    this.onend = () => {};
    if (this.#state === 'opening') return this.#end(null);
    if (this.#state !== 'open') return;
    this.#say('bye');
    this.#state = 'closing';
    this.#wait(LINGERING, () => this.#end(null));
    if (this.#isReliable) this.send(END);
    else this.#channel.close();
  }

  abort() {
    this.onend = () => {};
    this.#end(null);
  }

  /** It is somebody else's by now. */
  replaced() {
    this.#fail('ECONNRESET', 'it has come anew');
  }

  #hide = () => this.#fail('ECLOSED', 'the page was left');

  #lost() {
    this.#fail('ECONNRESET', 'the connection was lost');
  }

  /** @param {string} code @param {string} message */
  #fail(code, message) {
    this.#end(failure(code, `${this.id}: ${message}`));
  }

  /** @param {Failure | null} error */
  #end(error) {
    if (this.#state === 'over') return;
    if (this.#state !== 'closing') this.#say('bye');
    this.#state = 'over';
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.('pagehide', this.#hide);
    const [connection, channel] = [this.#connection, this.#channel];
    connection.onicecandidate = connection.onconnectionstatechange = () => {};
    channel.onopen = channel.onmessage = channel.onbufferedamountlow = () => {};
    channel.onclose = channel.onerror = () => {};
    connection.close();
    this.room.ended(this);
    this.onend(error);
  }
}
