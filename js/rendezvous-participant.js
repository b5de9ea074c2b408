import { isName } from './webrtc/signalling.js';

/** @typedef {import('ws').WebSocket} WebSocket */
/** @typedef {{from: string, to: string | undefined, text: string}} Message what is looked at, and what is relayed */

/**
 * What a text says, and the same written anew, so that all who read it read the same; undefined: it is none that may be
 * relayed.
 * @param {string} text
 * @returns {Message | undefined}
 */
function parse(text) {
  try {
    const value = JSON.parse(text);
    const { from, to, type } = value;
    const isAddressed = isName(from) && (to === undefined || isName(to));
    const isTyped = typeof type === 'string' && /^[a-z]{1,32}$/.test(type);
    return isAddressed && isTyped ? { from, to, text: JSON.stringify(value) } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * One WebSocket of a rendezvous. What it may cost is bounded: what it has sent and is not yet due (what one read of the
 * socket brings, and then it is not read), what it has not read, and how much it makes others read.
 */
export class Participant {
  /** Who it is, once it is in its room. */
  name = '';
  #socket;
  #limits;
  #relay;
  /** What came faster than it may. @type {string[]} */
  #early = [];
  /** How many messages it may send now: one a message and receiver, none while it is not above 0. */
  #credit;
  #creditTime = performance.now();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;
  #wasHeard = true;
  #checks = 0;
  #isOver = false;

  /**
   * @param {WebSocket} socket
   * @param {string} room
   * @param {{maxMessage: number, maxBacklog: number, ratePerSecond: number}} limits
   * @param {(message: Message) => number} relay answers how many it went to
   */
  constructor(socket, room, limits, relay) {
    this.#socket = socket;
    this.room = room;
    this.#limits = limits;
    this.#relay = relay;
    this.#credit = limits.ratePerSecond;
    /** @type {Promise<void>} */
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end();
        resolve();
      });
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('ping', () => this.#heard());
    socket.on('pong', () => this.#heard());
    socket.on('message', (data, isBinary) => {
      if (this.#isOver) return;
      if (isBinary) return void this.refuse(1003, 'text is expected');
      this.#early.push(data.toString());
      this.#work();
    });
  }

  /** A frame that asks for nothing but costs something. */
  #heard() {
    this.#wasHeard = true;
    this.#credit--;
    this.#work();
  }

  /** Takes what is due. */
  #work() {
    if (this.#isOver || this.#pause) return;
    const { ratePerSecond } = this.#limits;
    const now = performance.now();
    const earned = ((now - this.#creditTime) / 1000) * ratePerSecond;
    this.#credit = Math.min(this.#credit + earned, ratePerSecond);
    this.#creditTime = now;
    while (this.#credit > 0 && this.#early.length > 0) {
      const text = /** @type {string} */ (this.#early.shift());
      this.#credit -= Math.max(1, this.#take(text));
    }
    if (this.#isOver) return;
    if (this.#credit > 0) return this.#socket.resume();
    this.#socket.pause();
    const pause = ((1 - this.#credit) / ratePerSecond) * 1000;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#work();
    }, pause);
  }

  /** Answers how many it went to. @param {string} text */
  #take(text) {
    this.#wasHeard = true;
    const message = parse(text);
    if (message && message.text.length <= this.#limits.maxMessage) return this.#relay(message);
    if (message) this.refuse(1009, 'too long');
    else this.refuse(1008, 'not a message');
    return 0;
  }

  /** @param {string} text */
  send(text) {
    if (this.#isOver) return;
    if (this.#socket.bufferedAmount + text.length > this.#limits.maxBacklog) this.#drop();
    else this.#socket.send(text);
  }

  /** Ends it, saying why. @param {number} code @param {string} reason @returns {false} */
  refuse(code, reason) {
    this.#end();
    this.#socket.resume();
    this.#socket.close(code, reason);
    return false;
  }

  /** Drops it if it was not heard since the last time, or has been here for so long without a name. */
  check() {
    if (!this.#wasHeard || (this.name === '' && this.#checks > 0)) return this.#drop();
    this.#wasHeard = false;
    this.#checks++;
    this.#socket.ping();
  }

  #drop() {
    this.#end();
    this.#socket.terminate();
  }

  #end() {
    this.#isOver = true;
    this.#early = [];
    clearTimeout(this.#pause);
  }
}
