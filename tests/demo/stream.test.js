// The demo's stream panel: each of its controls, and that PW and RW come at the marks and are seen there.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { called, checkAccess, openStage, shoot, total } from './stage.js';

/** @type {Awaited<ReturnType<typeof openStage>>} */
let stage;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string[]} */
let complaints;

before(async () => {
  stage = await openStage();
});
after(() => stage?.close());
beforeEach(async () => {
  ({ page, complaints } = await stage.open('#stream', { viewport: { width: 1280, height: 900 } }));
  await status('open');
});
afterEach(async () => {
  assert.deepEqual(complaints, []);
  await page?.context().close();
});

/** @param {string} state @param {RegExp} [text] */
const status = (state, text) =>
  page
    .locator(`.status[data-state=${state}]`)
    .filter({ ...(text && { hasText: text }) })
    .waitFor();
const press = (/** @type {string} */ name) =>
  page.getByRole('button', { name, exact: true }).click();
/** The rows that have such a call. @param {string} name */
const rows = (name) => page.locator(`.rows li[data-names~=${name}]`);
/** How full the write buffer was at the calls of that name that have a row of their own. @param {string} name */
const levels = async (name) =>
  (await rows(name).locator('.words').allTextContents()).flatMap((text) => {
    const [, level] = /^(?:paused|goes on) at ([\d,]+)$/.exec(text) ?? [];
    return level ? [Number(level.replaceAll(',', ''))] : [];
  });
/** @param {string} name */
const pin = (name) => page.locator(`.pin.${name.toLowerCase()}`);

test('F2 a burst to a slow peer: PW comes right over the high mark, RW at the low one or below; both are pinned there', async () => {
  await page.getByLabel('The peer reads').selectOption('256 KB a second');
  await page.getByRole('spinbutton', { name: 'Megabytes' }).first().fill('2');
  await press('Burst');
  await called(page, 'RW', 3);
  const [pauses, resumes] = [await levels('PW'), await levels('RW')];
  assert.ok(pauses.length >= 2 && resumes.length >= 2, 'the first have rows of their own');
  // What is written at once is 1,024 bytes, and a head of Towline framing may be added.
  for (const level of pauses) assert.ok(level > 65536 && level <= 65536 + 1100, `PW at ${level}`);
  for (const level of resumes) assert.ok(level <= 16384, `RW at ${level}`);
  await pin('PW')
    .filter({ hasText: /^PW 6[56],\d{3}$/ })
    .waitFor();
  await pin('RW').waitFor();
  // All of one moment, for the scale moves; a pin stands on its level, the high mark's words hang below it.
  const [pinned, high, low] = await page.evaluate(() =>
    ['.pin.pw', '.mark.high', '.mark.low'].map((name) => {
      const { top, bottom } = /** @type {Element} */ (
        document.querySelector(name)
      ).getBoundingClientRect();
      return name === '.mark.high' ? top : bottom;
    }),
  );
  const over = ((high - pinned) / (low - high)) * (65536 - 16384);
  assert.ok(over > 0 && over < 1100 + 500, `the pin is ${over} bytes over the mark`);
  await rows('PW').first().click();
  await page
    .locator('.inspector', { hasText: /pause_writing.*write buffer6[56],\d{3}/s })
    .waitFor();
  await page.locator('.function.lit[data-function=pause_writing]').waitFor();
  await shoot(page, 'stream-slow-1280-light');
  await checkAccess(page);
  await page.getByLabel('The peer reads').selectOption('as fast as it comes');
  await page.locator('.figure', { hasText: /^0$/ }).waitFor();
  assert.equal(await total(page, 'PW'), await total(page, 'RW'));
});

test('F1 other marks: the calls follow them', async () => {
  await page.getByLabel('High', { exact: true }).fill('200000');
  await page.getByLabel('Low', { exact: true }).fill('300000');
  await press('Set');
  assert.equal(
    await page
      .getByLabel('Low', { exact: true })
      .evaluate((input) => /** @type {any} */ (input).validity.valid),
    false,
  );
  await page.getByLabel('Low', { exact: true }).fill('100000');
  await press('Set');
  await page.locator('.mark.high', { hasText: '200,000' }).waitFor();
  await page.locator('.mark.low', { hasText: '100,000' }).waitFor();
  await page.getByLabel('The peer reads').selectOption('64 KB a second');
  await press('Burst');
  await called(page, 'PW', 1);
  const [first] = await levels('PW');
  assert.ok(first > 200000 && first <= 201100, `PW at ${first}`);
});

test('E1 the half-close: what was written leaves, the peer answers and closes', async () => {
  await press('Burst');
  await press('Half-close');
  await status('idle', /Closed/);
  await rows('ER').waitFor();
  assert.equal(await rows('CL').locator('.words').textContent(), 'closed, no error');
  await rows('BU').first().click();
  await page.locator('.inspector pre', { hasText: '4194304' }).waitFor();
});

