// The demo's panel for a module of one's own: the sample, peers in memory, a server, bad files, a compiler.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { called, checkAccess, openStage, shoot, total } from './stage.js';

const root = (/** @type {string} */ path) =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** @type {Awaited<ReturnType<typeof openStage>>} */
let stage;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string[]} */
let complaints;

before(async () => {
  stage = await openStage({ compile: true });
});
after(() => stage?.close());
beforeEach(async () => {
  ({ page, complaints } = await stage.open('#own', { viewport: { width: 1280, height: 900 } }));
});
afterEach(() => page?.context().close());

const press = (/** @type {string} */ name) =>
  page.getByRole('button', { name, exact: true }).click();
/** @param {string} state @param {string | RegExp} [text] */
const status = (state, text) =>
  page
    .locator(`.status[data-state=${state}]`)
    .filter({ ...(text && { hasText: text }) })
    .waitFor();
/** @param {...(string | {name: string, mimeType: string, buffer: Buffer})} files */
const give = (...files) =>
  page.getByLabel('A module, or C files').setInputFiles(/** @type {any} */ (files));
/** @param {string} name @param {string | Buffer} content */
const file = (name, content) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(content),
});
const address = () => page.getByLabel('Address');

test('the sample in one click, and an end that is typed: what it answers, its calls, its source', async () => {
  await press('Try the echo');
  await status('idle', 'sample.wasm is a module of Towline');
  await press('Connect');
  await status('open', 'mem:typed');
  await page.getByLabel('Line').fill('Grüße');
  await press('Send');
  await page.getByRole('log').filter({ hasText: 'Grüße' }).waitFor();
  await called(page, 'BU', 1);
  await page.locator('.rows li[data-names~=BU]').first().click();
  await page.locator('.inspector pre', { hasText: '47 72 c3 bc c3 9f 65 0a' }).waitFor();
  await page.locator('.function[data-function=updated] .runs', { hasText: '×1' }).waitFor();
  await page.getByLabel('Reads').uncheck();
  await press('Send 1 MB');
  await page.locator('.pin.pw').waitFor(); // F2: the echo is told to write no more, and reads no more
  await page.locator('.function[data-function=stop] .runs', { hasText: '×1' }).waitFor();
  await page.getByLabel('Reads').check();
  await called(page, 'RW', 1);
  await checkAccess(page);
  await shoot(page, 'own-sample-1280-light');
  await press('End');
  await status('idle', 'Closed');
  assert.equal(await total(page, 'CL'), 1);
  assert.deepEqual(complaints, []);
});

test('close, abort, and once more; what is given up before it is open', async () => {
  await press('Try the echo');
  await address().fill('mem:echo');
  for (const end of ['Close', 'Abort']) {
    await press('Connect');
    await status('open', 'mem:echo');
    await press(end);
    await status('idle', 'Closed');
  }
  await address().fill('mem:echo?never');
  await press('Connect');
  await press('Abort');
  await status('failed', 'cancelled');
  assert.deepEqual(complaints, []);
});

test('a module to the server, with Towline framing, and to nobody', async () => {
  await give(root('build/wasi/stream.wasm'));
  await status('idle', 'stream.wasm is a module');
  await address().fill(stage.demo.page.replace(/^http(.*)demo\/$/, 'ws$1stream/a-name-of-mine'));
  await page.getByLabel('Framing').selectOption('demanded');
  await press('Connect');
  await status('open');
  await called(page, 'CM', 1);
  await press('Close');
  await status('idle', 'Closed');
  await address().fill('tcp://127.0.0.1:1');
  await press('Connect');
  await status('failed', 'this host cannot connect to tcp:');
  await address().fill('mem:nobody');
  await press('Connect');
  await status('failed', 'no framing over mem:');
  await page.getByLabel('Framing').selectOption('offered');
  await press('Connect');
  await status('failed', 'ECONNREFUSED');
  assert.deepEqual(complaints, []);
});

test('two pages, from one to the other over WebRTC: one serves, one connects', async () => {
  const other = await stage.open('#own');
  const pages = [page, other.page];
  for (const [index, one] of pages.entries()) {
    await one.getByLabel('A module, or C files').setInputFiles(root('build/wasi/stream.wasm'));
    await one.getByLabel('Address').fill('webrtc-stream:here');
    await one
      .getByRole('combobox', { name: /^How/ })
      .selectOption(index === 0 ? 'listen' : 'connect');
    await one.getByRole('button', { name: 'Connect', exact: true }).click();
    await one.locator('.status[data-state=open]').waitFor();
  }
  await called(page, 'CM', 1);
  await called(other.page, 'CM', 1);
  await other.page.getByRole('button', { name: 'Close', exact: true }).click();
  await called(page, 'ER', 1);
  await called(page, 'CL', 1);
  await press('Close');
  await status('idle', 'Closed');
  assert.deepEqual([...complaints, ...other.complaints], []);
  await other.page.context().close();
});

test('what is no module is refused, in words', async () => {
  const echo = await readFile(root('build/wasi/echo.wasm'));
  /** @type {[ReturnType<typeof file>, string][]} */
  const bad = [
    [file('empty.wasm', ''), 'empty.wasm: the file is empty'],
    [file('text.wasm', 'hello'), 'not a wasm file'],
    [file('cut.wasm', echo.subarray(0, 500)), 'cut short'],
    [file('bare.wasm', Buffer.from([0, 97, 115, 109, 1, 0, 0, 0])), 'no module of Towline'],
    [file('picture.png', 'x'), 'a module is a .wasm'],
  ];
  for (const [one, why] of bad) {
    await give(one);
    await status('failed', why);
    assert.ok(await page.getByLabel('Protocol', { exact: true }).isDisabled());
  }
  // Right in its head, wrong further on.
  const broken = Buffer.from(echo);
  broken.fill(0xff, Math.floor(echo.length * 0.6), Math.floor(echo.length * 0.6) + 32);
  await give(file('broken.wasm', broken));
  await status('failed', 'broken.wasm: ');
  await give(root('build/wasi/mqtt.wasm'));
  await page.locator('.found', { hasText: 'imports of demo: nobody supplies them here' }).waitFor();
  assert.deepEqual(complaints, []);
});

test('a C file, where the server has a compiler', async () => {
  await give(root('demo/echo.c'));
  await status('idle', 'echo.wasm is a module of Towline');
  await page.locator('.found', { hasText: 'Its write buffer cannot be seen' }).waitFor();
  await press('Connect');
  await status('open');
  await press('Send');
  await page.getByRole('log').filter({ hasText: 'Hello' }).waitFor();
  assert.deepEqual(complaints, []);
  await give(file('wrong.c', 'int main(void) { return x; }\n'));
  await status('failed', /wrong\.c:1:\d+: error: .*undeclared/);
  await give(file('none.c', 'int x;\n'));
  await status('failed', 'no constructor was found');
});
