// The panel of datagrams: pages and Node meet in a room, over WebRTC, on a network that the page makes worse.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { figures, inNode } from '../netcode/program.js';
import { called, checkAccess, checkWidth, openStage, SIZES, shoot, THEMES } from './stage.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof openStage>>} */
let stage;
before(async () => {
  stage = await openStage();
});
after(() => stage?.close());

/** @param {Page} page @param {string} name */
const button = (page, name) => page.getByRole('button', { name, exact: true });
/** @param {Page} page @param {string} state @param {string} [text] */
const status = (page, state, text = '') =>
  page.locator(`#panel-datagrams .status[data-state=${state}]`, { hasText: text }).waitFor();

/** A page that is in the room. @param {string} room @param {Parameters<typeof stage.open>[1]} [context] */
async function open(room, context) {
  const opened = await stage.open(`?room=${room}#datagrams`, context);
  await status(opened.page, 'open', `In ${room}`);
  return opened;
}

/** What the page says is to be typed, but for the program's name. @param {Page} page */
async function command(page) {
  const text = (await page.locator('#panel-datagrams .command code').textContent()) ?? '';
  const [, address] = /^node demo\/netcode-node\.js '(.*)'$/.exec(text) ?? [];
  assert.ok(address, text);
  return address;
}

/** One of the others, with every figure known. @param {Page} page @param {string} name */
const other = (page, name) =>
  page
    .locator('.others li', { hasText: name })
    .filter({ hasText: /\d+ \/s.*\d ms.*\d %.*\d ms/s, hasNotText: '–' });

/** @param {Page} page */
const ownName = (page) => page.getByLabel('Your name').inputValue();

/** Waits until a figure of the first of the others is so much. @param {Page} page @param {string} label @param {number} least */
const reaches = (page, label, least) =>
  page.waitForFunction(
    ([label, least]) =>
      [...document.querySelectorAll('.others li:first-child dl div')].some(
        (one) =>
          one.querySelector('dt')?.textContent === label &&
          Number.parseFloat(one.querySelector('dd')?.textContent ?? '') >= Number(least),
      ),
    /** @type {const} */ ([label, least]),
  );

test('a second player in one click, a third in Node by the command on the page', async () => {
  const { page: ada, complaints } = await open('one-click');
  await status(ada, 'open', 'alone');
  const [bob] = await Promise.all([
    ada.context().waitForEvent('page'),
    button(ada, 'Open a second player').click(),
  ]);
  bob.on('console', (message) => complaints.push(message.text()));
  bob.on('pageerror', (error) => complaints.push(String(error)));
  await Promise.all([
    other(ada, await ownName(bob)).waitFor(),
    other(bob, await ownName(ada)).waitFor(),
  ]);
  await called(ada, 'PJ', 1);
  await called(ada, 'DG', 10);

  const node = inNode(await command(ada), '--name', 'Node');
  await Promise.all([ada, bob].map((page) => other(page, 'Node').waitFor()));
  await status(ada, 'open', 'with 2 others');
  await node.line(figures);
  await node.line(new RegExp(`^${await ownName(ada)} {2}received`));
  node.stop();
  assert.equal((await node.ended).status, 0);
  await Promise.all([ada, bob].map((page) => other(page, 'Node').waitFor({ state: 'detached' })));
  await bob.close();
  await status(ada, 'open', 'alone');
  await called(ada, 'EE', 2);
  assert.deepEqual(complaints, []);
  await ada.context().close();
});

