// Transports as JavaScript's own streams: iterated, piped, teed, given to Node's; ends, errors and giving up, passed on.
import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import net from 'node:net';
import { Duplex, PassThrough, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { Loop, StreamReader } from '../../js/node.js';
import { connectionIn, loopFor, until } from './memory-loop.js';
import { Signal } from './probe.js';

/** @typedef {import('../../js/transports/memory.js').MemoryEnd} MemoryEnd */

/** @param {Uint8Array | null} bytes */
const text = (bytes) => Buffer.from(bytes ?? []).toString('latin1');

/** Sends what is written to one of two sockets, which the other resets. @param {import('node:test').TestContext} t @param {Loop} loop */
async function resettable(t, loop) {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  const come = once(server, 'connection');
  const connection = await loop.openConnection(`tcp://127.0.0.1:${port}`);
  const [socket] = await come;
  return { connection, socket };
}

// ---- Iteration ----

test('a transport and a connection are iterated to the end', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t));
  end.write(Buffer.from('one'));
  const parts = [];
  for await (const piece of connection.transport) {
    parts.push(text(piece));
    end.write(Buffer.from('two'));
    break; // leaves the connection as it is
  }
  for await (const piece of connection) {
    parts.push(text(piece));
    end.end();
  }
  assert.deepEqual(parts, ['one', 'two']);
  await connection.close();
});

test('what breaks a connection breaks its iteration', async (t) => {
  const { loop } = loopFor(t);
  const { connection, socket } = await resettable(t, loop);
  const all = (async () => {
    for await (const _ of connection) assert.fail('nothing was sent');
  })();
  socket.resetAndDestroy();
  await assert.rejects(all, { name: 'TowlineError', code: 'ECONNRESET' });
  await assert.rejects(connection.writable.getWriter().write('x'), { code: 'ECONNRESET' });
  await assert.rejects(new Response(connection.readable).text(), { code: 'ECONNRESET' });
});

test('lines are iterated, and what is left is read otherwise', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t));
  end.write(Buffer.from('HEAD\nbody'));
  for await (const line of connection.reader) {
    assert.equal(text(line), 'HEAD\n');
    break;
  }
  assert.equal(text(await connection.reader.readExactly(4)), 'body');
});

test('reading to the end that is given up loses no byte, and its signal is let go', async () => {
  const reader = new StreamReader();
  const controller = new AbortController();
  const { signal } = controller;
  reader.feedData(Buffer.from('one '));
  const all = reader.read(-1, { signal });
  await null;
  reader.feedData(Buffer.from('two '));
  await new Promise(setImmediate);
  controller.abort();
  await assert.rejects(all, { code: 'ECANCELED' });
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  reader.feedData(Buffer.from('three'));
  assert.equal(text(await reader.read(100)), 'one two three');
});

// ---- Readers of readable ----

test('a reader that lets go of readable while it waits loses no byte', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t));
  const first = connection.readable.getReader();
  const waiting = first.read();
  first.releaseLock();
  await assert.rejects(waiting, TypeError);
  end.write(Buffer.from('for the second'));
  const second = connection.readable.getReader();
  assert.equal(text(/** @type {Uint8Array} */ ((await second.read()).value)), 'for the second');
  second.releaseLock();
  const byob = connection.readable.getReader({ mode: 'byob' });
  const filling = byob.read(new Uint8Array(3));
  byob.releaseLock();
  await assert.rejects(filling, TypeError);
  end.write(Buffer.from('third'));
  end.end();
  const parts = [];
  for await (const chunk of connection.readable) parts.push(text(chunk));
  assert.equal(parts.join(''), 'third');
});

test('readable is teed', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t));
  const [one, other] = connection.readable.tee();
  end.write(Buffer.from('twice'));
  end.end();
  const texts = [new Response(one).text(), new Response(other).text()];
  assert.deepEqual(await Promise.all(texts), ['twice', 'twice']);
});

test('a connection ends when readable is cancelled and writable closed, in either order', async (t) => {
  const world = loopFor(t);
  const { connection: one, end: first } = await connectionIn(world);
  await one.readable.cancel();
  first.write(Buffer.from('nobody reads this'));
  await one.writable.close();
  assert.equal(await one.transport.closed, null);
  const { connection: other } = await connectionIn(world);
  await other.writable.close();
  assert.equal(other.transport.isClosing(), false);
  await other.readable.cancel();
  assert.equal(await other.transport.closed, null);
});

// ---- Writers of writable ----

