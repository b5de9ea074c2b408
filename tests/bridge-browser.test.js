// A page that reaches TCP and UDP through the bridge, with its protocols in JavaScript and in C.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { openBridge, openTarget, untilEnd } from './bridge/stage.js';
import { openBrowser } from './browser.js';

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

/**
 * In the page: a loop that reaches targets through the bridge, and one connection.
 * @param {string} gateway
 * @param {string} target
 * @param {'stream' | 'datagrams'} kind
 * @returns {Promise<string>} what failed, or ''
 */
const open = (gateway, target, kind) =>
  browser.page.evaluate(
    async ([gateway, target, kind]) => {
      const from = (/** @type {string} */ path) => import(new URL(path, location.href).href);
      const { Loop } = await from('/js/index.js');
      const { bridged } = await from('/js/bridge/index.js');
      const loop = new Loop({ transports: bridged(gateway) });
      /** @type {string[]} */
      const calls = [];
      let wake = () => {};
      const tell = (/** @type {string} */ call) => {
        calls.push(call);
        wake();
      };
      const decode = (/** @type {Uint8Array} */ data) => new TextDecoder().decode(data);
      const stream = {
        dataReceived: (/** @type {Uint8Array} */ data) => tell(`data ${decode(data)}`),
        eofReceived: () => {
          tell('eof');
          return true;
        },
        connectionLost: (/** @type {any} */ error) =>
          tell(error ? `lost ${error.code} ${error.native} ${error.message}` : 'lost'),
      };
      const datagrams = {
        datagramReceived: (/** @type {Uint8Array} */ data, /** @type {string} */ peer) =>
          tell(`datagram ${decode(data)} of ${peer}`),
        errorReceived: (/** @type {any} */ error) => tell(error.code),
      };
      /** How it goes on, for the next steps. */
      const held = {
        loop,
        transport: /** @type {any} */ (undefined),
        async next() {
          if (calls.length === 0)
            await new Promise((resolve) => {
              wake = () => resolve(0);
            });
          return calls.shift();
        },
      };
      Object.assign(globalThis, { held });
      try {
        const { transport } =
          kind === 'stream'
            ? await loop.connect(target, () => stream)
            : await loop.datagram(target, () => datagrams);
        held.transport = transport;
        return '';
      } catch (error) {
        const { code, native, message } = /** @type {any} */ (error);
        return `${code} ${native} ${message}`;
      }
    },
    /** @type {const} */ ([gateway, target, kind]),
  );

/** @returns {Promise<string>} */
const next = () => browser.page.evaluate(() => /** @type {any} */ (globalThis).held.next());

/** @param {string} name @param {...string} values @returns {Promise<any>} */
const call = (name, ...values) =>
  browser.page.evaluate(
    ([name, ...values]) => /** @type {any} */ (globalThis).held.transport[name](...values),
    [name, ...values],
  );

test('E2, E3: a page has a half-close, and the name of who is there', async (t) => {
  const target = await openTarget(t);
  const { address } = await openBridge(t, { allow: [target.address] });
  assert.equal(await open(address, target.address, 'stream'), '');
  const socket = await target.client();
  assert.equal(await call('getExtraInfo', 'peername'), target.address.slice('tcp://'.length));
  await call('write', 'question');
  await call('writeEof');
  assert.equal(String(await untilEnd(socket)), 'question');
  socket.end('answer');
  assert.equal(await next(), 'data answer');
  assert.equal(await next(), 'eof');
  await call('close');
  assert.equal(await next(), 'lost');
});

test('E6: a page is told why its connection is no more', async (t) => {
  const target = await openTarget(t);
  const { address } = await openBridge(t, { allow: [target.address] });
  assert.equal(await open(address, target.address, 'stream'), '');
  (await target.client()).resetAndDestroy();
  assert.equal(await next(), 'lost ECONNRESET 4001 ECONNRESET: the target broke off');
});

test('O1: a target that cannot be reached fails the request; one that is not allowed, too', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  for (const scheme of ['tcp', 'udp']) {
    const allow = [`${scheme}://127.0.0.1:${port}`, 'unix:/nonexistent/socket'];
    const { address, log } = await openBridge(t, { allow });
    if (scheme === 'tcp')
      assert.match(
        await open(address, allow[0], 'stream'),
        /^ECONNREFUSED 1014 .*was not reached$/,
      );
    assert.match(await open(address, 'unix:/nonexistent/socket', 'stream'), /^ENOENT 1014 /);
    assert.match(await open(address, 'tcp://127.0.0.1:1', 'stream'), /^EUNKNOWN /);
    if (scheme === 'tcp') await log.take();
    await log.take();
    assert.equal(/** @type {any} */ (await log.take()).status, 403);
  }
});

test('a page of another host is refused', async (t) => {
  const target = await openTarget(t);
  const { address, log } = await openBridge(t, {
    allow: [target.address],
    origins: ['https://a.example'],
  });
  assert.match(await open(address, target.address, 'stream'), /^EUNKNOWN /);
  assert.equal(/** @type {any} */ (await log.take()).status, 403);
});

test('D1, D3: datagrams of a page', async (t) => {
  const peer = createSocket('udp4');
  peer.bind(0, '127.0.0.1');
  await once(peer, 'listening');
  let isOpen = true;
  const close = () => {
    if (isOpen) peer.close();
    isOpen = false;
  };
  t.after(close);
  const name = `127.0.0.1:${peer.address().port}`;
  const { address } = await openBridge(t, { allow: [`udp://${name}`] });
  assert.equal(await open(address, `udp://${name}`, 'datagrams'), '');
  for (const text of ['one', '', 'x'.repeat(9000)]) {
    const came = once(peer, 'message');
    await call('sendto', text);
    const [bytes, { port }] = await came;
    assert.equal(String(bytes), text);
    peer.send(text, port, '127.0.0.1');
    assert.equal(await next(), `datagram ${text} of ${name}`);
  }
  close();
  await call('sendto', 'nobody');
  assert.equal(await next(), 'ECONNREFUSED');
});
