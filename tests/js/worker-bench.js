/** `make worker-bench`: what subprocesses in Workers cost here, beside an empty Worker. */
import { fileURLToPath } from 'node:url';
import { Worker as NodeWorker } from 'node:worker_threads';
import { load } from '../../js/node.js';
import { workers } from '../../js/worker/node.js';
import { openBrowser } from '../browser.js';
import { probeFile } from './probe.js';
import { measure } from './worker-figures.js';

const names = ['bulk', 'end', 'upper'];

/** @param {number} value */
const short = (value) => value.toFixed(Math.abs(value) < 1 ? 3 : 1);

/** @param {string} title @param {Record<string, import('./worker-figures.js').Figure>} figures */
function print(title, figures) {
  console.log(title);
  for (const [name, figure] of Object.entries(figures)) {
    const [value, ...bounds] = [figure].flat().map(short);
    const between = bounds.length > 0 ? `   ${bounds.join(' to ')}` : '';
    console.log(`  ${name.padEnd(48)}${value.padStart(10)}${between}`);
  }
}

const path = (/** @type {string} */ relative) =>
  fileURLToPath(new URL(`../../${relative}`, import.meta.url));

/** Where the Worker runs file by file, this is where its package is; else it is one file. */
const shim = '/node_modules/@bjorn3/browser_wasi_shim/dist/index.js';
const ways = { 'as it is': undefined, 'file by file': shim };

for (const [how, shim] of Object.entries(ways))
  print(
    `Node ${process.version}, ${how}`,
    await measure({
      load,
      workers,
      probe: probeFile('wasi'),
      programs: Object.fromEntries(
        names.map((name) => [name, path(`build/wasi/programs/${name}.wasm`)]),
      ),
      shim: shim && path(shim.slice(1)),
      empty: (done) => {
        const code = "require('node:worker_threads').parentPort.postMessage(0)";
        new NodeWorker(code, { eval: true }).on('message', done);
      },
    }),
  );

/** Runs in the page. @param {{names: string[], shim?: string}} place */
async function measureHere({ names, shim }) {
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
    shim,
    empty: (/** @type {() => void} */ done) => {
      new Worker(empty, { type: 'module' }).onmessage = done;
    },
  });
}

for (const isIsolated of [true, false])
  for (const [how, shim] of Object.entries(ways)) {
    const browser = await openBrowser({ isIsolated });
    try {
      const kind = isIsolated ? 'an isolated page' : 'a plain page';
      const figures = await browser.page.evaluate(measureHere, { names, shim });
      print(`Chromium, ${kind}, ${how}`, figures);
    } finally {
      await browser.close();
    }
  }
