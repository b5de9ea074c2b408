/**
 * What a browser's Worker has, for a Worker's script in Node. (CommonJS, and `import` for the rest: to `require` ECMAScript's
 * modules would be faster, but Node 20 aborts when the Worker is terminated meanwhile.)
 */
const { parentPort, workerData } = require('node:worker_threads');

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);

Object.assign(globalThis, {
  self: globalThis,
  postMessage: (/** @type {unknown} */ message, /** @type {any} */ options) =>
    port.postMessage(message, Array.isArray(options) ? options : options?.transfer),
  addEventListener: (/** @type {string} */ type, /** @type {(event: object) => void} */ listener) =>
    port.on(type, (data) => listener({ data })),
});

import(workerData.script ?? './wasi-worker.js');
