/**
 * What a browser's Worker has, for a Worker's script in Node. (CommonJS, and for WASI commands one script, for to import
 * modules takes longer than the rest. They are not required either: Node 20 aborts when the Worker is terminated meanwhile.)
 */
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { runInThisContext } = require('node:vm');
const { parentPort, workerData } = require('node:worker_threads');

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);

Object.assign(globalThis, {
  self: globalThis,
  postMessage: (/** @type {unknown} */ message, /** @type {any} */ options) =>
    port.postMessage(message, Array.isArray(options) ? options : options?.transfer),
  addEventListener: (/** @type {string} */ type, /** @type {(event: object) => void} */ listener) =>
    port.on(type, (data) => listener({ data })),
});

if (workerData.script) import(workerData.script);
else {
  const filename = join(__dirname, 'wasi-worker.js');
  runInThisContext(readFileSync(filename, 'utf8'), { filename });
}
