import { TowlineError } from '../errors.js';
import { isName, TEXT_LIMIT } from './signalling.js';

/** @typedef {Record<string, unknown>} Message */

const PREFIX = 'towline:';
const TYPES = ['hello', 'description', 'candidate'];
/** Of messages in one letter. */
const MANY = 128;

/** @param {Uint8Array} bytes */
const toText = (bytes) =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** @param {string} text */
const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
    letter.charCodeAt(0),
  );

/**
 * All that comes out, if it is not too much: a short text can become a very long one.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {CompressionStream | DecompressionStream} through
 */
async function pass(bytes, through) {
  const reader = new Blob([bytes]).stream().pipeThrough(through).getReader();
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const pieces = [];
  for (let size = 0; size <= TEXT_LIMIT; ) {
    const { value, done } = await reader.read();
    if (done) return new Blob(pieces);
    pieces.push(value);
    size += value.length;
  }
  await reader.cancel();
  throw new RangeError(`more than ${TEXT_LIMIT} bytes`);
}

/** @param {any} message */
const isMessage = (message) =>
  typeof message === 'object' && message !== null && TYPES.includes(message.type);

/** What one participant sends another all at once, as a text to be copied. */
export class Letter {
  /**
   * @param {'invitation' | 'answer'} kind
   * @param {string} id of the invitation
   * @param {string} from
   * @param {Message[]} messages
   */
  constructor(kind, id, from, messages) {
    this.kind = kind;
    this.id = id;
    this.from = from;
    this.messages = messages;
  }

  async write() {
    const text = new TextEncoder().encode(JSON.stringify(this));
    const packed = await pass(text, new CompressionStream('deflate-raw'));
    return PREFIX + toText(new Uint8Array(await packed.arrayBuffer()));
  }

  /** Checks all but what is in the messages. @param {string} text with spaces and line ends wherever @param {string} kind */
  static async read(text, kind) {
    try {
      const [, packed] = /^towline:([\w-]+)$/.exec(text.replace(/\s/g, '')) ?? [];
      if (packed.length > TEXT_LIMIT) throw new RangeError(`more than ${TEXT_LIMIT} characters`);
      const blob = await pass(toBytes(packed), new DecompressionStream('deflate-raw'));
      const letter = JSON.parse(await blob.text());
      const { id, from, messages } = letter;
      const isWhole =
        letter.kind === kind &&
        typeof id === 'string' &&
        isName(from) &&
        messages.length <= MANY &&
        messages.every(isMessage) &&
        (kind === 'answer' || messages[0].type === 'hello');
      if (!isWhole) throw new SyntaxError(`no ${kind}`);
      return new Letter(letter.kind, id, from, messages);
    } catch (cause) {
      throw new TowlineError('EPROTO', `this is no ${kind}`, { cause });
    }
  }
}
