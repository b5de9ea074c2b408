/** Subprocesses in Workers, in a browser. In Node, package.json's "exports" names node.js instead. */
import { makeCarrier } from './carrier.js';

/** @import { Message } from './messages.js' */
/** @import { Thread } from './pool.js' */
/** @typedef {import('./carrier.js').WorkersOptions} WorkersOptions */
/** @typedef {import('./carrier.js').WorkerOptions} WorkerOptions */

/** How long an engine may let a Worker run that it was told to end. */
const LINGER = 2500;

/** @implements {Thread} */
class BrowserWorker {
  onmessage = (/** @type {Message} */ _message) => {};
  onerror = (/** @type {string} */ _message) => {};
  onexit = (/** @type {number} */ _code) => {};

  /** @param {Worker} worker */
  constructor(worker) {
    this.worker = worker;
    worker.onmessage = ({ data }) => this.onmessage(Object(data));
    worker.onmessageerror = () => this.onerror('a message that cannot be read');
    worker.onerror = (event) => {
      event.preventDefault();
      this.onerror(event.message ?? 'the Worker cannot be loaded');
    };
  }

  post = (/** @type {Message} */ message, /** @type {ArrayBuffer[]} */ transfer = []) =>
    this.worker.postMessage(message, transfer);

  hold() {}

  /** Nobody tells when it has ended. */
  async end() {
    this.worker.terminate();
    await new Promise((resolve) => setTimeout(resolve, LINGER));
  }
}

/** Lines for the console. @param {number} fd */
function printer(fd) {
  const log = fd === 2 ? console.error : console.log;
  const decoder = new TextDecoder();
  let line = '';
  const print = (/** @type {string} */ text) => {
    const [first, ...lines] = text.split('\n');
    line += first;
    for (const next of lines) {
      log(line);
      line = next;
    }
  };
  return {
    write: (/** @type {Uint8Array} */ bytes) => print(decoder.decode(bytes, { stream: true })),
    end: () => {
      print(decoder.decode());
      if (line !== '') log(line);
      line = '';
    },
  };
}

/**
 * What runs programs in Workers: `load(url, { transports: { worker: workers() } })`, then
 * `module.spawn('worker:program.wasm', ...)`. Under another name too: `{ exec: workers({ programs: { lua: 'lua.wasm' } }) }`
 * lets the C that says "exec:lua" run here as it does natively.
 * @param {WorkersOptions} [options]
 */
export const workers = (options) =>
  makeCarrier(
    {
      start: (script) => new BrowserWorker(new Worker(script, { type: 'module' })),
      startCommand: () =>
        new BrowserWorker(
          new Worker(new URL('./wasi-worker.js', import.meta.url), { type: 'module' }),
        ),
      startUnbundled: () =>
        new BrowserWorker(
          new Worker(new URL('./unbundled-worker.js', import.meta.url), { type: 'module' }),
        ),
      resolve: (address) => new URL(address, document.baseURI).href,
      read: (address) => fetch(address),
      environment: () => ({}),
      printer,
    },
    options,
  );
