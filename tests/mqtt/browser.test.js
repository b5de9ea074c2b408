// The module `mqtt` in headless Chromium, over WebSockets. The page is tested in tests/demo.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startDemo } from '../../demo/server.js';
import { flags } from '../browser.js';
import { startMosquitto } from './mosquitto.js';

/** @type {Awaited<ReturnType<typeof startMosquitto>>} */
let mosquitto;
/** @type {Awaited<ReturnType<typeof startDemo>>} */
let demo;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;
/** What the page has complained about. @type {string[]} */
let complaints;

before(async () => {
  [mosquitto, demo] = await Promise.all([startMosquitto(), startDemo({ port: 0, mqttPort: 0 })]);
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
});
after(async () => {
  await browser?.close();
  await Promise.all([mosquitto?.stop(), demo?.close()]);
});

beforeEach(async () => {
  complaints = [];
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(`${demo.page}#own`);
});
afterEach(() => page?.close());

/** @param {string} build @param {string} address @param {number} qos */
const check = (build, address, qos) =>
  page.evaluate(
    async ([build, address, qos]) => {
      const from = (/** @type {string} */ path) => import(new URL(path, location.href).href);
      const [{ load }, { loadMqtt }] = await Promise.all([
        from('/js/index.js'),
        from('/demo/mqtt.js'),
      ]);
      const mqtt = await loadMqtt(load, `/build/${build}/mqtt.wasm`);
      const result = await mqtt.check(address, { qos });
      await mqtt.close();
      return /** @type {import('../../demo/session.js').CheckResult} */ (result);
    },
    /** @type {const} */ ([build, address, qos]),
  );

for (const build of ['wasi', 'emscripten'])
  describe(build, () => {
    for (const qos of [0, 1]) {
      test(`check at QoS ${qos}: mosquitto`, async () => {
        const result = await mosquitto.hurried(() => check(build, mosquitto.ws, qos));
        assert.ok(result.bytes >= 10e6 && result.messages > 16);
        assert.deepEqual(complaints, []);
      });
      test(`check at QoS ${qos}: the demo's broker`, async () => {
        const result = await check(build, demo.ws, qos);
        assert.ok(result.bytes >= 10e6 && result.messages > 16);
        assert.deepEqual(complaints, []);
      });
    }
  });
