/**
 * What a browser's Worker has, for a Worker's script in Node. CommonJS, for that may require ECMAScript's modules (since
 * 20.19): it takes less time than the machinery of `import`.
 */
const { fileURLToPath } = require('node:url');
const { parentPort, workerData } = require('node:worker_threads');

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const canRequire = /** @type {any} */ (process.features).require_module === true;

Object.assign(globalThis, {
  self: globalThis,
  postMessage: (/** @type {unknown} */ message, /** @type {any} */ options) =>
    port.postMessage(message, Array.isArray(options) ? options : options?.transfer),
  addEventListener: (/** @type {string} */ type, /** @type {(event: object) => void} */ listener) =>
    port.on(type, (data) => listener({ data })),
  requireModule: canRequire
    ? (/** @type {string} */ url) => require(fileURLToPath(url))
    : undefined,
});

if (workerData.script) import(workerData.script);
else if (canRequire) require('./wasi-worker.js');
else import('./wasi-worker.js');
