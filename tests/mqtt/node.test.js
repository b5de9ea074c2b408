// The module `mqtt` in Node, both builds, over TCP and WebSockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { loadMqtt } from '../../demo/mqtt.js';
import { startDemo } from '../../demo/server.js';
import { load } from '../../js/node.js';
import { fromRoot } from '../adapters.js';
import { startMosquitto } from './mosquitto.js';

/** @typedef {import('../../demo/session.js').Message} Message */

const ACCOUNT = { user: 'tow', password: 'line' };

/** @type {Awaited<ReturnType<typeof startMosquitto>>} */
let mosquitto;
/** @type {Awaited<ReturnType<typeof startMosquitto>>} */
let guarded;
/** @type {Awaited<ReturnType<typeof startDemo>>} */
let demo;

before(async () => {
  [mosquitto, guarded, demo] = await Promise.all([
    startMosquitto(),
    startMosquitto(ACCOUNT),
    startDemo({ port: 0, mqttPort: 0 }),
  ]);
});
after(() => Promise.all([mosquitto?.stop(), guarded?.stop(), demo?.close()]));

/** @param {string} build @param {(mqtt: Awaited<ReturnType<typeof loadMqtt>>) => Promise<void>} body */
async function withMqtt(build, body) {
  const mqtt = await loadMqtt(load, fromRoot(`build/${build}/mqtt.wasm`), {
    onerror: (error) => {
      throw error;
    },
  });
  try {
    await body(mqtt);
  } finally {
    await mqtt.close();
  }
}

for (const build of ['wasi', 'emscripten'])
  describe(build, () => {
    for (const scheme of /** @type {const} */ (['tcp', 'ws']))
      for (const qos of [0, 1]) {
        test(`check over ${scheme} at QoS ${qos}: mosquitto`, () =>
          withMqtt(build, async (mqtt) => {
            const result = await mosquitto.hurried(() => mqtt.check(mosquitto[scheme], { qos }));
            assert.ok(result.bytes >= 10e6 && result.messages > 16);
          }));
        test(`check over ${scheme} at QoS ${qos}: the demo's broker`, () =>
          withMqtt(build, async (mqtt) => {
            const result = await mqtt.check(demo[scheme], { qos });
            assert.ok(result.bytes >= 10e6 && result.messages > 16);
          }));
      }

    test('a client: subscribe, publish, receive, unsubscribe, disconnect', () =>
      withMqtt(build, async (mqtt) => {
        /** @type {Message[]} */
        const messages = [];
        /** @type {(Error | null)[]} */
        const ended = [];
        const client = await mqtt.connect(mosquitto.tcp, {
          onmessage: (message) => messages.push(message),
          onclosed: (error) => ended.push(error),
        });
        assert.equal(await client.subscribe('test/#', 1), 1);
        await client.publish('test/ü', 'Grüße', { qos: 1 });
        await client.publish('test/empty', new Uint8Array(0), { qos: 1 });
        await client.unsubscribe('test/#');
        await client.publish('test/nobody', 'hears this', { qos: 1 });
        await assert.rejects(client.publish('test/#', ''), { code: 'EINVAL' });
        await client.disconnect();
        await assert.rejects(client.publish('test/late', ''), { code: 'ENOTCONN' });
        assert.deepEqual(
          messages.map(({ topic, payload }) => [topic, Buffer.from(payload).toString()]),
          [
            ['test/ü', 'Grüße'],
            ['test/empty', ''],
          ],
        );
        assert.deepEqual(ended, [null]);
      }));

    test('errors: each with its code', () =>
      withMqtt(build, async (mqtt) => {
        const garbage = createServer((socket) =>
          socket.end('220 smtp.example\r\n').on('error', () => {}),
        );
        await once(garbage.listen(0, '127.0.0.1'), 'listening');
        const { port } = /** @type {import('node:net').AddressInfo} */ (garbage.address());
        try {
          await assert.rejects(mqtt.connect(`tcp://127.0.0.1:${port}`), { code: 'EPROTO' });
          await assert.rejects(mqtt.connect('tcp://127.0.0.1:1'), { code: 'ECONNREFUSED' });
          await assert.rejects(mqtt.connect('nope://x'), { code: 'ESCHEME' });
          await assert.rejects(mqtt.connect(guarded.ws, { user: 'tow', password: 'no' }), {
            code: 'EACCES',
          });
          await assert.rejects(mqtt.connect(guarded.tcp, { password: 'x' }), { code: 'EINVAL' });
          await assert.rejects(mqtt.connect(guarded.tcp, { signal: AbortSignal.abort() }), {
            code: 'ECANCELED',
          });
          await assert.rejects(mqtt.check('tcp://127.0.0.1:1'), { code: 'ECONNREFUSED' });
        } finally {
          garbage.close();
        }
        const client = await mqtt.connect(guarded.ws, ACCOUNT);
        await client.disconnect();
      }));
  });
