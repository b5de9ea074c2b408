/** `make worker-bench`: what subprocesses in Workers cost here, beside an empty Worker. */
import { fileURLToPath } from 'node:url';
import { Worker as NodeWorker } from 'node:worker_threads';
import { build } from 'esbuild';
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

const path = (/** @type {string} */ relative) =>
  fileURLToPath(new URL(`../../${relative}`, import.meta.url));

print(
  `Node ${process.version}`,
  await measure({
    load,
    workers,
    probe: probeFile('wasi'),
    programs: Object.fromEntries(
      names.map((name) => [name, path(`build/wasi/programs/${name}.wasm`)]),
    ),
    empty: (done) => {
      const code = "require('node:worker_threads').parentPort.postMessage(0)";
      new NodeWorker(code, { eval: true }).on('message', done);
    },
  }),
);

/**
 * Runs in the page.
 * @param {{names: string[], worker: string, shim?: string}} place `worker`: where index.js is
 */
async function measureHere({ names, worker, shim }) {
  const from = (/** @type {string} */ path) => import(new URL(path, location.href).href);
  const { measure } = await from('/tests/js/worker-figures.js');
  const { load } = await from('/js/index.js');
  const { workers } = await from(worker);
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

// As sites are served: a Worker with few files starts sooner.
await build({
  entryPoints: ['index.js', 'wasi-worker.js'].map((name) => path(`js/worker/${name}`)),
  outdir: path('build/bundled'),
  bundle: true,
  minify: true,
  format: 'esm',
  logLevel: 'error',
});

const places = {
  'as it is': {
    worker: '/js/worker/index.js',
    shim: '/node_modules/@bjorn3/browser_wasi_shim/dist/index.js',
  },
  bundled: { worker: '/build/bundled/index.js' },
};

for (const isIsolated of [true, false])
  for (const [how, place] of Object.entries(places)) {
    const browser = await openBrowser({ isIsolated });
    try {
      const kind = isIsolated ? 'an isolated page' : 'a plain page';
      const figures = await browser.page.evaluate(measureHere, { names, ...place });
      print(`Chromium, ${kind}, ${how}`, figures);
    } finally {
      await browser.close();
    }
  }
