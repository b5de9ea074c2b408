// build/mqtt, the program over libuv, against mosquitto and the demo's own broker.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { startDemo } from '../../demo/server.js';
import { fromRoot } from '../adapters.js';
import { startMosquitto } from './mosquitto.js';

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

/** @param {string[]} options */
function start(...options) {
  const child = spawn(fromRoot('build/mqtt'), options, { timeout: 120_000 });
  const out = text(child.stdout);
  const err = text(child.stderr);
  const ended = once(child, 'close').then(async ([status]) => ({
    status,
    out: await out,
    err: await err,
  }));
  return { child, ended };
}

/** @param {string[]} options */
const run = (...options) => {
  const { child, ended } = start(...options);
  child.stdin.end();
  return ended;
};

/**
 * A subscriber of test/# whose subscription is in force: its trace has shown the five bytes of SUBACK.
 * @param {string} address
 * @param {string[]} options
 */
async function subscriber(address, ...options) {
  const { child, ended } = start(address, 'sub', 'test/#', '--trace', ...options);
  let trace = '';
  await new Promise((resolve) => {
    child.stderr.on('data', (data) => {
      trace += data;
      if (trace.includes('BU 5\n')) resolve(null);
    });
    ended.then(resolve);
  });
  return { child, ended };
}

for (const qos of ['0', '1'])
  for (const broker of ['mosquitto', 'demo'])
    test(`check at QoS ${qos}: ${broker}`, async () => {
      const address = broker === 'mosquitto' ? mosquitto.tcp : demo.tcp;
      const { status, out, err } = await run(address, 'check', '--megabytes', '10', '--qos', qos);
      assert.equal(status, 0, err);
      const result = JSON.parse(out);
      assert.equal(result.ok, true);
      assert.ok(result.bytes >= 10e6 && result.messages > 16, out);
    });

test('sub and pub', async () => {
  const { ended } = await subscriber(mosquitto.tcp, '--qos', '1', '--count', '3', '--verbose');
  await run(mosquitto.tcp, 'pub', 'test/one', 'first', '--qos', '1');
  await run(mosquitto.tcp, 'pub', 'test/two', '', '--qos', '1');
  await run(mosquitto.tcp, 'pub', 'test/three', 'third', '--qos', '1');
  const { status, out } = await ended;
  assert.equal(status, 0);
  assert.equal(out, 'test/one first\ntest/two \ntest/three third\n');
});

test('pub from standard input: a megabyte, as it was', async () => {
  const message = 'x'.repeat(1 << 20);
  const publisher = start(mosquitto.tcp, 'pub', 'large', '-', '--retain', '--qos', '1');
  publisher.child.stdin.end(message);
  assert.equal((await publisher.ended).status, 0);
  const { status, out } = await run(mosquitto.tcp, 'sub', 'large', '--count', '1');
  assert.equal(status, 0);
  assert.equal(out, `${message}\n`);
});

test('a will is published when the connection breaks, and not after DISCONNECT', async () => {
  const will = [
    '--will-topic',
    'will',
    '--will-message',
    'gone',
    '--will-retain',
    '--will-qos',
    '1',
  ];
  const polite = await subscriber(mosquitto.tcp, ...will);
  polite.child.kill('SIGTERM');
  assert.equal((await polite.ended).status, 128 + 15);
  const heir = start(mosquitto.tcp, 'sub', 'will', '--count', '1');
  const broken = await subscriber(mosquitto.tcp, ...will, '--will-message', 'broken');
  broken.child.kill('SIGKILL');
  assert.equal((await heir.ended).out, 'broken\n');
});

test('user and password', async () => {
  const { user, password } = ACCOUNT;
  const right = await run(
    guarded.tcp,
    'pub',
    'a',
    'b',
    '--qos',
    '1',
    '--user',
    user,
    '--password',
    password,
  );
  assert.deepEqual(right, { status: 0, out: '', err: '' });
  const wrong = await run(guarded.tcp, 'pub', 'a', 'b', '--user', user, '--password', 'no');
  assert.equal(wrong.status, 1);
  assert.match(wrong.err, /not authorised|user name or password/);
});

test('a session that is kept', async () => {
  const session = ['--id', 'keeper', '--keep-session', '--qos', '1'];
  const first = await subscriber(mosquitto.tcp, ...session, '--count', '1');
  await run(mosquitto.tcp, 'pub', 'test/first', 'now', '--qos', '1');
  assert.equal((await first.ended).out, 'now\n');
  await run(mosquitto.tcp, 'pub', 'test/meanwhile', 'for you', '--qos', '1');
  const { out } = await run(mosquitto.tcp, 'sub', 'test/#', ...session, '--count', '1');
  assert.equal(out, 'for you\n');
});

test('the trace names the calls', async () => {
  const { err } = await run(mosquitto.tcp, 'pub', 'a', 'b', '--qos', '1', '--trace');
  assert.match(err, /^ *0\.000 {2}CM\n.*GB hint -1 -> 65536\n.*BU 4\n/);
  assert.match(err, / CL\n$/);
});

test('errors: each in words, with a status', async () => {
  const garbage = createServer((socket) =>
    socket.end('220 smtp.example ready\r\n').on('error', () => {}),
  );
  await once(garbage.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (garbage.address());
  /** @type {[string[], number, RegExp][]} */
  const cases = [
    [['tcp://127.0.0.1:1', 'pub', 'a', 'b'], 1, /connection refused/],
    [[`tcp://127.0.0.1:${port}`, 'pub', 'a', 'b'], 1, /no MQTT broker/],
    [['nope://x', 'pub', 'a', 'b'], 1, /no such scheme/],
    [['nonsense', 'pub', 'a', 'b'], 1, /not an address/],
    [[mosquitto.tcp, 'sub', 'a#'], 1, /not a topic to subscribe to/],
    [[mosquitto.tcp, 'pub', 'a/+', 'b'], 1, /not a topic to publish to/],
    [[mosquitto.tcp, 'pub', 'a'], 2, /wrong number of arguments\nTry/],
    [[mosquitto.tcp, 'fly'], 2, /no such command/],
    [[mosquitto.tcp, 'sub', 'a', '--qos', '2'], 2, /not a number that is allowed/],
    [[mosquitto.tcp, 'sub', 'a', '--fast'], 2, /no such option/],
    [[mosquitto.tcp, 'sub', 'a', '--password', 'x'], 2, /a password needs a user name/],
    [[], 2, /an address and a command/],
  ];
  try {
    for (const [options, status, words] of cases) {
      const result = await run(...options);
      assert.match(result.err, words);
      assert.equal(result.status, status, result.err);
    }
    const refused = await run('tcp://127.0.0.1:1', 'check');
    assert.equal(JSON.parse(refused.out).error, 'ECONNREFUSED');
  } finally {
    garbage.close();
  }
});

test('--help', async () => {
  const { status, out } = await run('--help');
  assert.equal(status, 0);
  assert.match(out, /^Usage: mqtt ADDRESS sub/);
});
