/**
 * For a program in JavaScript that is a Worker's script: the address's path ends in .js or .mjs.
 *
 *     import { run } from 'towline/worker/program';
 *     run(async ({ stdin, stdout }) => {
 *       for await (const bytes of stdin) await stdout.write(bytes);
 *       return 0;
 *     });
 *
 * Without this file it is messages: { type: 'start', arguments, environment, stdio } comes first and is answered with
 * { type: 'started' }; then the pipes', see messages.js, both ways; at last { type: 'exit', returncode }. Who has sent
 * { type: 'listen', signals: [15, 2] } gets { type: 'signal', signal }, and a grace time to end in. An exception that
 * nobody catches ends the program as a trap does.
 */
import { MessageReader, MessageWriter } from './messages.js';
import { nothing, nowhere } from './stream.js';
import { Suspending } from './waiting.js';

/** @import { Message } from './messages.js' */
/** @import { Reader, Writer } from './stream.js' */

/**
 * @typedef {object} Output
 * @property {(content: string | Uint8Array) => Promise<void>} write resolves when the pipe has taken it all, and throws when
 *   nobody reads
 * @property {() => void} end nothing more will come
 */

/**
 * @typedef {object} Context
 * @property {string[]} arguments with the program's name
 * @property {Record<string, string>} environment variables, by name
 * @property {AsyncIterable<Uint8Array>} stdin who breaks off closes it
 * @property {Output} stdout
 * @property {Output} stderr
 * @property {(signal: number, handler: () => void) => void} listen for SIGTERM (15) or SIGINT (2)
 */

const encoder = new TextEncoder();

/** Standard input. Who breaks off reads no more. @param {Reader} reader @param {Suspending} waiting */
function chunks(reader, waiting) {
  let isOver = false;
  const over = { done: /** @type {const} */ (true), value: undefined };
  /** @type {AsyncIterableIterator<Uint8Array>} */
  const iterator = {
    async next() {
      const bytes = await waiting.until(() => {
        const { ended } = reader;
        const found = reader.peek();
        return found.length > 0 || ended ? found : undefined;
      });
      if (isOver || bytes.length === 0) return over;
      reader.take(bytes.length);
      return { done: false, value: bytes };
    },
    async return() {
      if (!isOver) reader.close();
      isOver = true;
      return over;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/** @param {Writer} writer @param {Suspending} waiting @returns {Output} */
const output = (writer, waiting) => ({
  async write(content) {
    let left = typeof content === 'string' ? encoder.encode(content) : content;
    await waiting.until(() => {
      if (writer.closed) throw new Error('nobody reads any more');
      left = left.subarray(writer.write(left));
      return left.length === 0 || undefined;
    });
  },
  end: () => writer.end(),
});

/** Runs the program when it is started, and ends it with what `main` answers. @param {(context: Context) => unknown} main */
export function run(main) {
  const post = (/** @type {Message} */ message, /** @type {ArrayBuffer[]} */ transfer = []) =>
    self.postMessage(message, { transfer });
  /** @type {Map<number, MessageReader | MessageWriter>} */
  const streams = new Map();
  /** @type {Map<number, () => void>} */
  const handlers = new Map();

  /** @param {number} fd @param {string | null} kind */
  const open = (fd, kind) => {
    const waiting = new Suspending();
    if (kind !== 'messages') return { stream: fd === 0 ? nothing : nowhere, waiting };
    const stream = fd === 0 ? new MessageReader(fd, post) : new MessageWriter(fd, post);
    stream.onchange = () => waiting.changed();
    streams.set(fd, stream);
    return { stream, waiting };
  };

  /** @param {any} start */
  const begin = async ({ arguments: list, environment, stdio }) => {
    const [input, ...outputs] = stdio.map(
      (/** @type {string | null} */ kind, /** @type {number} */ fd) => open(fd, kind),
    );
    const [stdout, errors] = outputs.map((/** @type {any} */ { stream, waiting }) =>
      output(stream, waiting),
    );
    post({ type: 'started' });
    const returncode = await main({
      arguments: list,
      environment,
      stdin: chunks(input.stream, input.waiting),
      stdout,
      stderr: stdio[2] === 'stdout' ? stdout : errors,
      listen: (signal, handler) => {
        handlers.set(signal, handler);
        post({ type: 'listen', signals: [...handlers.keys()] });
      },
    });
    post({ type: 'exit', returncode: Number(returncode ?? 0) });
  };

  self.addEventListener('message', ({ data }) => {
    if (data.type === 'start')
      begin(data).catch((error) =>
        post({ type: 'trap', message: String(error?.message ?? error) }),
      );
    else if (data.type === 'signal') handlers.get(data.signal)?.();
    else streams.get(data.fd)?.receive(data);
  });
}
