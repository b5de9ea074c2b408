/** What a Worker does that runs WASI commands, one after another. process.js is the other side. */
import { makeFiles, preopen, readFiles } from './files.js';
import { MessageReader, MessageWriter } from './messages.js';
import { RingReader, RingWriter } from './ring.js';
import { nothing, nowhere } from './stream.js';
import { blocking, Suspending, silentBell } from './waiting.js';
import { pipeClass, pipeImports } from './wasi-pipe.js';

/**
 * What is taken of the package.
 * @typedef {Pick<typeof import('@bjorn3/browser_wasi_shim'),
 *   'Directory' | 'Fd' | 'File' | 'OpenFile' | 'PreopenDirectory' | 'WASI' | 'WASIProcExit'>} Shim
 */
/** @typedef {import('./messages.js').Message} Message */

/**
 * What a Worker is given to run.
 * @typedef {object} Start
 * @property {WebAssembly.Module} module
 * @property {string[]} arguments with the program's name
 * @property {string[]} environment
 * @property {[string, Uint8Array][]} files
 * @property {boolean} returnsFiles
 * @property {string} directory
 * @property {'shared' | 'suspending' | 'deferred'} way
 * @property {SharedArrayBuffer} [bell]
 * @property {(SharedArrayBuffer | 'messages' | 'stdout' | null)[]} stdio
 */

/** The memory of a program that may be left to the garbage collector, while the Worker waits for another program. */
const LIGHT = 1 << 22;

const post = (/** @type {Message} */ message, /** @type {ArrayBuffer[]} */ transfer = []) =>
  self.postMessage(message, { transfer });

/** @type {Shim} */
let shim;
/** Those over messages, by descriptor. @type {Map<number, MessageReader | MessageWriter>} */
const streams = new Map();
let changed = () => {};

/** @param {string} code @param {string} message */
const fail = (code, message) => post({ type: 'failed', code, message });

/** @param {number} fd @param {Start['stdio'][number]} kind */
function openStream(fd, kind) {
  /** @type {ConstructorParameters<typeof RingReader>[1]} */
  const tell = (ring, isEnd) => {
    if (ring.heard() || isEnd) post({ type: 'wake', fd });
  };
  if (kind === null || kind === 'stdout') return fd === 0 ? nothing : nowhere;
  if (kind !== 'messages')
    return fd === 0 ? new RingReader(kind, tell) : new RingWriter(kind, tell);
  const stream = fd === 0 ? new MessageReader(fd, post) : new MessageWriter(fd, post);
  stream.onchange = () => changed();
  streams.set(fd, stream);
  return stream;
}

/** @param {Start} start */
function standardPipes({ stdio, way }) {
  const Pipe = pipeClass(shim);
  const [input, output, errors] = stdio.map((kind, fd) => openStream(fd, kind));
  // Nothing comes in while the program runs, so there is nothing to wait for.
  for (const writer of way === 'deferred' ? [output, errors] : [])
    if (writer instanceof MessageWriter) writer.window = Number.POSITIVE_INFINITY;
  return {
    Pipe,
    input,
    pipes: [
      new Pipe({ reader: /** @type {any} */ (input) }),
      new Pipe({ writer: /** @type {any} */ (output) }),
      new Pipe({ writer: /** @type {any} */ (stdio[2] === 'stdout' ? output : errors) }),
    ],
  };
}

/** @param {Start} start @param {Suspending} suspending */
function waitingOf({ way, bell }, suspending) {
  if (way === 'suspending') return suspending.until;
  return blocking(bell ? new Int32Array(bell) : silentBell());
}

/** JSPI, which TypeScript does not know yet. */
const jspi = /** @type {any} */ (WebAssembly);

/** @param {Start} start @param {Shim | Promise<Shim>} loading */
async function begin(start, loading) {
  try {
    shim = await loading;
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    return fail('ENOTSUP', `WASI commands need the package @bjorn3/browser_wasi_shim: ${why}`);
  }
  try {
    await run(start);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    fail(error instanceof RangeError ? 'ENOMEM' : 'EINVAL', message);
  }
}

/** @param {Start} start */
async function run(start) {
  const { module, way } = start;
  const root = makeFiles(shim, start.files);
  const { Pipe, pipes, input } = standardPipes(start);
  const fds = [...pipes, ...preopen(shim, root, start.directory)];
  const wasi = new shim.WASI(start.arguments, start.environment, fds, { debug: false });
  const suspending = new Suspending();
  const waiting = Object.entries(pipeImports(wasi, Pipe, waitingOf(start, suspending))).map(
    ([name, call]) => [name, way === 'suspending' ? new jspi.Suspending(call) : call],
  );
  changed = () => suspending.changed();
  const imports = {
    ...wasi.wasiImport,
    args_sizes_get: sizesOf(wasi, start.arguments),
    ...Object.fromEntries(waiting),
  };
  const instance = /** @type {any} */ (
    new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports })
  );
  wasi.inst = instance;
  post({ type: 'started' });
  if (way === 'deferred')
    await suspending.until(() => /** @type {any} */ (input).ended || undefined);
  const { _start } = instance.exports;
  const end = await finished(way === 'suspending' ? jspi.promising(_start) : _start);
  streams.clear();
  const isFree = instance.exports.memory.buffer.byteLength <= LIGHT;
  post({ ...end, isFree, files: start.returnsFiles ? readFiles(shim, root) : [] });
}

/** The shim counts characters, not bytes. @param {import('@bjorn3/browser_wasi_shim').WASI} wasi @param {string[]} list */
const sizesOf = (wasi, list) => (/** @type {number} */ count, /** @type {number} */ size) => {
  const view = new DataView(wasi.inst.exports.memory.buffer);
  const encoder = new TextEncoder();
  const total = list.reduce((sum, text) => sum + encoder.encode(text).length + 1, 0);
  view.setUint32(count, list.length, true);
  view.setUint32(size, total, true);
  return 0;
};

/** @param {() => unknown} main */
async function finished(main) {
  try {
    await main();
    return { type: 'exit', returncode: 0 };
  } catch (error) {
    if (error instanceof shim.WASIProcExit) return { type: 'exit', returncode: error.code };
    return { type: 'trap', message: error instanceof Error ? error.message : String(error) };
  }
}

/** @param {Shim | Promise<Shim>} loading the WASI calls */
export function serve(loading) {
  self.addEventListener('message', ({ data }) => {
    if (data.type === 'start') begin(data, loading);
    else streams.get(data.fd)?.receive(data);
  });
}
