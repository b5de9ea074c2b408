import { numbered, Tally } from './webrtc-tally.js';

/**
 * A probe that a test plays by name, wherever it is: in the test's own process, in another, or in a page. What happens to it
 * are lines: '0 made', '0 joined bob', '0 datagram bob hello', '0 error EMSGSIZE bob', '0 eof', '0 lost ECONNRESET 4000'
 * (with its native code, if it has one; without an error: '0 lost'). The number counts its protocols.
 */
const names =
  'made lost pauseWriting resumeWriting eof data getBuffer updated timer datagram error'.split(' ');
const JOINED = 14;

/** Byte number `at` of all that is sent in bulk. @param {number} at */
const byteAt = (at) => (at ^ (at >> 8) ^ (at >> 16)) & 255;

/** @param {Uint8Array} bytes @param {number} from */
export function fillPattern(bytes, from) {
  for (let i = 0; i < bytes.length; i++) bytes[i] = byteAt(from + i);
  return bytes;
}

/** @param {number} from @param {number} size */
export const pattern = (from, size) => fillPattern(new Uint8Array(size), from);

const decoder = new TextDecoder('latin1');

/** What a protocol has come to. */
class Played {
  /** Bytes of its stream, or of its datagrams. */
  size = 0;
  /** Its size when the reader last rested. */
  rested = 0;
  isPaused = false;
  /** The first byte that was not as it was sent. */
  wrong = -1;
  text = '';
}

export class Player {
  /** @type {string[]} */
  lines = [];
  /** @type {Map<number, number>} */
  #numbers = new Map();
  /** @type {{protocol: number, played: Played}[]} */
  #all = [];
  /** @type {Set<() => void>} */
  #waiting = new Set();
  /** @type {any[]} */
  #opened = [];
  /** @type {any} */
  module;
  /**
   * Set by a test that wants them: what `eof` answers, what is sent back, what datagrams are counted by instead of lines, and
   * a reader's rest, in milliseconds, after each 256 KiB.
   * @type {{halfOpen?: boolean, reply?: boolean, tally?: boolean, rest?: number}}
   */
  manners = {};
  tally = new Tally();

  /**
   * @param {(options: object) => Promise<any>} load
   * @param {(options: object) => any} webrtc
   * @param {(room: string) => any} signalling
   */
  constructor(load, webrtc, signalling) {
    this.load = load;
    this.webrtc = webrtc;
    this.signalling = signalling;
  }

  /** @param {object} [options] of webrtc() */
  async start(options = {}) {
    const carrier = this.webrtc({ signalling: this.signalling, ...options });
    const app = {
      call: (/** @type {number[]} */ ...values) => this.#call(values),
      opened: () => {},
    };
    this.module = await this.load({
      imports: { app },
      onerror: (/** @type {any} */ error) => this.#say(`onerror ${error.code} ${error.message}`),
      transports: { webrtc: carrier, 'webrtc-stream': carrier },
    });
  }

  /** @param {string} line */
  #say(line) {
    this.lines.push(line);
    for (const go of this.#waiting) go();
  }

  /** Resolves when this holds. @param {() => boolean} holds */
  async when(holds) {
    while (!holds())
      await new Promise((resolve) => {
        const go = () => {
          this.#waiting.delete(go);
          resolve(undefined);
        };
        this.#waiting.add(go);
      });
  }

  /** Resolves when this has happened (so often). @param {string} line @param {number} [times] */
  async until(line, times = 1) {
    await this.when(() => this.lines.filter((each) => each === line).length >= times);
  }

  /** Answers the line like this, once there is one. @param {string} expression */
  async untilMatch(expression) {
    const find = () => this.lines.find((line) => new RegExp(expression).test(line));
    await this.when(() => find() !== undefined);
    return find() ?? '';
  }

