/** Programs that nobody here wrote, in Workers, and two in a row: in Node and in Chromium. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { load } from '../../js/node.js';
import { workers } from '../../js/worker/node.js';
import { fromRoot } from '../adapters.js';
import { openBrowser } from '../browser.js';
import { openStage } from '../programs/stage.js';
import { stories } from '../programs/stories.js';
import { builds } from './probe.js';

/** @typedef {keyof typeof stories} Name */
/** @typedef {import('../programs/stage.js').Place} Place */
/** @typedef {(name: Name, build: string, isolate?: Place['isolate']) => Promise<any>} Tell */

const programs = {
  lua: 'build/wasi/programs/lua.wasm',
  bulk: 'build/wasi/programs/bulk.wasm',
  cat: 'build/wasi/programs/cat.wasm',
  esbuild: 'node_modules/@esbuild/wasi-preview1/esbuild.wasm',
};

/** @type {Tell} */
async function inNode(name, build, isolate) {
  const code = readFileSync(fromRoot(`build/${build}/probe.wasm`));
  const files = Object.entries(programs).map(([name, path]) => [name, fromRoot(path)]);
  const programsHere = Object.fromEntries(files);
  const stage = await openStage({ load, workers, code, programs: programsHere, isolate });
  try {
    return await stories[name](stage);
  } finally {
    await stage.module.close();
  }
}

/** Runs in the page. @param {{name: Name, build: string, programs: Record<string, string>}} what */
async function tellHere({ name, build, programs }) {
  const from = (/** @type {string} */ path) => import(new URL(path, location.href).href);
  const { load } = await from('/js/index.js');
  const { workers } = await from('/js/worker/index.js');
  const { openStage } = await from('/tests/programs/stage.js');
  const { stories } = await from('/tests/programs/stories.js');
  const code = fetch(`/build/${build}/probe.wasm`);
  const stage = await openStage({ load, workers, code, programs });
  try {
    return await stories[name](stage);
  } finally {
    await stage.module.close();
  }
}

/** @param {{isIsolated: boolean}} options */
function inChromium(options) {
  /** @type {Awaited<ReturnType<typeof openBrowser>>} */
  let browser;
  before(async () => {
    browser = await openBrowser(options);
  });
  after(() => browser?.close());
  /** @type {Tell} */
  return (name, build) => browser.page.evaluate(tellHere, { name, build, programs });
}

/** Its source comes from Debian's, where apt can be asked for sources. */
const needsLua = existsSync(fromRoot(programs.lua))
  ? {}
  : { skip: 'the source of Lua was not to be had' };

/** @type {[string, () => Tell][]} */
const places = [
  ['in Node', () => inNode],
  ['in Chromium, in an isolated page', () => inChromium({ isIsolated: true })],
  ['in Chromium, in a plain page', () => inChromium({ isIsolated: false })],
];

for (const [place, open] of places) {
  describe(`programs ${place}`, () => {
    const tell = open();
    for (const build of builds) {
      test(`Lua, line by line, ${build}`, needsLua, async () => {
        const { greeting, answers, errors, returncode } = await tell('dialogue', build);
        assert.match(greeting, /^Lua 5\.4/);
        assert.deepEqual(answers, ['2\n', '', '5050\n', '', 'caught\n', '1000000\n']);
        assert.match(errors, /oops/);
        assert.equal(returncode, 7);
      });

      test(`Lua ends when its input does, ${build}`, needsLua, async () => {
        const seen = await tell('endOfInput', build);
        assert.deepEqual(seen, { output: 'false\t0\nbye\n', returncode: 0 });
      });

      test(
        `X5, a script that spins ends by SIGINT, and by SIGKILL, ${build}`,
        needsLua,
        async () => {
          assert.deepEqual(await tell('spinning', build), [-2, -9]);
        },
      );

      test(`a script of Lua's among files, ${build}`, needsLua, async () => {
        const { out, errors, returncode } = await tell('script', build);
        assert.equal(out, 'ONE\nTWO\n');
        assert.match(errors, /script\.lua:5: that is why/);
        assert.equal(returncode, 1);
      });

      test(`esbuild bundles what is in memory, ${build}`, async () => {
        const { out, returncode } = await tell('bundle', build);
        assert.equal(out, '(()=>{console.log(42);})();\n');
        assert.equal(returncode, 0);
      });

      test(`esbuild says what is wrong, ${build}`, async () => {
        const { errors, returncode } = await tell('brokenBundle', build);
        assert.match(errors, /Could not resolve ".\/missing"/);
        assert.equal(returncode, 1);
      });

      test(`esbuild between two pipes, ${build}`, async () => {
        const { tail, returncode } = await tell('transform', build);
        assert.equal(tail, 'export const x=2;\n');
        assert.equal(returncode, 0);
      });

      test(`a reader that does not read holds back the first of two, ${build}`, async () => {
        const seen = await tell('pipeline', build);
        assert.deepEqual(seen.early, { read: 0, returncode: null });
        assert.deepEqual([seen.read, seen.written, seen.wrong], [5_000_000, 5_000_000, 0]);
        assert.deepEqual(seen.returncodes, [0, 0]);
        assert.ok(seen.most < 1 << 20, `${seen.most} bytes on their way`);
      });
    }
  });
}

test('where a program cannot wait: those that need no answers', async () => {
  assert.equal((await inNode('endOfInput', 'wasi', 'deferred')).returncode, 0);
  assert.equal((await inNode('transform', 'wasi', 'deferred')).tail, 'export const x=2;\n');
  assert.match((await inNode('bundle', 'wasi', 'deferred')).out, /console.log\(42\)/);
});
