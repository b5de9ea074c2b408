import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BufferedProtocol, Protocol, TowlineError } from '../../js/node.js';
import { loopFor } from './memory-loop.js';
import { Signal } from './probe.js';

/** Gives back what it gets. */
class Echo extends Protocol {
  /** @override @param {import('../../js/node.js').StreamTransport} transport */
  connectionMade(transport) {
    this.transport = transport;
  }

  /** @override @param {Uint8Array} data */
  dataReceived(data) {
    this.transport?.write(data);
  }
}

test('O1: a promise of the transport and the protocol, after connection_made', async (t) => {
  const { loop } = loopFor(t);
  await loop.listen('mem:echo', () => new Echo());
  const { transport, protocol } = await loop.connect('mem:echo', () => new Echo());
  assert.equal(protocol.transport, transport);
  assert.equal(transport.getProtocol(), protocol);
  assert.equal(transport.loop, loop);
});

test('O1: nothing is made of a connection that is refused, cancelled, or too late', async (t) => {
  const { loop, network } = loopFor(t);
  let made = 0;
  const factory = () => {
    made++;
    return new Echo();
  };
  network.serve('x', () => {});
  const controller = new AbortController();
  const late = loop.connect('mem:x?never', factory, { signal: controller.signal });
  controller.abort(new Error('changed my mind'));
  await assert.rejects(late, { code: 'ECANCELED', cause: controller.signal.reason });
  await assert.rejects(loop.connect('mem:x?never', factory, { timeout: 1 }), { code: 'ETIMEDOUT' });
  await assert.rejects(loop.connect('mem:nobody', factory), { code: 'ECONNREFUSED' });
  await assert.rejects(loop.connect('nowhere', factory), TowlineError);
  assert.equal(made, 0);
});

test('O1: what the factory throws is what connect is rejected with, and told of a server', async (t) => {
  const { loop, reports } = loopFor(t);
  const error = new RangeError('no more');
  const broken = () => {
    throw error;
  };
  const lost = new Signal();
  await loop.listen('mem:echo', () => new Echo());
  await loop.listen('mem:broken', broken);
  await assert.rejects(loop.connect('mem:echo', broken), error);
  await loop.connect('mem:broken', () => ({ connectionLost: lost.fire }));
  await lost.fired;
  assert.deepEqual(
    reports.map(([{ cause }, { callback }]) => [cause, callback]),
    [[error, 'factory']],
  );
});

test('O1: a protocol of another kind is refused', async (t) => {
  const { loop } = loopFor(t);
  await loop.listen('mem:echo', () => new Echo());
  const datagrams = () => ({ datagramReceived() {} });
  await assert.rejects(loop.connect('mem:echo', /** @type {any} */ (datagrams)), {
    code: 'EINVAL',
  });
  const { transport } = await loop.connect('mem:echo', () => new Echo());
  assert.throws(() => transport.setProtocol(/** @type {any} */ (datagrams())), { code: 'EINVAL' });
});

test('O1: a protocol without callbacks is of the kind that is asked for', async (t) => {
  const { loop } = loopFor(t);
  const { transport } = await loop.datagram('udp://127.0.0.1:0', () => ({}), { bind: true });
  assert.match(transport.getExtraInfo('sockname', ''), /^127\.0\.0\.1:\d+$/);
  const child = await loop.spawn('exec:true', () => ({}));
  assert.equal(await child.transport.closed, null);
  assert.equal(child.transport.getReturncode(), 0);
});

test('O1: a server whose factory makes what cannot be a protocol of streams is told, each time', async (t) => {
  const { loop, reports } = loopFor(t);
  const made = [{ datagramReceived() {} }, undefined, Promise.resolve({})];
  await loop.listen('mem:wrong', () => /** @type {any} */ (made.shift()));
  for (let i = 0; i < 3; i++) {
    const { transport } = await loop.connect('mem:wrong', () => new Echo());
    await transport.closed;
  }
  assert.deepEqual(
    reports.map(([{ message }, { callback }]) => [message, callback]),
    [
      ['factory(): the protocol of an endpoint cannot be that of a stream', 'factory'],
      ['factory(): a protocol is an object with callbacks, not undefined', 'factory'],
      ['factory(): a protocol is an object with callbacks, not a promise', 'factory'],
    ],
  );
});

test('L6: what is thrown in data_received ends the connection, and is the cause of its error', async (t) => {
  const { loop, reports } = loopFor(t);
  const error = new RangeError('bad');
  const lost = new Signal();
  const protocol = {
    dataReceived() {
      throw error;
    },
    connectionLost: lost.fire,
  };
  await loop.listen('mem:bad', () => protocol);
  const { transport } = await loop.connect('mem:bad', () => new Echo());
  transport.write('x');
  const told = await lost.fired;
  assert(told instanceof TowlineError);
  assert.deepEqual([told.code, told.cause], ['ECALLBACK', error]);
  const [[report, context]] = reports;
  assert.deepEqual(
    [report.code, report.cause, report.message],
    ['ECALLBACK', error, 'dataReceived(): bad'],
  );
  assert.deepEqual([context.callback, context.protocol], ['dataReceived', protocol]);
});

