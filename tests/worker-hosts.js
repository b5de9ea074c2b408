/** Where the children of scenarios run in Workers: in Node, in a page that may share memory, and in one that may not. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load } from '../js/node.js';
import { workers } from '../js/worker/node.js';
import { openBrowser } from './browser.js';
import { runTrace } from './runner.js';
import { loadWith } from './worker-processes.js';

/**
 * @typedef {import('./adapters.js').Host} Host
 * @typedef {import('./adapters.js').Task} Task
 */

const fromRoot = (/** @type {string} */ path) =>
  fileURLToPath(new URL(`../${path}`, import.meta.url));

/** @param {string} build @param {string} child */
const node = (build, child) => ({
  run: (/** @type {Task} */ task) =>
    runTrace({
      load: loadWith(load, workers()),
      code: readFileSync(fromRoot(`build/${build}/trace.wasm`)),
      child: fromRoot(child),
      ...task,
    }),
});

/** @param {string} build @param {string} child @param {boolean} isIsolated */
function chromium(build, child, isIsolated) {
  /** @type {Awaited<ReturnType<typeof openBrowser>> | undefined} */
  let browser;
  return {
    async open() {
      browser = await openBrowser({ isIsolated });
    },
    close: async () => browser?.close(),
    run: async (/** @type {Task} */ { scenario, spec, print }) =>
      browser?.run(build, scenario, spec, print, `/${child}`) ?? 77,
  };
}

/** Subprocesses run a WASI command, or a program in JavaScript, for whom an isolated page is like any other. */
const command = 'build/wasi/child.wasm';
const script = 'tests/traces/child.js';

/** @type {(build: string) => Host[]} */
export const workerHosts = (build) => {
  /** @type {(on: string) => Omit<Host, 'name' | 'run'>} */
  const over = (on) => ({ transport: 'child', on, halfClose: 'either' });
  return [
    { ...over('worker'), ...node(build, command), name: `Node worker, ${build}` },
    {
      ...over('worker'),
      ...chromium(build, command, true),
      name: `Chromium worker, isolated, ${build}`,
    },
    {
      ...over('worker'),
      ...chromium(build, command, false),
      name: `Chromium worker, plain, ${build}`,
    },
    { ...over('script'), ...node(build, script), name: `Node script, ${build}` },
    { ...over('script'), ...chromium(build, script, false), name: `Chromium script, ${build}` },
  ];
};