test('R1 pausing and resuming reading; a reader of its own pace', async () => {
  const hold = page.getByRole('button', { name: 'Pause reading' });
  await hold.click();
  assert.equal(await hold.getAttribute('aria-pressed'), 'true');
  await Promise.all([page.waitForResponse(/\/stream\//), press('Peer sends')]);
  assert.equal(await total(page, 'BU'), 0);
  await hold.click();
  await called(page, 'BU', 10);
  await page.getByLabel('This page reads').selectOption('1 MB a second');
  await press('Peer sends');
  await page
    .locator('.function.lit[data-function=go_on], .function[data-function=go_on]')
    .waitFor();
  await called(page, 'BU', 300);
});

test('E5, E6 abort, close, and a server that resets: how each ends', async () => {
  await press('Abort');
  await status('idle', /Closed/);
  await press('Connect');
  await status('open');
  await press('Close');
  await status('idle', /Closed/);
  await press('Connect');
  await status('open');
  await press('Server resets');
  await status('failed', /the server has had enough \(ECONNRESET 4000\)/);
  await page.locator('.rows li[data-family=bad]', { hasText: 'ECONNRESET 4000' }).waitFor();
  await press('Connect');
  await status('open');
  assert.equal(await total(page, 'CL'), 0);
});

test('calls in rows of their own, chosen by the arrow keys; grouped again; cleared', async () => {
  await press('Peer sends');
  await called(page, 'BU', 200);
  await page.locator('.rows .many').first().waitFor();
  await page.getByLabel('Group').uncheck();
  await page.locator('.rows .many').first().waitFor({ state: 'detached' });
  await page.getByLabel('Group').check();
  await page.getByRole('listbox', { name: 'Calls' }).focus();
  await page.keyboard.press('End');
  await page.locator('.rows li[aria-selected=true]').waitFor();
  await page.getByRole('button', { name: 'The next call' }).click();
  await page.locator('.steps output', { hasText: /^2 of / }).waitFor();
  await page.keyboard.press('Home');
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.locator('.rows:empty').waitFor();
});

test('a trace is saved, and opened again without a connection', async () => {
  await press('Burst');
  await called(page, 'PW', 1);
  await press('Close');
  await status('idle', /Closed/);
  const pauses = await total(page, 'PW');
  const saving = page.waitForEvent('download');
  await press('Save');
  const file = await (await saving).path();
  const { format, entries, figures, limits } = JSON.parse(await readFile(file, 'utf8'));
  assert.equal(format, 'towline-trace');
  assert.deepEqual(limits, { low: 16384, high: 65536 });
  assert.ok(figures.level.values.some((/** @type {number} */ level) => level > 65536));
  assert.equal(entries.at(-1).name, 'CL');
  await page.goto('about:blank');
  await page.goto(`${stage.demo.page}#stream`);
  await status('open');
  await page.getByLabel('A trace to open').setInputFiles(file);
  await page.locator('.banner', { hasText: 'A trace:' }).waitFor();
  assert.equal(await total(page, 'PW'), pauses);
  await pin('PW').waitFor();
  await rows('CL').waitFor();
  await press('Back to what goes on');
  assert.equal(await total(page, 'PW'), 0);
});

test('a file that is no trace is refused, in words', async () => {
  const trace = {
    format: 'towline-trace',
    version: 1,
    panel: 'stream',
    saved: '2026',
    entries: [],
    figures: {},
  };
  const call = { name: 'CM', time: 0, connection: 1, depth: 0 };
  /** @type {[unknown, string][]} */
  const bad = [
    ['no JSON', 'it is no JSON'],
    [null, 'the file is no object'],
    [{}, 'no trace that this page has saved'],
    [{ ...trace, version: 2 }, 'version 2, not 1'],
    [{ ...trace, entries: {} }, 'the calls is no list'],
    [{ ...trace, entries: Array(20001).fill(call) }, 'more than 20000'],
    [{ ...trace, entries: [{ ...call, name: '__proto__' }] }, 'call 1 has no name'],
    [{ ...trace, entries: [call, { ...call, time: '1' }] }, 'call 2: time is no number'],
    [{ ...trace, entries: [{ ...call, bytes: '*' }] }, 'call 1: bytes is no base64'],
    [{ ...trace, entries: [{ ...call, error: {} }] }, 'call 1: error is no text'],
    [{ ...trace, figures: { level: { times: [1], values: [] } } }, 'not as many times'],
    [{ ...trace, figures: { weather: { times: [], values: [] } } }, 'no figure weather'],
  ];
  for (const [content, why] of bad) {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    await page.getByLabel('A trace to open').setInputFiles({
      name: 'bad.json',
      mimeType: 'application/json',
      buffer: Buffer.from(text),
    });
    await page.locator('.banner[data-state=failed]', { hasText: why }).waitFor();
  }
});