  /** Resolves when so many bytes have come. @param {number} number @param {number} size */
  async got(number, size) {
    await this.when(() => (this.#all[number]?.played.size ?? 0) >= size);
    return this.#all[number].played;
  }

  // ---- What the protocols are told ----

  /** @param {number[]} values */
  #call([protocol, call, a, b]) {
    const isNew = call === 0;
    if (isNew) {
      this.#numbers.set(protocol, this.#all.length);
      this.#all.push({ protocol, played: new Played() });
    }
    const number = /** @type {number} */ (this.#numbers.get(protocol));
    const name = call === JOINED ? 'joined' : names[call];
    const { manners } = this;
    if (/Writing$/.test(name)) this.#all[number].played.isPaused = name === 'pauseWriting';
    if (name === 'data') this.#data(number, a, b);
    else if (name === 'datagram') this.#datagram(number, a, b);
    else if (name === 'error')
      this.#say(`${number} error ${this.#codeName(a)} ${this.#peer(protocol)}`);
    else if (name === 'joined') this.#say(`${number} joined ${this.#peer(protocol)}`);
    else if (name === 'lost')
      this.#say(
        [`${number} lost`, a && this.#codeName(a), b].filter((word) => word !== 0).join(' '),
      );
    else this.#say(`${number} ${name}`);
    return name === 'eof' && manners.halfOpen ? 1 : 0;
  }

  /** @param {number} number @param {number} address @param {number} size */
  #data(number, address, size) {
    const { played } = this.#all[number];
    const bytes = this.module.memory.bytes(address, size);
    for (let i = 0; i < size && played.wrong < 0; i++)
      if (bytes[i] !== byteAt(played.size + i)) played.wrong = played.size + i;
    played.size += size;
    if (played.size < 1000) played.text += decoder.decode(bytes.slice());
    if (this.manners.reply) this.#transport(number, 'tow_transport_write', bytes.slice());
    if (this.manners.rest !== undefined && played.size >= played.rested + 262144) {
      played.rested = played.size;
      this.pause(number);
      setTimeout(() => this.resume(number), this.manners.rest);
    }
    for (const go of this.#waiting) go();
  }

  /** @param {number} number @param {number} address @param {number} size */
  #datagram(number, address, size) {
    if (this.manners.tally) return this.tally.add(this.module.memory.bytes(address, size));
    const { played, protocol } = this.#all[number];
    const bytes = /** @type {Uint8Array} */ (this.module.memory.bytes(address, size).slice());
    played.size += size;
    const isPattern = size > 100 && bytes.every((byte, i) => byte === byteAt(i));
    const peer = this.#peer(protocol);
    this.#say(`${number} datagram ${peer} ${isPattern ? `#${size}` : decoder.decode(bytes)}`);
  }

  /** @param {number} code */
  #codeName(code) {
    return this.module.memory.string(this.module.exports.tow_error_name(code));
  }

