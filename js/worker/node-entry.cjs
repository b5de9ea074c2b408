/**
 * What a browser's Worker has, for a Worker's script in Node. A CommonJS module, for those are there sooner: where they
 * can require ECMAScript's (since 20.19), the Worker does without the machinery of `import`, which takes 10 ms and more.
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
    ? (/** @type {string} */ url) => require(url.startsWith('file:') ? fileURLToPath(url) : url)
    : undefined,
});

if (workerData.script) import(workerData.script);
else if (canRequire) require('./wasi-worker.js');
else import('./wasi-worker.js');
