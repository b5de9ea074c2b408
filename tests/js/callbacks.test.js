// What callbacks of protocols in JavaScript are given, and where it goes when they fail: thrown or rejected, each of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loopFor } from './memory-loop.js';
import { Signal } from './probe.js';

/** Makes a callback fail in each way. @type {Record<string, (error: Error) => () => any>} */
const ways = {
  thrown: (error) => () => {
    throw error;
  },
  rejected: (error) => async () => {
    throw error;
  },
  'rejected later': (error) => () => new Promise((_, reject) => setImmediate(reject, error)),
};

/** A protocol of the kind that has this callback, with everything that it needs. @param {string} name @param {() => any} body */
const protocolWith = (name, body) => ({
  ...(name === 'getBuffer' || name === 'bufferUpdated'
    ? { getBuffer: () => new Uint8Array(64), bufferUpdated() {} }
    : {}),
  [name]: body,
});

const fatal = ['dataReceived', 'getBuffer', 'bufferUpdated', 'eofReceived'];
const others = ['connectionMade', 'pauseWriting', 'resumeWriting'];

for (const [way, failing] of Object.entries(ways)) {
  for (const name of fatal) {
    if (name === 'getBuffer' && way !== 'thrown') continue; // below
    test(`L6: ${name} ${way} ends the connection, and is the cause of its error`, async (t) => {
      const { loop, network, reports } = loopFor(t);
      network.serve('peer', (end) => {
        end.write(Buffer.from('bytes'));
        end.end();
      });
      const cause = new RangeError('bad');
      const lost = new Signal();
      const protocol = { ...protocolWith(name, failing(cause)), connectionLost: lost.fire };
      const { transport } = await loop.connect('mem:peer', () => protocol);
      if (name === 'eofReceived') transport.write(new Uint8Array(200_000)); // else it is closed already
      const error = await lost.fired;
      assert.deepEqual(
        [error.name, error.code, error.message, error.cause],
        ['TowlineError', 'ECALLBACK', `${name}(): bad`, cause],
      );
      assert.equal(await transport.closed, error);
      assert.deepEqual(reports, [[error, { callback: name, transport, protocol }]]);
    });
  }

  for (const name of others) {
    test(`L6: ${name} ${way} is told, and the connection lives on`, async (t) => {
      const { loop, reports, reported, network } = loopFor(t);
      /** @type {Signal<import('../../js/transports/memory.js').MemoryEnd>} */
      const come = new Signal();
      network.serve('peer', come.fire);
      const cause = new RangeError('bad');
      const protocol = protocolWith(name, failing(cause));
      const { transport } = await loop.connect('mem:peer', () => protocol, { high: 1000 });
      const end = await come.fired;
      transport.write(new Uint8Array(70_000));
      while (end.read()) await new Promise(setImmediate);
      await reported.fired;
      assert.deepEqual(
        reports.map(([error, { callback }]) => [error.cause, callback]),
        [[cause, name]],
      );
      assert.equal(transport.isClosing(), false);
      transport.close();
      assert.equal(await transport.closed, null);
    });
  }

  test(`L6: connectionLost ${way} is told, with whose it was`, async (t) => {
    const { loop, network, reports, reported } = loopFor(t);
    network.serve('peer', () => {});
    const cause = new RangeError('bad');
    const protocol = { connectionLost: failing(cause) };
    const { transport } = await loop.connect('mem:peer', () => protocol);
    transport.close();
    assert.equal(await transport.closed, null);
    await reported.fired;
    const [[error, context]] = reports;
    assert.equal(error.cause, cause);
    assert.deepEqual(context, { callback: 'connectionLost', transport, protocol });
  });

  test(`L6: errorReceived ${way} is told, and the endpoint lives on`, async (t) => {
    const { loop, reports, reported } = loopFor(t);
    const cause = new RangeError('bad');
    const protocol = { errorReceived: failing(cause) };
    const { transport } = await loop.datagram('udp://127.0.0.1:0', () => protocol, { bind: true });
    transport.sendto(new Uint8Array(70_000), '127.0.0.1:9'); // too long
    await reported.fired;
    assert.deepEqual(
      reports.map(([error, { callback }]) => [error.cause, callback]),
      [[cause, 'errorReceived']],
    );
    assert.equal(transport.isClosing(), false);
  });

  test(`L6: datagramReceived ${way} is told, and the endpoint lives on`, async (t) => {
    const { loop, reports, reported } = loopFor(t);
    const second = new Signal();
    const bound = await loop.datagram(
      'udp://127.0.0.1:0',
      () => ({ datagramReceived: failing(new RangeError('bad')) }),
      { bind: true },
    );
    const to = `udp://${bound.transport.getExtraInfo('sockname')}`;
    const { transport } = await loop.datagram(to, () => ({ datagramReceived() {} }));
    transport.sendto('one');
    await reported.fired;
    bound.transport.setProtocol({ datagramReceived: second.fire });
    transport.sendto('two');
    await second.fired;
    assert.deepEqual(
      reports.map(([, { callback }]) => callback),
      ['datagramReceived'],
    );
  });

  test(`L6: callbacks of a child ${way} are told, and it lives on`, async (t) => {
    const { loop, reports } = loopFor(t);
    const names = ['pipeDataReceived', 'pipeConnectionLost', 'processExited'];
    const cause = new RangeError('bad');
    const protocol = Object.fromEntries(names.map((name) => [name, failing(cause)]));
    const { transport } = await loop.spawn('exec:/bin/echo', () => protocol, {
      arguments: ['hello'],
      stdio: ['null', 'pipe', 'null'],
    });
    assert.equal(await transport.closed, null);
    assert.equal(transport.getReturncode(), 0);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.deepEqual(reports.map(([, { callback }]) => callback).sort(), [...names].sort());
  });

  test(`T3: a call for later ${way} is told, with its name`, async (t) => {
    const { loop, reports } = loopFor(t);
    await loop.start();
    const done = new Signal();
    loop.callSoon(failing(new RangeError('bad')));
    loop.callLater(1, failing(new RangeError('bad')));
    loop.callLater(2, () => setImmediate(() => setImmediate(() => done.fire(undefined))));
    await done.fired;
    assert.deepEqual(reports.map(([{ message }, { callback }]) => [message, callback]).sort(), [
      ['callLater(): bad', 'callLater'],
      ['callSoon(): bad', 'callSoon'],
    ]);
  });
}

