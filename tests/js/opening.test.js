// What opens something for protocols in JavaScript: cancelled, too late, with limits; each of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Loop, MemoryNetwork, TowlineError } from '../../js/node.js';
import { Signal } from './probe.js';

const factory = () => ({});

/** What opens something, each with an address that is never there. @type {Record<string, (loop: any, options: any) => Promise<any>>} */
const ways = {
  connect: (loop, options) => loop.connect('never:x', factory, options),
  openConnection: (loop, options) => loop.openConnection('never:x', options),
  listen: (loop, options) => loop.listen('never:x', factory, options),
  startServer: (loop, options) => loop.startServer('never:x', () => {}, options),
  datagram: (loop, options) => loop.datagram('never:x', factory, options),
  'datagram, bound': (loop, options) =>
    loop.datagram('never:x', factory, { bind: true, ...options }),
  spawn: (loop, options) => loop.spawn('never:x', factory, options),
};

/** A loop with a network in memory and a scheme that never opens, closed with the test. @param {import('node:test').TestContext} t */
function loopFor(t) {
  const network = new MemoryNetwork();
  network.serve('peer', () => {});
  let cancelled = 0;
  const never = (/** @type {import('../../js/request.js').Request} */ request) => {
    request.oncancel = () => cancelled++;
  };
  const carrier = { connect: never, listen: never, bind: never, spawn: never };
  const loop = new Loop({ transports: { mem: network, never: carrier } });
  t.after(() => loop.close());
  return { loop, cancelled: () => cancelled };
}

for (const [name, open] of Object.entries(ways)) {
  test(`O1: ${name} is cancelled by its signal, which is let go`, async (t) => {
    const { loop } = loopFor(t);
    const controller = new AbortController();
    const opening = open(loop, { signal: controller.signal });
    await loop.start();
    controller.abort(new RangeError('changed my mind'));
    await assert.rejects(opening, (error) => {
      assert(error instanceof TowlineError);
      assert.deepEqual([error.code, error.cause], ['ECANCELED', controller.signal.reason]);
      return true;
    });
    await assert.rejects(open(loop, { signal: controller.signal }), { code: 'ECANCELED' });
  });

  test(`O1: ${name} takes no longer than its time-out`, async (t) => {
    const { loop, cancelled } = loopFor(t);
    await assert.rejects(open(loop, { timeout: 1 }), { name: 'TowlineError', code: 'ETIMEDOUT' });
    assert.equal(cancelled(), 1);
  });
}

test('O1, O2: a time-out of 0 or Infinity is none, one of null is not given', async (t) => {
  let begun = new Signal();
  const loop = new Loop({ transports: { never: { connect: () => begun.fire(0) } } });
  t.after(() => loop.close());
  await loop.start();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const timeout of /** @type {any[]} */ ([0, Number.POSITIVE_INFINITY, null])) {
    begun = new Signal();
    const controller = new AbortController();
    const opening = loop.connect('never:x', factory, { timeout, signal: controller.signal });
    await begun.fired;
    t.mock.timers.tick(0x7fffffff);
    controller.abort();
    const code = timeout === null ? 'ETIMEDOUT' : 'ECANCELED';
    await assert.rejects(opening, { code }, `${timeout}`);
  }
});

test('O1: a signal that is aborted later is nothing to what is open', async (t) => {
  const { loop } = loopFor(t);
  const controller = new AbortController();
  const { transport } = await loop.connect('mem:peer', factory, controller);
  controller.abort();
  assert.equal(transport.isClosing(), false);
});

test('F1: limits, of whatever is opened', async (t) => {
  const { loop } = loopFor(t);
  const limits = { high: 1000, low: 10 };
  const come = new Signal();
  const server = await loop.listen('mem:server', () => ({ connectionMade: come.fire }), limits);
  const stream = await loop.connect('mem:server', factory, limits);
  assert.deepEqual(stream.transport.getWriteBufferLimits(), limits);
  assert.deepEqual((await come.fired).getWriteBufferLimits(), limits);
  server.close();
  const connection = await loop.openConnection('mem:peer', { ...limits, limit: 5 });
  assert.deepEqual(connection.transport.getWriteBufferLimits(), limits);
  const endpoint = await loop.datagram('udp://127.0.0.1:0', factory, { bind: true, ...limits });
  assert.deepEqual(endpoint.transport.getWriteBufferLimits(), limits);
});

test('F1: limits of a child are those of its standard input', async (t) => {
  const { loop } = loopFor(t);
  const { transport } = await loop.spawn('exec:cat', factory, { high: 1000, low: 10 });
  assert.deepEqual(transport.getPipeTransport(0)?.getWriteBufferLimits(), { high: 1000, low: 10 });
  transport.kill();
  await transport.closed;
});
