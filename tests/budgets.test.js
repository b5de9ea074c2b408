// What the core costs, beside its budgets: instructions of an operation, bytes of an idle connection, sizes.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { instructionsPer } from './instructions.js';
import { gzip, split } from './sizes.js';

/** @param {string} path from the project's root */
const fromRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const program = fromRoot('build/instructions');

const budgets = JSON.parse(await readFile(fromRoot('tests/budgets.json'), 'utf8'));

/** What is over its budget by more than 5%, or over a limit that no budget may move, fails.
 * @param {string} name
 * @param {{budget: number, limit?: number}} allowed
 * @param {() => Promise<number>} measure
 */
function budget(name, { budget, limit = Infinity }, measure) {
  test(`budget: ${name}`, async (t) => {
    const cost = await measure();
    t.diagnostic(`${cost}, budget ${budget}${limit < Infinity ? `, limit ${limit}` : ''}`);
    assert.ok(cost > 0);
    assert.ok(cost <= Math.min(budget * 1.05, limit), `${name}: ${cost}, budget ${budget}`);
  });
}

for (const [what, { name, ...allowed }] of Object.entries(budgets.instructions))
  budget(`${name}: instructions`, allowed, async () =>
    Math.round(await instructionsPer(program, what)),
  );

/** What the program prints. @param {...string} parameters */
async function printed(...parameters) {
  const { stdout } = await promisify(execFile)(program, parameters);
  return Number(stdout);
}

budget('an idle stream: bytes', budgets.bytesPerStream, () => printed('bytes', '1000'));
budget('an idle stream with framing: bytes', budgets.bytesPerFramedStream, () =>
  printed('framed-bytes', '1000'),
);
for (const [size, allowed] of Object.entries(budgets.framingOverhead))
  budget(`framing, pieces of ${size} bytes: bytes added to a million`, allowed, () =>
    printed('overhead', size),
  );

const { echo, echoGzipped, scriptGzipped, onDemand, protocolsGzipped, protocolsModuleGzipped } =
  budgets.sizes;
const module = () => readFile(fromRoot('build/wasi/echo.wasm'));
budget('wasm of a buffered echo (WASI): bytes', echo, async () => (await module()).length);
budget('wasm of a buffered echo (WASI): gzipped', echoGzipped, async () => gzip(await module()));

/** @param {string} names that a page imports @param {...string} loaded what it loads; tests/js/loaded.test.js shows that */
async function gzipped(names, ...loaded) {
  const files = await split(names);
  return loaded
    .map((file) => gzip(/** @type {Uint8Array} */ (files.get(`${file}.js`))))
    .reduce((all, size) => all + size);
}

budget('JavaScript of a WebSocket in the browser: minified, gzipped', scriptGzipped, () =>
  gzipped('load', 'page'),
);
for (const [file, { name, ...allowed }] of Object.entries(onDemand))
  budget(`what a page loads besides, ${name}: minified, gzipped`, allowed, () =>
    gzipped('load', file),
  );
test('a page loads nothing besides that has no budget', async () => {
  const files = [...(await split('load')).keys()].filter((file) => file !== 'page.js');
  assert.deepEqual(
    files.sort(),
    Object.keys(onDemand)
      .map((file) => `${file}.js`)
      .sort(),
  );
});
budget(
  'JavaScript of a protocol in JavaScript in the browser: minified, gzipped',
  protocolsGzipped,
  () =>
    gzipped(
      'connect, Protocol',
      'page',
      'further-imports',
      'endpoint-imports',
      'websocket-framing',
    ),
);
budget('wasm under protocols in JavaScript: gzipped', protocolsModuleGzipped, async () =>
  gzip(await readFile(fromRoot('js/protocols/script.wasm'))),
);
