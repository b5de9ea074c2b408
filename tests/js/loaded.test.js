/** What a page loads, and no more: the files that tests/budgets.json counts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { openBrowser } from '../browser.js';
import { split } from '../sizes.js';

/**
 * Runs in the page: a connection that the server closes, with a protocol of the module; '': no connection.
 * @param {{module: string, protocol: string, address: string, options: {stream?: boolean}}} task
 */
async function visit({ module: file, protocol, address, options }) {
  const { load } = await import(new URL('/page/page.js', location.href).href);
  const module = await load(fetch(file), {
    imports: { app: { call: () => 0, opened() {} } },
  });
  const { WebSocketStream } = /** @type {any} */ (globalThis);
  const WebSocket = options.stream ? WebSocketStream : undefined;
  const opened = protocol && (await module.connect(address, { protocol, WebSocket }));
  const error = opened && (await opened.transport.closed);
  await module.close();
  return error?.message;
}

describe('in Chromium', () => {
  /** @type {Awaited<ReturnType<typeof openBrowser>>} */
  let browser;
  /** @type {Map<string, Uint8Array>} */
  let files;
  before(async () => {
    files = await split('load');
    browser = await openBrowser();
  });
  after(() => browser?.close());

  /** @type {[what: string, module: string, protocol: string, options: {stream?: boolean}, besides: string[]][]} */
  const cases = [
    ['a module of streams', 'wasi/echo', 'echo_new', {}, []],
    ['the same by Emscripten', 'emscripten/echo', 'echo_new', {}, []],
    ['WebSocketStream', 'wasi/echo', 'echo_new', { stream: true }, ['websocket-stream.js']],
    [
      'a module with framing, endpoints and requests of its own',
      'wasi/probe',
      'probe_stream',
      {},
      ['endpoint-imports.js', 'further-imports.js', 'request-imports.js', 'websocket-framing.js'],
    ],
    [
      'one that prints, too, and does not connect',
      'emscripten/trace',
      '',
      {},
      [
        'endpoint-imports.js',
        'further-imports.js',
        'request-imports.js',
        'wasi.js',
        'websocket-framing.js',
      ],
    ],
  ];
  for (const [what, module, protocol, options, besides] of cases)
    test(`${what}: ${besides.join(', ') || 'nothing besides'}`, async (t) => {
      const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
      t.after(() => server.close());
      server.on('connection', (socket) => socket.close(1000));
      await once(server, 'listening');
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

      const { page } = browser;
      await page.reload();
      t.after(() => page.unrouteAll());
      /** @type {string[]} */
      const loaded = [];
      await page.route('**/page/*', (route) => {
        const file = new URL(route.request().url()).pathname.slice('/page/'.length);
        loaded.push(file);
        return route.fulfill({
          contentType: 'text/javascript',
          body: Buffer.from(files.get(file) ?? ''),
        });
      });
      const task = {
        module: `/build/${module}.wasm`,
        protocol,
        address: `ws://127.0.0.1:${port}/`,
        options,
      };
      assert.equal(await page.evaluate(visit, task), undefined);
      assert.deepEqual(loaded.sort(), ['page.js', ...besides].sort());
    });
});
