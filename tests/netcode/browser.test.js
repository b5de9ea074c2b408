// The netcode's page in headless Chromium: page to page and with Node, over WebRTC.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startDemo } from '../../demo/server.js';
import { flags } from '../browser.js';
import { figures, inNode } from './program.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startDemo>>} */
let demo;
/** @type {import('playwright-core').Browser} */
let browser;
/** What the pages have complained about. @type {string[]} */
const complaints = [];

before(async () => {
  demo = await startDemo({ port: 0, mqttPort: 0 });
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
});
after(async () => {
  await browser?.close();
  await demo?.close();
});

/** A page of its own context, as a window in front is. @param {string} address */
async function open(address) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(address);
  return page;
}

/** @param {Page} page @param {string} name */
async function join(page, name) {
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await page.locator('#status[data-state=connected]').waitFor();
}

/** One of the others, with every figure known. @param {Page} page @param {string} name */
const other = (page, name) =>
  page
    .locator('#others li', { hasText: name })
    .filter({ hasText: /\d+ \/s.*\d ms.*\d %.*\d ms/s, hasNotText: '–' });

test('page to page, and with Node', async () => {
  const address = demo.netcode.replace('lobby', 'here');
  const [ada, bob] = await Promise.all([open(demo.netcode.split('?')[0]), open(address)]);
  await ada.getByLabel('Room', { exact: true }).fill('here');
  await join(ada, 'Ada');
  assert.equal(new URL(ada.url()).searchParams.get('room'), 'here');
  const guest = await bob.getByLabel('Your name').inputValue(); // it has joined by itself
  await Promise.all([other(ada, guest).waitFor(), other(bob, 'Ada').waitFor()]);

  const node = inNode(address, '--name', 'Node');
  await Promise.all([other(ada, 'Node').waitFor(), other(bob, 'Node').waitFor()]);
  await node.line(figures);
  await node.line(/^Ada is there$|^Ada {2}received/);
  node.stop();
  assert.equal((await node.ended).status, 0);
  await Promise.all([ada, bob].map((page) => other(page, 'Node').waitFor({ state: 'detached' })));

  await bob.getByRole('button', { name: 'Leave' }).click();
  await bob.locator('#status[data-state=idle]').waitFor();
  await ada.locator('#status', { hasText: 'alone' }).waitFor();
  await join(bob, 'Bob');
  await other(ada, 'Bob').waitFor();
  assert.deepEqual(complaints, []);
  await Promise.all([ada.context().close(), bob.context().close()]);
});

test('the pointer and the keys steer', async () => {
  const page = await open(demo.netcode);
  await page.locator('#status[data-state=connected]').waitFor();
  const watcher = inNode(demo.netcode);
  const canvas = page.locator('#arena');
  const box = await canvas.boundingBox();
  assert.ok(box);
  await canvas.hover({ position: { x: box.width * 0.25, y: box.height * 0.75 } });
  await watcher.line(/ at (39\.\d|40\.\d) (74\.\d|75\.\d)$/);
  await canvas.focus();
  await page.keyboard.down('ArrowRight');
  await watcher.line(/ at 160\.0 7[45]\.\d$/);
  await page.keyboard.up('ArrowRight');
  watcher.stop();
  await watcher.ended;
  await page.context().close();
});

test('fits a phone', async () => {
  const page = await open(demo.netcode);
  await page.setViewportSize({ width: 360, height: 740 });
  const [content, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    innerWidth,
  ]);
  assert.ok(content <= window);
  await page.context().close();
});

test('a rendezvous that is not there is said', async () => {
  const page = await open('about:blank');
  await page.routeWebSocket(/rendezvous/, (socket) => socket.close({ code: 1013, reason: 'full' }));
  await page.goto(demo.netcode);
  await page.locator('#status[data-state=failed]', { hasText: 'full' }).waitFor();
  await page.context().close();
});
