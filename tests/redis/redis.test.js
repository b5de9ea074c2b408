// The Redis client in C against Debian's redis-server: natively, in Node, and in a page through the bridge.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { bridge, bridged } from '../../js/bridge/node.js';
import { load } from '../../js/node.js';
import { openBrowser } from '../browser.js';
import { check } from './check.js';
import { startRedis } from './redis.js';

const COMMANDS = 100_000;
/** What the write buffer may have: its mark, and the longest command over it. */
const MOST_QUEUED = 65536 + 4096 + 128;
const builds = ['wasi', 'emscripten'];

/** @type {Awaited<ReturnType<typeof startRedis>>} */
let redis;
before(async () => {
  redis = await startRedis();
});
after(() => redis?.stop());

/** @param {import('./check.js').Result} result */
function assertRight({ code, message, commands, mostQueued }) {
  assert.deepEqual({ code, message, commands }, { code: 0, message: '', commands: COMMANDS });
  assert.ok(mostQueued <= MOST_QUEUED, `${mostQueued} bytes were queued`);
}

describe('natively', () => {
  const run = promisify(execFile);
  for (const folder of ['build', 'build/sanitize'])
    test(`${folder}: a command, and a pipeline`, async () => {
      const program = `${folder}/redis`;
      await run(program, [redis.unix, 'DEL', 'list']);
      assert.equal((await run(program, [redis.tcp, 'RPUSH', 'list', 'a', ''])).stdout, '2\n');
      const { stdout } = await run(program, [redis.tcp, 'LRANGE', 'list', '0', '-1']);
      assert.equal(stdout, '(2)\n  a\n  \n');
      const refused = run(program, [redis.unix, 'INCR', 'list']);
      await assert.rejects(refused, { code: 1, stdout: /^WRONGTYPE / });
      for (const address of [redis.tcp, redis.unix])
        assert.match(
          (await run(program, ['--check', String(COMMANDS), address])).stdout,
          new RegExp(`^${COMMANDS} commands answered`),
        );
    });
});

describe('in Node', () => {
  for (const build of builds)
    for (const name of /** @type {const} */ (['tcp', 'unix']))
      test(`${build}: a pipeline over ${name}`, async () => {
        assertRight(await check(load, `build/${build}/resp.wasm`, redis[name], COMMANDS));
      });
});

describe('through the bridge', () => {
  /** @type {Awaited<ReturnType<typeof bridge>>} */
  let gateway;
  /** @type {import('node:net').Server} */
  let echo;
  /** @type {Awaited<ReturnType<typeof openBrowser>>} */
  let browser;
  let echoAddress = '';

  before(async () => {
    echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    echoAddress = `tcp://127.0.0.1:${/** @type {any} */ (echo.address()).port}`;
    gateway = await bridge({ allow: [redis.tcp, redis.unix, echoAddress] });
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await gateway?.close(0);
    echo?.close();
  });

  for (const build of builds)
    test(`${build}: a pipeline from Node`, async () => {
      const transports = bridged(gateway.address);
      const module = `build/${build}/resp.wasm`;
      assertRight(await check(load, module, redis.tcp, COMMANDS, transports));
    });

  /** Begins in the page. @param {string} build @param {string} address */
  const start = (build, address) =>
    browser.page.evaluate(
      async ([build, address, gateway, commands]) => {
        const from = (/** @type {string} */ path) => import(new URL(path, location.href).href);
        const { load } = await from('/js/index.js');
        const { bridged } = await from('/js/bridge/index.js');
        const { startCheck } = await from('/tests/redis/check.js');
        const module = `/build/${build}/resp.wasm`;
        Object.assign(globalThis, {
          running: await startCheck(load, module, address, commands, bridged(gateway)),
        });
      },
      /** @type {const} */ ([build, address, gateway.address, COMMANDS]),
    );
  /** @returns {Promise<number>} */
  const sent = () => browser.page.evaluate(() => /** @type {any} */ (globalThis).running.sent());
  /** @returns {Promise<import('./check.js').Result>} */
  const result = () => browser.page.evaluate(() => /** @type {any} */ (globalThis).running.result);

  /** Through the same page and bridge, to and fro. @param {number} times */
  const roundTrips = (times) =>
    browser.page.evaluate(
      async ([address, gateway, times]) => {
        const from = (/** @type {string} */ path) => import(new URL(path, location.href).href);
        const { Loop } = await from('/js/index.js');
        const { bridged } = await from('/js/bridge/index.js');
        const loop = new Loop({ transports: bridged(gateway) });
        const { reader, writer } = await loop.openConnection(address);
        for (let i = 0; i < times; i++) {
          await writer.write('to and fro\n');
          await reader.readLine();
        }
        await loop.close();
      },
      /** @type {const} */ ([echoAddress, gateway.address, times]),
    );

  for (const build of builds)
    for (const name of /** @type {const} */ (['tcp', 'unix']))
      test(`${build}: a pipeline from a page, to a ${name} socket`, async () => {
        await start(build, redis[name]);
        assertRight(await result());
      });

  test('F2, R1: a Redis that does not read holds the page back', async () => {
    redis.signal('SIGSTOP');
    try {
      await start('wasi', redis.unix);
      await roundTrips(200); // time enough to send everything, if nobody held it back
      const count = await sent();
      assert.ok(count < COMMANDS / 2, `${count} commands have been sent`);
    } finally {
      redis.signal('SIGCONT');
    }
    const checked = await result();
    assertRight(checked);
    assert.ok(checked.pauses > 0);
  });
});