test('closing writable waits until all has left', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t));
  const writer = connection.writable.getWriter();
  void writer.write(new Uint8Array(100_000));
  let isClosed = false;
  const closed = writer.close().then(() => {
    isClosed = true;
  });
  await until(end, () => !end.isEmpty);
  let size = 0;
  while (!isClosed) {
    assert(size < 100_000 || connection.transport.getWriteBufferSize() === 0);
    size += end.read(1000)?.length ?? 0;
    await new Promise(setImmediate);
  }
  await closed;
  assert.equal(connection.transport.getWriteBufferSize(), 0);
  assert.equal(connection.transport.isClosing(), false);
});

for (const half of ['the stream', 'the connection'])
  test(`closing writable, which ends ${half}, fails when the rest cannot leave`, async (t) => {
    const { connection, socket } = await resettable(t, loopFor(t).loop);
    if (half === 'the connection') void connection.readable.cancel();
    const writer = connection.writable.getWriter();
    void writer.write(new Uint8Array(32 << 20)).catch(() => {});
    const closed = writer.close();
    void writer.closed.catch(() => {});
    socket.resetAndDestroy();
    await assert.rejects(closed, { name: 'TowlineError', code: /ECONNRESET|EPIPE/ });
  });

test('a write of what is no bytes fails, and breaks writable', async (t) => {
  const { connection } = await connectionIn(loopFor(t));
  const writer = connection.writable.getWriter();
  void writer.closed.catch(() => {});
  await assert.rejects(writer.write(/** @type {any} */ ({ json: true })), {
    name: 'TypeError',
    message: /a string, an ArrayBuffer or a view of one, not an object/,
  });
});

// ---- One to another ----

/** Two clients, joined by a server that pipes each to the other. @param {ReturnType<typeof loopFor>} world */
async function relayIn(world) {
  const { loop, network } = world;
  /** @type {Signal<MemoryEnd>} */
  const come = new Signal();
  network.serve('target', come.fire);
  /** @type {Signal<import('../../js/node.js').StreamConnection[]>} */
  const joined = new Signal();
  await loop.startServer('mem:relay', async (near) => {
    const far = await loop.openConnection('mem:target');
    joined.fire([near, far]);
    await Promise.allSettled([
      near.readable.pipeTo(far.writable),
      far.readable.pipeTo(near.writable),
    ]);
  });
  const client = network.open('relay');
  assert(client);
  return { client, target: await come.fired, joined: await joined.fired };
}

test('two connections piped to each other pass bytes and ends on', async (t) => {
  const { client, target, joined } = await relayIn(loopFor(t));
  client.write(Buffer.from('question'));
  client.end();
  await until(target, () => target.ended);
  assert.equal(text(target.read()), 'question');
  target.write(Buffer.from('answer'));
  target.end();
  await until(client, () => client.closed);
  assert.equal(text(client.read()), 'answer');
  for (const { transport } of joined) assert.equal(await transport.closed, null);
});

test('two connections piped to each other: backpressure goes through', async (t) => {
  const { client, target } = await relayIn(loopFor(t));
  const sent = new Uint8Array(4 << 20);
  let size = 0;
  for (let idle = 0; idle < 50; idle++) {
    const taken = client.write(sent.subarray(size));
    size += taken;
    if (taken > 0) idle = 0;
    await new Promise(setImmediate);
  }
  assert(size < sent.length, `${size} bytes were taken, though nobody reads`);
  assert.equal(client.room, 0);
  let received = 0;
  while (received < size) {
    received += target.read()?.length ?? 0;
    await new Promise(setImmediate);
  }
});

test('two connections piped to each other: one that breaks off takes the other along', async (t) => {
  const { client, target, joined } = await relayIn(loopFor(t));
  joined[1].transport.abort();
  await until(client, () => client.closed);
  for (const { transport } of joined) await transport.closed;
  assert.equal(target.closed, true);
});

test('piping that is given up cancels the one and aborts the other', async (t) => {
  const world = loopFor(t);
  const { connection: from } = await connectionIn(world);
  const { connection: to } = await connectionIn(world);
  const controller = new AbortController();
  const piped = from.readable.pipeTo(/** @type {any} */ (to.writable), controller);
  controller.abort(new RangeError('enough'));
  await assert.rejects(piped, RangeError);
  assert.equal(await to.transport.closed, null);
  await from.writable.close();
  assert.equal(await from.transport.closed, null);
});

// ---- Node's own streams ----

