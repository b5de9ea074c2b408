/** Towline framing of the peer's own, written from FRAMING.md alone: it knows nothing of Towline's code. */
import { Inbox } from './wires.js';

/** @typedef {import('./wires.js').Wire} Wire */

/** What either end may send at first; the peer never has more outstanding. */
const WINDOW = 65_536;
const OUTSTANDING = 0x7fff_ffff;
const LONGEST = 2_097_151;

const END = 0xe0;
const RESET = 0xe1;
const CREDIT = 0xe2;
const PING = 0xe3;
const PONG = 0xe4;
/** The code of a RESET for wrong frames. */
const WRONG = 2;

/** The beginning of a DATA frame. @param {number} size */
function headOf(size) {
  if (size < 128) return [size];
  if (size < 16_384) return [0x80 | (size >> 8), size & 0xff];
  return [0xc0 | (size >> 16), (size >> 8) & 0xff, size & 0xff];
}

/** @param {number} code */
const resetOf = (code) => Buffer.from([RESET, code >> 8, code & 0xff, 0]);

/** @param {number} size */
function creditOf(size) {
  const frame = Buffer.from([CREDIT, 0, 0, 0, 0]);
  frame.writeUInt32BE(size, 1);
  return frame;
}

/**
 * What goes over another wire as frames. That one is read all the time, for there may be credit in it; what this one's
 * reader has not taken is held, and the other end gets no credit for it.
 * @implements {Wire}
 */
export class FramedWire {
  #wire;
  #inbox = new Inbox();
  /** Come, and not yet understood. */
  /** @type {Buffer} */
  #unread = Buffer.alloc(0);
  #frames = this.#understand();
  /** What may be sent. */
  #credit = WINDOW;
  /** What the other end may send, and what has been taken of it since it was last told. */
  #granted = WINDOW;
  #taken = 0;
  /** The other end has sent END or RESET. */
  #isEnded = false;
  #hasEnded = false;
  /** Waits for credit. */
  #wake = () => {};
  /** What was wrong in what came. @type {string | undefined} */
  wrong;

  /** @param {Wire} wire */
  constructor(wire) {
    this.#wire = wire;
    this.#listen();
  }

  get end() {
    return this.#inbox.end;
  }

  // ---- Receiving ----

  /** Until the channel ends. */
  async #listen() {
    try {
      for (let bytes = await this.#wire.read(); bytes; bytes = await this.#wire.read()) {
        this.#unread = this.#unread.length ? Buffer.concat([this.#unread, bytes]) : bytes;
        this.#frames.next();
      }
    } catch (error) {
      this.wrong = String(error);
      this.#say(resetOf(WRONG));
      this.#wire.close();
    }
    this.#inbox.finish('reset'); // unless there was END
    this.#wake();
  }

  /** The next bytes; waits for the first of them. @param {number} most */
  *#some(most) {
    while (this.#unread.length === 0) yield;
    const bytes = this.#unread.subarray(0, most);
    this.#unread = this.#unread.subarray(bytes.length);
    return bytes;
  }

  /** @param {number} size */
  *#exactly(size) {
    while (this.#unread.length < size) yield;
    return yield* this.#some(size);
  }

  /** Frame by frame. @returns {Generator<void, never, void>} */
  *#understand() {
    for (;;) {
      const [first] = yield* this.#exactly(1);
      if (this.#inbox.end === 'reset') throw new Error('a frame after RESET');
      if (first < 0x80) yield* this.#receiveData(first, 1);
      else if (first < 0xc0) yield* this.#receiveLong(first & 0x3f, 1, 128);
      else if (first < 0xe0) yield* this.#receiveLong(first & 0x1f, 2, 16_384);
      else if (first === END) this.#receiveEnd();
      else if (first === RESET) yield* this.#receiveReset();
      else if (first === CREDIT) this.#receiveCredit((yield* this.#exactly(4)).readUInt32BE());
      else if (first === PING) this.#say(Buffer.from([PONG]));
      else if (first !== PONG) throw new Error(`no frame begins with ${first}`);
    }
  }

  /** @param {number} high the length's first bits @param {number} rest how many bytes of it follow @param {number} least */
  *#receiveLong(high, rest, least) {
    const low = (yield* this.#exactly(rest)).readUIntBE(0, rest);
    yield* this.#receiveData(high * 256 ** rest + low, least);
  }

  /** @param {number} size @param {number} least */
  *#receiveData(size, least) {
    if (size < least) throw new Error(`a length of ${size} in too many bytes`);
    if (this.#isEnded) throw new Error('data after END');
    if (size > this.#granted) throw new Error(`${size} bytes, and ${this.#granted} were allowed`);
    this.#granted -= size;
    for (let left = size; left > 0; ) {
      const bytes = yield* this.#some(left);
      this.#inbox.push(bytes);
      left -= bytes.length;
    }
  }

  #receiveEnd() {
    if (this.#isEnded) throw new Error('END after END');
    this.#isEnded = true;
    this.#inbox.finish('eof');
  }

  *#receiveReset() {
    const [, , size] = yield* this.#exactly(3);
    if (size > 123) throw new Error(`a reason of ${size} bytes`);
    new TextDecoder('utf-8', { fatal: true }).decode(yield* this.#exactly(size));
    this.#inbox.finish('reset');
    this.#wake();
  }

  /** @param {number} more */
  #receiveCredit(more) {
    this.#credit += more;
    if (more === 0 || this.#credit > OUTSTANDING) throw new Error(`credit of ${more}`);
    this.#wake();
  }

  async read() {
    const bytes = await this.#inbox.read();
    this.#taken += bytes?.length ?? 0;
    if (this.#taken >= WINDOW / 4 && !this.#isEnded) {
      this.#say(creditOf(this.#taken));
      this.#granted += this.#taken;
      this.#taken = 0;
    }
    return bytes;
  }

  // ---- Sending ----

  /** The other end may be gone already. @param {Buffer} frame */
  #say(frame) {
    return this.#wire.send(frame).catch(() => {});
  }

  /** @param {Buffer} bytes */
  async send(bytes) {
    for (let rest = bytes; rest.length > 0; ) {
      while (this.#credit === 0) await this.#hearing();
      const size = Math.min(rest.length, this.#credit, LONGEST);
      this.#credit -= size;
      await this.#wire.send(Buffer.concat([Buffer.from(headOf(size)), rest.subarray(0, size)]));
      rest = rest.subarray(size);
    }
  }

  /** @returns {Promise<void>} until something has come */
  #hearing() {
    if (this.#wire.end !== 'open' || this.end === 'reset')
      throw new Error('the other end gives no more credit');
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async shutdown() {
    this.#hasEnded = true;
    await this.#wire.send(Buffer.from([END]));
  }

  async close() {
    if (!this.#hasEnded) await this.#say(Buffer.from([END]));
    this.#wire.close();
  }

  async reset() {
    await this.#say(resetOf(0));
    this.#wire.close();
  }

  /** Without a word. */
  async cut() {
    this.#wire.close();
  }
}