test('L6: what is thrown in connection_made is told, and the connection lives on', async (t) => {
  const { loop, reports } = loopFor(t);
  await loop.listen('mem:echo', () => new Echo());
  const come = new Signal();
  const { transport } = await loop.connect('mem:echo', () => ({
    connectionMade() {
      throw new RangeError('bad');
    },
    dataReceived: (data) => come.fire(Buffer.from(data).toString()),
  }));
  transport.write('still here');
  assert.equal(await come.fired, 'still here');
  assert.deepEqual(
    reports.map(([, { callback }]) => callback),
    ['connectionMade'],
  );
});

test('L6: what is thrown in connection_lost is told, with whose it was', async (t) => {
  const { loop, reports, network } = loopFor(t);
  network.serve('x', () => {});
  const protocol = {
    connectionLost() {
      throw new RangeError('bad');
    },
  };
  const { transport } = await loop.connect('mem:x', () => protocol);
  transport.close();
  assert.equal(await transport.closed, null);
  assert.deepEqual(
    reports.map(([, context]) => context),
    [{ callback: 'connectionLost', transport, protocol }],
  );
});

test('L6: a handler that throws itself breaks nothing', async (t) => {
  const { loop } = loopFor(t);
  t.mock.method(console, 'error', () => {});
  loop.onerror = () => {
    throw new Error('the handler');
  };
  await loop.listen('mem:bad', () => ({
    dataReceived() {
      throw new Error('the callback');
    },
  }));
  const { transport } = await loop.connect('mem:bad', () => new Echo());
  transport.write('x');
  assert.equal(await transport.closed, null);
});

test('L5: calls are harmless after connection_lost', async (t) => {
  const { loop } = loopFor(t);
  await loop.listen('mem:echo', () => new Echo());
  const { transport } = await loop.connect('mem:echo', () => new Echo());
  transport.close();
  assert.equal(await transport.closed, null);
  transport.write('dropped');
  transport.pauseReading();
  transport.abort();
  assert.equal(transport.isClosing(), true);
  assert.equal(transport.getProtocol(), null);
  transport.setProtocol(new Echo());
  await loop.close();
  transport.write('dropped');
  transport.writeEof();
  assert.equal(transport.isClosing(), true);
});

test('F1: limits, of each call and as an option', async (t) => {
  const { loop } = loopFor(t);
  await loop.listen('mem:echo', () => new Echo());
  const { transport } = await loop.connect('mem:echo', () => new Echo(), { high: 100 });
  assert.deepEqual(transport.getWriteBufferLimits(), { low: 25, high: 100 });
  transport.setWriteBufferLimits({ low: 5 });
  assert.deepEqual(transport.getWriteBufferLimits(), { low: 5, high: 20 });
  assert.throws(() => transport.setWriteBufferLimits({ high: 1, low: 2 }), { code: 'EINVAL' });
  transport.setWriteBufferLimits({ high: Number.POSITIVE_INFINITY });
  assert.equal(transport.getWriteBufferLimits().high, 0x7fffffff);
  transport.setWriteBufferLimits();
  assert.deepEqual(transport.getWriteBufferLimits(), { low: 16384, high: 65536 });
});

test('W1: what can be written, and the error after write_eof', async (t) => {
  const { loop } = loopFor(t);
  const come = new Signal();
  let text = '';
  await loop.listen('mem:sink', () => ({
    dataReceived: (data) => {
      text += Buffer.from(data).toString();
    },
    eofReceived: () => come.fire(text),
  }));
  const { transport } = await loop.connect('mem:sink', () => new Echo());
  transport.write('ü');
  transport.write(new Uint16Array([0x6261]).buffer);
  transport.writelines(['c', '', new DataView(new Uint8Array([100]).buffer)]);
  assert.throws(() => transport.write(/** @type {any} */ (5)), TypeError);
  transport.writeEof();
  assert.throws(() => transport.write('x'), {
    code: 'ESHUTDOWN',
    message: 'write() after write_eof()',
  });
  assert.equal(await come.fired, 'üabcd');
});

test('W2: a large write made inside pause_writing comes after the one that paused', async (t) => {
  const { loop } = loopFor(t);
  const sizes = [30_000, 100_000, 40_000];
  const total = sizes.reduce((sum, size) => sum + size);
  const all = new Signal();
  /** @type {Buffer[]} */
  const parts = [];
  await loop.listen('mem:sink', () => ({
    dataReceived: (data) => {
      parts.push(Buffer.from(data));
      if (Buffer.concat(parts).length === total) all.fire(Buffer.concat(parts));
    },
  }));
  const piece = (/** @type {number} */ i) => new Uint8Array(sizes[i]).fill(i);
  let paused = 0;
  const { transport } = await loop.connect('mem:sink', () => ({
    pauseWriting() {
      paused++;
      transport.write(piece(2));
    },
  }));
  transport.setWriteBufferLimits({ high: 1000 });
  transport.write(piece(0)); // taken whole
  transport.write(piece(1));
  assert.equal(paused, 1);
  assert.deepEqual(await all.fired, Buffer.concat([piece(0), piece(1), piece(2)]));
});

