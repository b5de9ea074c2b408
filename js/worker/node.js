/** Subprocesses in Workers, in Node: index.js over worker_threads. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { TowlineError } from '../errors.js';
import { fromNode } from '../transports/node-error.js';
import { makeCarrier } from './carrier.js';

/** @import { Message } from './messages.js' */
/** @import { Thread } from './pool.js' */
/** @typedef {import('./carrier.js').WorkersOptions} WorkersOptions */
/** @typedef {import('./carrier.js').WorkerOptions} WorkerOptions */

/** @implements {Thread} */
class NodeWorker {
  onmessage = (/** @type {Message} */ _message) => {};
  onerror = (/** @type {string} */ _message) => {};
  onexit = (/** @type {number} */ _code) => {};

  /** @param {string} [script] else the one for WASI commands */
  constructor(script) {
    this.worker = new Worker(new URL('./node-entry.cjs', import.meta.url), {
      workerData: { script },
      execArgv: [], // those of this process need not be for a file
    });
    /** @type {Promise<void>} */
    this.ended = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        resolve();
        this.onexit(code);
      });
    });
    this.worker.on('message', (data) => this.onmessage(Object(data)));
    this.worker.on('messageerror', () => this.onerror('a message that cannot be read'));
    this.worker.on('error', (error) => this.onerror(error?.message ?? String(error)));
    this.worker.unref();
  }

  post = (/** @type {Message} */ message, /** @type {ArrayBuffer[]} */ transfer = []) =>
    this.worker.postMessage(message, transfer);

  /** @param {boolean} on */
  hold(on) {
    if (on) this.worker.ref();
    else this.worker.unref();
  }

  async end() {
    this.worker.terminate();
    await this.ended;
  }
}

/** @param {string} address */
async function read(address) {
  if (!address.startsWith('file:')) return fetch(address);
  try {
    return await readFile(fileURLToPath(address));
  } catch (error) {
    const { code, message } = fromNode(/** @type {Error} */ (error));
    throw new TowlineError(code === 'EISDIR' ? 'EACCES' : code, message, { cause: error });
  }
}

/**
 * What runs programs in Workers: `load(path, { transports: { worker: workers() } })`, then
 * `module.spawn('worker:program.wasm', ...)`.
 * @param {WorkersOptions} [options]
 */
export const workers = (options) =>
  makeCarrier(
    {
      start: (script) => new NodeWorker(script),
      startCommand: () => new NodeWorker(),
      startUnbundled: () => new NodeWorker(new URL('./unbundled-worker.js', import.meta.url).href),
      resolve: (address) =>
        /^(?:file|https?|data):/.test(address) ? address : pathToFileURL(resolve(address)).href,
      read,
      environment: () => /** @type {Record<string, string>} */ ({ ...process.env }),
      printer: (fd) => ({
        write: (bytes) => void (fd === 2 ? process.stderr : process.stdout).write(bytes),
        end: () => {},
      }),
    },
    options,
  );
