/** `make worker-bench`: what subprocesses in Workers cost here, beside an empty Worker. */
import { fileURLToPath } from 'node:url';
import { Worker as NodeWorker } from 'node:worker_threads';
import { load } from '../../js/node.js';
import { workers } from '../../js/worker/node.js';
import { openBrowser } from '../browser.js';
import { probeFile } from './probe.js';
import { measure } from './worker-figures.js';

const names = ['bulk', 'end', 'upper'];

/** @param {string} title @param {Record<string, number>} figures */
function print(title, figures) {
  console.log(title);
  for (const [name, value] of Object.entries(figures))
    console.log(`  ${name.padEnd(48)}${value.toFixed(value < 1 ? 3 : 1).padStart(10)}`);
}

const file = (/** @type {string} */ name) =>
  fileURLToPath(new URL(`../../build/wasi/programs/${name}.wasm`, import.meta.url));

print(
  `Node ${process.version}`,
  await measure({
    load,
    workers,
    probe: probeFile('wasi'),
    programs: Object.fromEntries(names.map((name) => [name, file(name)])),
    empty: (done) => {
      const code = "require('node:worker_threads').parentPort.postMessage(0)";
      new NodeWorker(code, { eval: true }).on('message', done);
    },
  }),
);

/** Runs in the page. @param {string[]} names */
async function measureHere(names) {
  const from = (/** @type {string} */ path) => import(new URL(path, location.href).href);
  const { measure } = await from('/tests/js/worker-figures.js');
  const { load } = await from('/js/index.js');
  const { workers } = await from('/js/worker/index.js');
  const empty = URL.createObjectURL(
    new Blob(['postMessage(0); close()'], { type: 'text/javascript' }),
  );
  return measure({
    load,
    workers,
    probe: '/build/wasi/probe.wasm',
    programs: Object.fromEntries(names.map((name) => [name, `/build/wasi/programs/${name}.wasm`])),
    shim: '/node_modules/@bjorn3/browser_wasi_shim/dist/index.js',
    empty: (/** @type {() => void} */ done) => {
      new Worker(empty, { type: 'module' }).onmessage = done;
    },
  });
}

for (const isIsolated of [true, false]) {
  const browser = await openBrowser({ isIsolated });
  try {
    const place = isIsolated ? 'an isolated page' : 'a plain page';
    print(`Chromium, ${place}`, await browser.page.evaluate(measureHere, names));
  } finally {
    await browser.close();
  }
}
