/** The peer of a data channel: a participant of a room, which speaks as js/webrtc/room.js says. */
import { FramedWire } from './framing.js';
import { Room } from './signalling.js';
import { Inbox } from './wires.js';

/** @typedef {import('./data-channel.js').Channel} Channel */
/** @typedef {import('./data-channel.js').Open} Open */
/** @typedef {import('./doors.js').Door} Door */
/** @typedef {import('./wires.js').Wire} Wire */

/** What is the channel's to hear. */
const WORDS = ['description', 'candidate'];

/** What the last message is, if nothing can get lost. */
const END = 'end';

/** What a peer sends as one message of a stream. */
const MESSAGE = 65_536;

/**
 * What a participant says it is, and its channel's protocol.
 * @typedef {object} Self
 * @property {string} name
 * @property {'stream' | 'datagram'} kind
 * @property {'server' | 'peer'} role
 * @property {'offered' | 'refused'} framing
 * @property {string} protocol
 */

/** A place in a room, and a channel to the one other. @implements {Wire} */
class Participant {
  #room;
  #self;
  #open;
  #session = crypto.randomUUID();
  /** The other's name and session. */
  #other = { to: '', peer: '' };
  /** @type {Channel | undefined} */
  #channel;
  #isClosing = false;
  #isOver = false;
  #inbox = new Inbox();
  /** What becomes of who says hello. @type {'welcome' | 'refused' | 'ignored'} */
  guest = 'welcome';
  /** Its channel is open. */
  onopen = () => {};

  /**
   * @param {Room} room
   * @param {Self} self
   * @param {Open} open
   */
  constructor(room, self, open) {
    this.#room = room;
    this.#self = self;
    this.#open = open;
    room.takers[0] = (text) => this.#hear(JSON.parse(text));
    this.hasBoundaries = self.kind === 'datagram' || undefined;
  }

  // ---- Signalling ----

  /** @param {string} type @param {object} [more] */
  #say(type, more) {
    const { name: from } = this.#self;
    const message = { from, type, session: this.#session, ...this.#other, ...more };
    this.#room.say(1, JSON.stringify(message));
  }

  /** @param {any} message */
  #hear(message) {
    const { type, session } = message;
    if (type === 'hello' && this.#other.to === '') this.#greet(message);
    else if (session !== this.#other.peer) return;
    else if (type === 'bye') this.#farewell();
    else if (!this.#isOver && WORDS.includes(type)) this.#channel?.hear(message);
  }

  /** @param {any} hello */
  #greet({ from, session, kind, framing }) {
    const { name, role, protocol, ...self } = this.#self;
    if (this.guest === 'ignored' || kind !== self.kind) return;
    this.#other = { to: from, peer: session };
    this.#say('hello', { kind, role, framing: self.framing });
    if (this.guest === 'refused') return this.#say('bye');
    if (self.framing === 'offered' && framing !== 'offered')
      throw new Error('Towline framing was not offered');
    this.#channel = this.#open(
      { protocol, offers: name > from },
      {
        say: ({ type, ...more }) => this.#say(type, more),
        onopen: () => this.onopen(),
        onmessage: (bytes) => this.#inbox.push(bytes),
        ontext: (text) => {
          if (text === END) this.#over('eof');
        },
        onclose: (end) => this.#over(end),
      },
    );
  }

  /** @param {'eof' | 'reset'} end */
  #over(end) {
    this.#inbox.finish(end);
    if (!this.#isClosing) this.#leave();
  }

  /** The other has had all that was sent before this one closed. Otherwise its channel says when it ends. */
  #farewell() {
    if (this.#isClosing) this.#leave();
  }

  /** Nothing is left to be said through the channel. */
  #leave() {
    if (this.#isOver || !this.#channel) return;
    this.#isOver = true;
    this.#say('bye');
    this.#channel.end();
  }

  // ---- Its wire ----

  get end() {
    return this.#inbox.end;
  }

  read() {
    return this.#inbox.read();
  }

  /** @param {Buffer} bytes */
  async send(bytes) {
    if (this.hasBoundaries) return this.#channel?.send(bytes);
    for (let at = 0; at < bytes.length; at += MESSAGE)
      await this.#channel?.send(bytes.subarray(at, at + MESSAGE));
  }

  /** A channel has no half-close. */
  async shutdown() {
    this.close();
  }

  close() {
    if (this.#isOver || this.#isClosing) return;
    this.#isClosing = true;
    this.#say('bye');
    this.#channel?.sendText(END);
  }

  /** Without a word, so that the other knows it at once: connections that break off are noticed when they are silent. */
  reset() {
    this.#isClosing = true;
    this.#channel?.close();
  }

  /** It has gone, if it had not. */
  vanish() {
    this.#leave();
    this.#inbox.finish('eof');
    this.#room.close();
  }
}

/**
 * As names compare, that of the system under test is between these two: who has the greater one offers. In Node a peer does
 * not: libdatachannel may fail when its offer is answered fast, for it begins before it knows whose certificate it wants.
 */
const ANSWERS = 'anne';
export const OFFERS = 'zoe';

const stream = /** @type {const} */ ({ kind: 'stream', role: 'server' });
const datagrams = /** @type {const} */ ({
  kind: 'datagram',
  role: 'peer',
  framing: 'refused',
  protocol: 'towline.datagrams.1',
});

/** What the peer is on each transport. */
const selves = {
  'webrtc-stream': { ...stream, framing: 'refused', protocol: 'towline.0' },
  'framed-webrtc-stream': { ...stream, framing: 'offered', protocol: 'towline.1' },
  webrtc: datagrams,
  'webrtc-bound': datagrams,
};

/** @typedef {keyof typeof selves} WebRTC */

/**
 * @param {WebRTC} transport
 * @param {Open} open
 * @param {string} [name]
 * @returns {Door}
 */
export function webrtcDoor(transport, open, name = ANSWERS) {
  const self = /** @type {Self} */ ({ ...selves[transport], name });
  const room = new Room();
  const participant = new Participant(room, self, open);
  /** @type {Promise<void>} */
  const opened = new Promise((resolve) => {
    participant.onopen = resolve;
  });
  return {
    spec: `${self.kind === 'stream' ? 'webrtc-stream' : 'webrtc'}:${room.name}/${self.name}`,
    async wire() {
      await opened;
      return self.framing === 'offered' ? new FramedWire(participant) : participant;
    },
    close: async () => participant.vanish(),
    async refuse() {
      participant.guest = 'refused';
    },
    ignore() {
      participant.guest = 'ignored';
    },
  };
}
