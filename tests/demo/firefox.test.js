// The demo in Firefox, over WebDriver BiDi: each panel opens, no console error; and a stream runs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { startDemo } from '../../demo/server.js';

const PANELS = ['stream', 'mqtt', 'datagrams', 'processes', 'own'];

/** @type {Awaited<ReturnType<typeof startDemo>>} */
let demo;
/** @type {import('puppeteer-core').Browser} */
let browser;
before(async () => {
  demo = await startDemo({ port: 0, mqttPort: 0 });
  browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    headless: true,
  });
});
after(async () => {
  await browser?.close();
  await demo?.close();
});

/** @param {string} id */
async function open(id) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(`${demo.page}#${id}`);
  await page.waitForSelector(`#panel-${id} .card`);
  return { page, complaints };
}

for (const id of PANELS)
  test(`#${id}`, async () => {
    const { page, complaints } = await open(id);
    await page.waitForNetworkIdle();
    assert.deepEqual(complaints, []);
    await page.close();
  });

test('F2 a burst over a WebSocket is paused and goes on', async () => {
  const { page, complaints } = await open('stream');
  await page.waitForSelector('.status[data-state=open]');
  await (await page.waitForSelector('button::-p-text(Burst)'))?.click();
  await page.waitForFunction(() =>
    ['PW', 'RW'].every((name) => {
      const count = document.querySelector(`.totals div:has([data-call=${name}]) dd`);
      return Number(count?.textContent) > 0;
    }),
  );
  await page.waitForSelector('.pin.pw:not([hidden])');
  assert.deepEqual(complaints, []);
  await page.close();
});
