// The demo's server gives files of its own folders, and nothing else.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { startDemo } from '../../demo/server.js';

/** @type {Awaited<ReturnType<typeof startDemo>>} */
let demo;
before(async () => {
  demo = await startDemo({ port: 0, mqttPort: 0 });
});
after(() => demo?.close());

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
    '/demo/page/style.css',
    '/demo/mqtt.c',
    '/node_modules/uplot/dist/uPlot.iife.min.js',
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