  /** Whom the last call was about. @param {number} protocol */
  #peer(protocol) {
    const { module } = this;
    const text = module.call('malloc', 64);
    const size = module.call('probe_format_peer', protocol, text, 64);
    const name = size < 0 ? '?' : module.memory.string(text, size);
    module.call('free', text);
    return name;
  }

  // ---- What the test does ----

  /** @param {number} number @param {string} name @param {...any} values */
  #transport(number, name, ...values) {
    const transport = this.module.call('probe_transport', this.#all[number].protocol);
    return this.module.call(name, transport, ...values);
  }

  /**
   * Answers what went wrong, or ''.
   * @param {'connect' | 'bind' | 'listen'} verb
   * @param {string} address
   * @param {any} [options]
   */
  async open(verb, address, { cancelAfter, ...options } = {}) {
    const protocol = address.startsWith('webrtc-stream:') ? 'probe_stream' : 'probe_datagram';
    const signal = cancelAfter === undefined ? undefined : AbortSignal.timeout(cancelAfter);
    try {
      const made = await this.module[verb](address, { protocol, signal, ...options });
      this.#opened.push(made.transport ?? made);
      return '';
    } catch (error) {
      const { code, message } = /** @type {any} */ (error);
      return `${code} ${message}`;
    }
  }

  /** @param {number} number @param {string | null} to @param {string | number} what a text, or so many bytes */
  sendTo(number, to, what) {
    const { protocol } = this.#all[number];
    if (to !== null && this.module.call('probe_parse_peer', protocol, to) !== 0) return -1000;
    const peer = to === null ? 0 : this.module.call('probe_peer', protocol);
    const bytes = typeof what === 'number' ? pattern(0, what) : what;
    return this.#transport(number, 'tow_transport_sendto', bytes, peer);
  }

  /** @param {number} number @param {string} text */
  write(number, text) {
    return this.#transport(number, 'tow_transport_write', text);
  }

  /** Bytes of the pattern, and what is still queued then. @param {number} number @param {number} from @param {number} size */
  writePattern(number, from, size) {
    this.#transport(number, 'tow_transport_write', pattern(from, size));
    return this.#transport(number, 'tow_transport_get_write_buffer_size');
  }

  /** Writes so many bytes of the pattern, as fast as they go. @param {number} number @param {number} size */
  async pour(number, size) {
    const { played } = this.#all[number];
    for (let at = 0; at < size; at += 65536) {
      this.#transport(number, 'tow_transport_write', pattern(at, Math.min(65536, size - at)));
      await this.when(() => !played.isPaused);
    }
  }

  /** Sends so many numbered datagrams, as fast as they go. @param {string} to @param {number} count @param {number} size */
  async flood(to, count, size) {
    const { protocol, played } = this.#all[0];
    const transport = this.module.call('probe_transport', protocol);
    this.module.call('probe_parse_peer', protocol, to);
    const peer = this.module.call('probe_peer', protocol);
    for (let i = 0; i < count; i++) {
      this.module.call('tow_transport_sendto', transport, numbered(i, size), peer);
      if (played.isPaused) await this.when(() => !played.isPaused);
    }
  }

  /**
   * What the tally says once as many have come as must, and nothing new has for so many milliseconds.
   * @param {number} quiet
   * @param {number} [least]
   */
  async counted(quiet, least = 0) {
    for (let last = -1; last < least || last !== this.tally.result.come; ) {
      last = this.tally.result.come;
      await new Promise((resolve) => setTimeout(resolve, quiet));
    }
    return this.tally.result;
  }

  /** In MiB: of the process, or in a page of its heap; and the module's. */
  memory() {
    const module = this.module.exports.memory.buffer.byteLength;
    const world = /** @type {any} */ (globalThis);
    const whole = world.process?.memoryUsage().rss ?? world.performance.memory.usedJSHeapSize;
    return { whole: whole >> 20, module: module >> 20 };
  }

  /** @param {number} number */
  writeEof(number) {
    return this.#transport(number, 'tow_transport_write_eof');
  }

  /** @param {number} number */
  pause(number) {
    this.#transport(number, 'tow_transport_pause_reading');
  }

  /** @param {number} number */
  resume(number) {
    this.#transport(number, 'tow_transport_resume_reading');
  }

  /** @param {number} number */
  close(number) {
    this.#transport(number, 'tow_transport_close');
  }

  /** As Transport.abort, or Server.close. @param {number} index of what was opened @param {string} what @param {...any} values */
  end(index, what, ...values) {
    this.#opened[index][what](...values);
  }

  /** @param {number} index @param {string} name */
  info(index, name) {
    return this.#opened[index].getExtraInfo(name);
  }

  /** @param {number} number */
  text(number) {
    return this.#all[number].played.text;
  }

  /** @param {Player['manners']} manners */
  behave(manners) {
    this.manners = manners;
  }

  log() {
    return this.lines;
  }

  stop() {
    return this.module?.close();
  }
}
