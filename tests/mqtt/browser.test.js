// The module `mqtt` and the demo page in headless Chromium, over WebSockets.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
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
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(demo.mqtt);
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

describe('the page', () => {
  const button = (/** @type {string} */ name) => page.getByRole('button', { name, exact: true });
  const status = (/** @type {string} */ state) =>
    page.locator(`#status[data-state=${state}]`).waitFor();
  /** How often a call is counted. @param {string} name */
  const total = async (name) => {
    const text = await page.locator(`#totals div:has([data-call=${name}]) dd`).textContent();
    return Number(text?.replaceAll(',', ''));
  };
  /** @param {string} name @param {number} least */
  const called = async (name, least) => {
    while ((await total(name)) < least)
      await page.waitForFunction(() => new Promise(requestAnimationFrame));
  };

  test('connect, subscribe, publish, receive, burst, disconnect', async () => {
    await button('Connect').click();
    await status('connected');
    await called('CM', 1);
    await called('BU', 1);

    await button('Subscribe').click();
    await page.locator('#topics li[data-state=granted]', { hasText: 'demo/#' }).waitFor();

    await page.locator('#publication [name=message]').fill('Grüße aus C');
    await button('Publish').click();
    const message = page.locator('#messages li', { hasText: 'Grüße aus C' });
    await message.waitFor();
    assert.match((await message.textContent()) ?? '', /demo\/hello.*QoS 1 · 13 bytes/);

    await button('Burst 8 MiB').click();
    await page.locator('#sent', { hasText: /8,388,608 bytes in [\d,]+ ms/ }).waitFor();
    await page.locator('#messages li', { hasText: '1,048,576 bytes' }).nth(7).waitFor();
    await called('PW', 1);
    assert.equal(await total('PW'), await total('RW'));
    assert.ok((await page.locator('#calls li', { hasText: '×' }).count()) > 0, 'calls are grouped');

    await button('Unsubscribe from demo/#').click();
    await page.locator('#topics li').waitFor({ state: 'detached' });

    await button('Disconnect').click();
    await status('idle');
    await called('CL', 1);
    assert.match((await page.locator('#calls li').last().textContent()) ?? '', /CL.*no error/);
    assert.deepEqual(complaints, []);
  });

  test('user and password, and the broker that says no', async () => {
    await page.getByLabel('User').fill('demo');
    await page.getByLabel('Password').fill('wrong');
    await button('Connect').click();
    await status('failed');
    assert.match(
      (await page.locator('#status').textContent()) ?? '',
      /user name or password is wrong \(EACCES 4\)/,
    );
    await page.getByLabel('Password').fill('demo');
    await page.keyboard.press('Enter');
    await status('connected');
    assert.deepEqual(complaints, []);
  });

  test('errors are shown, and the page goes on', async () => {
    await page.getByLabel('Address').fill('ws://127.0.0.1:1/mqtt');
    await button('Connect').click();
    await status('failed');
    await page.getByLabel('Address').fill(demo.ws);
    await button('Connect').click();
    await status('connected');
    await page.locator('#subscription [name=topic]').fill('a#');
    await button('Subscribe').click();
    await page.locator('#sent[data-state=failed]', { hasText: 'not a topic' }).waitFor();
  });

  test('fits a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    const [content, window] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      innerWidth,
    ]);
    assert.ok(content <= window);
  });
});

test('the server gives nothing but the page', async () => {
  const { hostname, port } = new URL(demo.page);
  /** The status line, for a path that no library may tidy up. @param {string} path @param {string} [method] */
  const ask = async (path, method = 'GET') => {
    const socket = connect(Number(port), hostname);
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    return Number((await text(socket)).split(' ')[1]);
  };
  for (const path of [
    '/demo/',
    '/demo/page/page.js',
    '/js/index.js',
    '/build/wasi/mqtt.wasm?x=1',
    '/demo/style.css',
    '/demo/mqtt.c',
    '/node_modules/uplot/dist/uPlot.esm.js',
  ])
    assert.equal(await ask(path), 200, path);
  assert.equal(await ask('/'), 302);
  for (const path of [
    '/package.json',
    '/demo/../package.json',
    '/demo/..%2fpackage.json',
    '/demo/%2e%2e/package.json',
    '/demo/..%5c..%5cpackage.json',
    '/../../../../etc/passwd',
    '//etc/passwd',
    '/demo/build.mk',
    '/src/write.c',
    '/node_modules/uplot/package.json',
    '/node_modules/ws/index.js',
    '/demo',
    '/js',
    '/build/mqtt',
    '/tests/mqtt/mosquitto.js',
    '/demo/%00',
    '/demo/%zz',
  ])
    assert.equal(await ask(path), 404, path);
  assert.equal(await ask('/demo/', 'POST'), 405);
  assert.equal(await ask('/demo/server/../../package.json'), 404);
});