test('L6: getBuffer cannot be async, and says so', async (t) => {
  const { loop, network } = loopFor(t);
  network.serve('peer', (end) => end.write(Buffer.from('bytes')));
  const getBuffer = async () => {
    throw new RangeError('bad');
  };
  const { transport } = await loop.connect('mem:peer', () => /** @type {any} */ ({ getBuffer }));
  const error = await transport.closed;
  assert.equal(error?.code, 'ECALLBACK');
  assert.match(`${error?.message}`, /getBuffer\(\)'s answer is a Uint8Array, not a promise/);
});

test('L6: anything can be thrown', async (t) => {
  const { loop, network } = loopFor(t);
  network.serve('peer', (end) => end.write(Buffer.from('bytes')));
  for (const cause of [null, undefined, 'text', Symbol('symbol'), Object.create(null)]) {
    const { transport } = await loop.connect('mem:peer', () => ({
      dataReceived() {
        throw cause;
      },
    }));
    const error = await transport.closed;
    assert.equal(error?.code, 'ECALLBACK');
    if (cause !== undefined) assert.equal(error?.cause, cause);
  }
});

test('L8: close with nothing queued, then a rejection: the first cause wins', async (t) => {
  const { loop, network, reports } = loopFor(t);
  network.serve('peer', (end) => end.write(Buffer.from('bytes')));
  const { transport } = await loop.connect('mem:peer', () => ({
    async dataReceived() {
      transport.close();
      throw new RangeError('bad');
    },
  }));
  assert.equal(await transport.closed, null);
  assert.equal(reports.length, 1);
});

test('E3: an async eofReceived keeps the connection open until its promise is fulfilled', async (t) => {
  const { loop, network } = loopFor(t);
  /** @type {Signal<import('../../js/transports/memory.js').MemoryEnd>} */
  const come = new Signal();
  network.serve('peer', come.fire);
  const go = new Signal();
  const ended = new Signal();
  const { transport } = await loop.connect('mem:peer', () => ({
    async eofReceived() {
      ended.fire(undefined);
      await go.fired;
      transport.write('the last words');
    },
  }));
  const end = await come.fired;
  end.end();
  await ended.fired;
  await new Promise(setImmediate);
  assert.equal(transport.isClosing(), false);
  go.fire(undefined);
  assert.equal(await transport.closed, null);
  assert.equal(Buffer.from(end.read() ?? []).toString(), 'the last words');
});

test('E3: an async eofReceived that answers true leaves the connection open', async (t) => {
  const { loop, network } = loopFor(t);
  network.serve('peer', (end) => end.end());
  const ended = new Signal();
  const { transport } = await loop.connect('mem:peer', () => ({
    async eofReceived() {
      setImmediate(ended.fire);
      return true;
    },
  }));
  await ended.fired;
  assert.equal(transport.isClosing(), false);
});

test('R3: what arrives stays whole during the callback, whatever is written meanwhile', async (t) => {
  const { loop, network } = loopFor(t);
  network.serve('peer', (end) => end.write(Buffer.from('what arrives')));
  const done = new Signal();
  /** @type {Uint8Array | undefined} */
  let kept;
  await loop.connect('mem:peer', () => ({
    connectionMade(transport) {
      this.transport = transport;
    },
    /** @type {import('../../js/node.js').StreamTransport | undefined} */
    transport: undefined,
    dataReceived(/** @type {Uint8Array} */ data) {
      kept = data;
      this.transport?.write(new Uint8Array(32 << 20)); // the module's memory has to grow for this
      done.fire(Buffer.from(data).toString());
    },
  }));
  assert.equal(await done.fired, 'what arrives');
  assert.equal(kept?.length, 12);
});

test('R3: after the callback a view shows what has come since', async (t) => {
  const { loop, network } = loopFor(t);
  /** @type {Signal<import('../../js/transports/memory.js').MemoryEnd>} */
  const come = new Signal();
  network.serve('peer', come.fire);
  const second = new Signal();
  /** @type {Uint8Array[]} */
  const views = [];
  await loop.connect('mem:peer', () => ({
    dataReceived(data) {
      if (views.push(data) === 2) second.fire(undefined);
      else end.write(Buffer.from('newer'));
    },
  }));
  const end = await come.fired;
  end.write(Buffer.from('older'));
  await second.fired;
  assert.deepEqual(
    views.map((view) => Buffer.from(view).toString()),
    ['newer', 'newer'],
  );
});