test('rooms: one leaves, joins another, and is where its address says', async () => {
  const [ada, bob] = await Promise.all([open('here'), open('there')]);
  assert.equal(new URL(ada.page.url()).searchParams.get('room'), 'here');
  await button(bob.page, 'Leave').click();
  await status(bob.page, 'idle');
  await called(bob.page, 'CL', 1);
  await bob.page.getByLabel('Room', { exact: true }).fill('no room');
  await button(bob.page, 'Join').click();
  assert.equal(await bob.page.locator('input:invalid').count(), 1);
  await bob.page.getByLabel('Room', { exact: true }).fill('here');
  await bob.page.getByLabel('Your name').fill('Bob');
  await button(bob.page, 'Join').click();
  await other(ada.page, 'Bob').waitFor();
  assert.equal(new URL(bob.page.url()).searchParams.get('room'), 'here');
  assert.match(await command(bob.page), /\?room=here#datagrams$/);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  await Promise.all([ada, bob].map(({ page }) => page.context().close()));
});

test('the pointer, a finger and the keys steer', async () => {
  const { page, complaints } = await open('steering', { hasTouch: true });
  const watcher = inNode(await command(page));
  const canvas = page.getByRole('application');
  const box = await canvas.boundingBox();
  assert.ok(box);
  const { x, y, width, height } = box;
  await page.mouse.move(x + width * 0.25, y + height * 0.75);
  await watcher.line(/ at (39\.\d|40\.\d) (74\.\d|75\.\d)$/);
  await canvas.focus();
  await page.keyboard.down('ArrowRight');
  await watcher.line(/ at 160\.0 7[45]\.\d$/);
  await page.keyboard.up('ArrowRight');
  await page.touchscreen.tap(x + width * 0.5, y + height * 0.5);
  await watcher.line(/ at (79\.\d|80\.\d) (49\.\d|50\.\d)$/);
  watcher.stop();
  await watcher.ended;
  const steered = page.locator('#panel-datagrams .rows li[data-family=asked]', {
    hasText: 'steer',
  });
  await steered.first().waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the buoys are rounded in their order', async () => {
  const { page } = await open('buoys');
  const canvas = page.getByRole('application');
  const own = page.getByLabel('Buoys you have rounded');
  for (const [index, [x, y]] of [
    [30, 26],
    [130, 24],
  ].entries()) {
    const box = await canvas.boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + (box.width * x) / 160, box.y + (box.height * y) / 100);
    await own.filter({ hasText: new RegExp(`You: ${index + 1} `) }).waitFor();
  }
  await page.context().close();
});

test('the simulated network: what it loses and delays, the C measures', async () => {
  const [ada, bob] = await Promise.all([open('weather'), open('weather')]);
  await other(ada.page, await ownName(bob.page)).waitFor();
  /** @param {string} label @param {number} value */
  const slide = (label, value) => ada.page.getByRole('slider', { name: label }).fill(String(value));
  await slide('Delay, each way', 100);
  await reaches(ada.page, 'Round trip', 190);
  await reaches(bob.page, 'Round trip', 190);
  await slide('Loss, each way', 50);
  await reaches(ada.page, 'Loss', 10);
  await reaches(bob.page, 'Loss', 10);
  await slide('And by chance up to', 200);
  await reaches(bob.page, 'Jitter', 20);
  await ada.page.getByText(/[1-9][\d,]* of [\d,]+ lost/).waitFor();
  for (const chart of ['Round trip', 'Loss'])
    await ada.page
      .locator('.chart', { has: ada.page.getByRole('heading', { name: chart }) })
      .locator('.key', { hasText: /\d/ })
      .waitFor();
  await ada.page.locator('.function[data-function=datagram_received] .runs').waitFor({
    state: 'attached',
  });

  const download = ada.page.waitForEvent('download');
  await button(ada.page, 'Save').click();
  const { entries, figures } = JSON.parse(await readFile(await (await download).path(), 'utf8'));
  const calls = entries.map((/** @type {{name: string}} */ { name }) => name);
  assert.deepEqual(calls.slice(0, 2), ['asked', 'CM']);
  assert.ok(calls.indexOf('PJ') < calls.indexOf('DG'), 'D7: PJ comes first');
  assert.ok(Math.max(...figures.roundTrip.values) >= 190 && Math.max(...figures.loss.values) >= 10);
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  await Promise.all([ada, bob].map(({ page }) => page.context().close()));
});

test('a rendezvous that is not there is said, and a window that may not be opened', async () => {
  const { page } = await stage.open('#own');
  await page.routeWebSocket(/rendezvous/, (socket) => socket.close({ code: 1013, reason: 'full' }));
  await page.evaluate(() => {
    globalThis.open = () => null;
    location.hash = '#datagrams';
  });
  await status(page, 'failed', 'full');
  await button(page, 'Open a second player').click();
  await page.getByRole('alert').filter({ hasText: '?room=lobby#datagrams' }).waitFor();
  await page.context().close();
});

for (const [width, height] of Object.entries(SIZES))
  for (const theme of THEMES)
    test(`two players: ${width} pixels, ${theme}`, async () => {
      const room = `shots-${width}-${theme}`;
      const { page, complaints } = await open(room, {
        colorScheme: theme,
        viewport: { width: Number(width), height },
      });
      const second = await open(room);
      await other(page, await ownName(second.page)).waitFor();
      await page.getByRole('slider', { name: 'Delay, each way' }).fill('60');
      await reaches(page, 'Round trip', 100);
      await checkAccess(page);
      await checkWidth(page);
      await shoot(page, `datagrams-players-${width}-${theme}`);
      assert.deepEqual([...complaints, ...second.complaints], []);
      await Promise.all([page, second.page].map((one) => one.context().close()));
    });