test('R3: what arrives is a view, and a slice of it stays', async (t) => {
  const { loop } = loopFor(t);
  await loop.listen('mem:echo', () => new Echo());
  const second = new Signal();
  /** @type {Uint8Array[]} */
  const views = [];
  /** @type {Uint8Array[]} */
  const slices = [];
  const { transport } = await loop.connect('mem:echo', () => ({
    dataReceived(data) {
      views.push(data);
      slices.push(data.slice());
      if (views.length === 2) second.fire(undefined);
      else transport.write('second');
    },
  }));
  transport.write('first.');
  await second.fired;
  assert.deepEqual(
    slices.map(String),
    [Buffer.from('first.'), Buffer.from('second')].map((b) => `${[...b]}`),
  );
  assert.notDeepEqual(views[0], slices[0]);
});

test('B1: a buffered protocol says where the bytes go, whatever its buffer', async (t) => {
  const { loop } = loopFor(t);
  await loop.listen('mem:echo', () => new Echo());
  const size = 400_000;
  const all = new Signal();
  class Filling extends BufferedProtocol {
    whole = new Uint8Array(size);
    filled = 0;

    /** @override */
    getBuffer() {
      return this.whole.subarray(this.filled);
    }

    /** @override @param {number} count */
    bufferUpdated(count) {
      this.filled += count;
      if (this.filled === size) all.fire(this.whole);
    }
  }
  const { transport } = await loop.connect('mem:echo', () => new Filling());
  const sent = Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 9));
  transport.write(sent);
  assert.deepEqual(await all.fired, sent);
});

test('T2: calls for later run in order, and not when cancelled', async (t) => {
  const { loop } = loopFor(t);
  assert.throws(() => loop.callSoon(() => {}), { code: 'ENOTCONN' });
  await loop.start();
  const done = new Signal();
  /** @type {string[]} */
  const calls = [];
  loop.callLater(2, () => done.fire(undefined));
  loop.callLater(1, () => calls.push('later'));
  loop.callLater(1, () => calls.push('cancelled')).cancel();
  loop.callSoon(() => calls.push('soon'));
  await done.fired;
  assert.deepEqual(calls, ['soon', 'later']);
});

test('T5: closing a loop delivers each connection_lost; afterwards it starts anew', async (t) => {
  const { loop, network } = loopFor(t);
  /** @type {unknown[]} */
  const lost = [];
  network.serve('x', () => {});
  await loop.connect('mem:x', () => ({ connectionLost: (error) => void lost.push(error) }));
  await loop.close();
  assert.deepEqual(lost, [null]);
  const { transport } = await loop.connect('mem:x', () => new Echo());
  assert.equal(transport.isClosing(), false);
});

test('H5: when the module breaks, each protocol is told, and the loop starts anew', async (t) => {
  const { loop, network, reports } = loopFor(t);
  network.serve('broken', (end) => {
    end.other.write = () => {
      throw new RangeError('a host that breaks');
    };
  });
  network.serve('x', () => {});
  const lost = [new Signal(), new Signal()];
  await loop.connect('mem:x', () => ({ connectionLost: lost[0].fire }));
  const { transport } = await loop.connect('mem:broken', () => ({ connectionLost: lost[1].fire }));
  assert.throws(() => transport.write('x'), { code: 'ETRAP' });
  for (const { fired } of lost) assert.equal((await fired).code, 'ETRAP');
  assert.equal((await transport.closed)?.code, 'ETRAP');
  transport.write('dropped');
  assert.deepEqual(
    reports.map(([{ code }]) => code),
    ['ETRAP'],
  );
  const again = await loop.connect('mem:x', () => new Echo());
  assert.equal(again.transport.isClosing(), false);
});

test('O3: a server stops accepting, and its connections live on', async (t) => {
  const { loop } = loopFor(t);
  const server = await loop.listen('mem:echo', () => new Echo());
  const come = new Signal();
  const { transport } = await loop.connect('mem:echo', () => ({
    dataReceived: () => come.fire(1),
  }));
  server.close();
  await assert.rejects(
    loop.connect('mem:echo', () => new Echo()),
    { code: 'ECONNREFUSED' },
  );
  transport.write('x');
  await come.fired;
});

test('Node exits when nothing is open', async () => {
  const program = `
    import { connect, listen } from ${JSON.stringify(fileURLToPath(new URL('../../js/node.js', import.meta.url)))};
    const server = await listen('tcp://127.0.0.1:0', () => ({}));
    const { transport } = await connect(server.address, () => ({}));
    server.close();
    transport.close();
    console.log(await transport.closed);`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { timeout: 120_000 },
  );
  assert.equal(stdout, 'null\n');
});