test("Node's pipeline passes through a connection", async (t) => {
  const { loop } = loopFor(t);
  await loop.startServer('mem:upper', async ({ readable, writable }) => {
    const upper = new Transform({
      transform: (chunk, _encoding, done) => done(null, text(chunk).toUpperCase()),
    });
    await pipeline(
      Readable.fromWeb(/** @type {any} */ (readable)),
      upper,
      /** @type {any} */ (writable),
    );
  });
  const { transport } = await loop.connect('mem:upper');
  const duplex = Duplex.fromWeb(/** @type {any} */ (transport));
  const result = new PassThrough();
  const words = Readable.from(['some ', 'words ', 'piped']);
  const whole = result.toArray();
  await pipeline(words, duplex, result);
  assert.equal(text(Buffer.concat(await whole)), 'SOME WORDS PIPED');
  assert.equal(await transport.closed, null);
});

test("Node's pipeline rejects with what broke the connection", async (t) => {
  const { connection, socket } = await resettable(t, loopFor(t).loop);
  const sink = new PassThrough().resume();
  const done = pipeline(Readable.fromWeb(/** @type {any} */ (connection.readable)), sink);
  socket.resetAndDestroy();
  await assert.rejects(done, { code: 'ECONNRESET' });
});

// ---- What has no streams, or had its connection ----

test('streams of a transport that is lost have ended, or failed with why', async (t) => {
  const { loop, network } = loopFor(t);
  network.serve('peer', (end) => end.write(Buffer.from('x')));
  const { transport } = await loop.connect('mem:peer', () => ({}));
  transport.close();
  await transport.closed;
  assert.equal(await new Response(transport.readable).text(), '');
  await assert.rejects(transport.writable.getWriter().write('x'), { code: 'ECLOSED' });
  const broken = await loop.connect('mem:peer', () => ({
    dataReceived() {
      throw new RangeError('bad');
    },
  }));
  await broken.transport.closed;
  await assert.rejects(new Response(broken.transport.readable).text(), { code: 'ECALLBACK' });
});

// ---- Children ----

test("a child's pipes are streams", async (t) => {
  const { loop } = loopFor(t);
  const toProtocol = t.mock.fn();
  const { transport } = await loop.spawn('exec:cat', () => ({ pipeDataReceived: toProtocol }));
  const [input, output] = [0, 1].map((fd) => transport.getPipeTransport(fd));
  assert(input && output);
  const sent = Uint8Array.from({ length: 1_000_000 }, (_, i) => i * 7 + (i >> 9));
  const [, received] = await Promise.all([
    new Blob([sent]).stream().pipeTo(/** @type {any} */ (input.writable)),
    new Response(output.readable).arrayBuffer(),
  ]);
  assert.deepEqual(new Uint8Array(received), sent);
  assert.equal(await transport.closed, null);
  assert.equal(transport.getReturncode(), 0);
  assert.equal(toProtocol.mock.callCount(), 0);
});

test("a child's output is iterated; its errors go to its protocol nevertheless", async (t) => {
  const { loop } = loopFor(t);
  const errors = new Signal();
  const { transport } = await loop.spawn(
    'exec:sh',
    () => ({ pipeDataReceived: (fd, data) => errors.fire(`${fd}: ${text(data)}`) }),
    { arguments: ['-c', 'echo to output; echo to errors >&2'] },
  );
  const output = transport.getPipeTransport(1);
  assert(output);
  let all = '';
  for await (const piece of output) all += text(piece);
  assert.equal(all, 'to output\n');
  assert.equal(await errors.fired, '2: to errors\n');
});

test("a child's output that is not read holds the child back; cancelled, it closes the pipe", async (t) => {
  const { loop } = loopFor(t);
  const { transport } = await loop.spawn('exec:yes', () => ({}));
  const output = transport.getPipeTransport(1);
  assert(output);
  const reader = output.readable.getReader();
  await reader.read();
  while (output.isReading()) await new Promise(setImmediate);
  await reader.cancel();
  assert.equal(await output.closed, null);
  await transport.closed;
  assert.notEqual(transport.getReturncode(), 0); // it could not write
});

test('writing to a child that has gone fails', async (t) => {
  const { loop } = loopFor(t);
  const { transport } = await loop.spawn('exec:true', () => ({}));
  const input = transport.getPipeTransport(0);
  assert(input);
  const writer = input.writable.getWriter();
  await assert.rejects(
    async () => {
      for (;;) await writer.write(new Uint8Array(1 << 20));
    },
    { name: 'TowlineError', code: /EPIPE|ECLOSED/ },
  );
  await transport.closed;
});
