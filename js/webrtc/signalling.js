import { TowlineError } from '../errors.js';

/**
 * How the participants of one room find each other before they are connected: texts go out, texts come in. All that comes
 * is somebody else's and to be checked by who takes it; a text may reach those that it is not for.
 *
 * A `(room) => Signalling` is what `webrtc({ signalling })` wants: `rendezvous`, `broadcastChannel` and `invitation` make one.
 * @typedef {object} Signalling
 * @property {(text: string) => void} send never throws, and waits for nobody; the first text is what joins the room, and is
 *   said again after a connection that was lost
 * @property {boolean} [isLetters] each end says all that it has to say at once
 * @property {(take: (text: string) => void, fail?: (error: TowlineError) => void) => void} receive called once; nothing comes
 *   before. `fail` is told, once and never inside `send`, that nothing will come or go any more
 * @property {() => void} [close] sends what can be sent at once; nothing comes after it, `fail` neither
 */

/** The longest text, in characters: descriptions take about 1,000, or 5,000 with many candidates. */
export const TEXT_LIMIT = 65536;
/** How much may wait to be sent, in bytes; beyond it the signalling fails. */
export const WAITING_LIMIT = 262144;

/** Whether this can name a room or a participant. @param {unknown} text @returns {text is string} */
export const isName = (text) => typeof text === 'string' && /^\w[\w.~-]{0,63}$/.test(text);

/** @param {string} what */
export const overflow = (what) => new TowlineError('EOVERFLOW', what);

const encoder = new TextEncoder();
const ignore = () => {};

/**
 * Signalling over a pair of byte streams, whatever they come from: each text is a line.
 * @param {{readable: ReadableStream<Uint8Array>, writable: WritableStream<Uint8Array>}} pair
 * @param {{limit?: number}} [options] of the line, in characters
 * @returns {Signalling}
 */
export function signallingOver({ readable, writable }, { limit = TEXT_LIMIT } = {}) {
  const reader = readable.getReader();
  const writer = writable.getWriter();
  let waiting = 0;
  let isOver = false;
  /** @type {(error: TowlineError) => void} */
  let tell = ignore;

  /** @param {TowlineError} error */
  function fail(error) {
    if (isOver) return;
    isOver = true;
    reader.cancel(error).catch(ignore);
    writer.abort(error).catch(ignore);
    queueMicrotask(() => tell(error));
  }

  /** @param {unknown} cause */
  const broken = (cause) => fail(new TowlineError('EIO', 'the signalling broke off', { cause }));

  /** @param {(text: string) => void} take */
  async function read(take) {
    const decoder = new TextDecoder();
    for (let held = ''; ; ) {
      const { value, done } = await reader.read();
      if (done) return fail(new TowlineError('ECLOSED', 'the signalling has ended'));
      const lines = decoder.decode(value, { stream: true }).split('\n');
      lines[0] = held + lines[0];
      held = /** @type {string} */ (lines.pop());
      for (const line of lines) {
        if (isOver) return;
        if (line.length > limit) return fail(overflow(`a line of more than ${limit} characters`));
        if (line !== '') take(line);
      }
      if (held.length > limit) return fail(overflow(`a line of more than ${limit} characters`));
    }
  }

  return {
    send(text) {
      if (isOver) return;
      // In JSON a line's end can only be a space between values.
      const line = encoder.encode(`${text.replaceAll('\n', ' ')}\n`);
      waiting += line.length;
      if (waiting > WAITING_LIMIT)
        return fail(overflow(`more than ${WAITING_LIMIT} bytes of signalling wait`));
      writer.write(line).then(() => {
        waiting -= line.length;
      }, broken);
    },
    receive(take, failed = ignore) {
      tell = failed;
      read(take).catch(broken);
    },
    close() {
      tell = ignore;
      if (isOver) return;
      isOver = true;
      reader.cancel().catch(ignore);
      writer.close().catch(ignore);
    },
  };
}
