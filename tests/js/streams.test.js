import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { Protocol, StreamProtocol } from '../../js/node.js';
import { connectionIn, loopFor, until } from './memory-loop.js';
import { Signal } from './probe.js';

/** @typedef {import('../../js/transports/memory.js').MemoryEnd} MemoryEnd */

/** @param {Uint8Array} bytes */
const text = (bytes) => Buffer.from(bytes).toString('latin1');

/** All that has come, until the end. @param {MemoryEnd} end */
async function readAll(end) {
  /** @type {Uint8Array[]} */
  const parts = [];
  for (;;) {
    const bytes = end.read();
    if (bytes) parts.push(bytes);
    else if (end.ended) return Buffer.concat(parts);
    else await until(end, () => !end.isEmpty || end.ended);
  }
}

test('a server of streams, and a client', async (t) => {
  const { loop } = loopFor(t);
  const server = await loop.startServer('mem:upper', async ({ reader, writer }) => {
    for await (const line of reader) await writer.write(text(line).toUpperCase());
  });
  const connection = await loop.openConnection('mem:upper');
  const { reader, writer } = connection;
  writer.writelines(['one\n', 'two\n']);
  assert.equal(text(await reader.readLine()), 'ONE\n');
  assert.equal(text(await reader.readUntil('O')), 'TWO');
  writer.writeEof();
  assert.equal(text(await reader.read()), '\n');
  assert.equal(reader.atEof(), true);
  await connection[Symbol.asyncDispose](); // what `await using` calls; Node 20 cannot read that
  assert.equal(writer.isClosing(), true);
  server.close();
});

test('what a server throws is told, and its connection aborted', async (t) => {
  const { loop, reports } = loopFor(t);
  await loop.startServer('mem:bad', async ({ reader }) => {
    await reader.readExactly(10);
  });
  const { reader, writer } = await loop.openConnection('mem:bad');
  writer.write('short');
  writer.writeEof();
  assert.equal((await reader.read()).length, 0);
  await writer.waitClosed().catch(() => {});
  assert.deepEqual(
    reports.map(([{ code, cause }]) => [code, /** @type {Error} */ (cause).name]),
    [['ECALLBACK', 'IncompleteReadError']],
  );
});

test('a reader that does not read holds the peer back', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t), { limit: 1000 });
  const sent = new Uint8Array(300_000);
  let size = end.write(sent);
  const { reader } = connection;
  await until(end, () => {
    size += end.write(sent.subarray(size));
    return end.room === 0;
  });
  assert(size < sent.length);
  const received = reader.readExactly(sent.length);
  await until(end, () => {
    size += end.write(sent.subarray(size));
    return size === sent.length;
  });
  assert.equal((await received).length, sent.length);
});

test('drain waits while the peer does not read, and write answers the same', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t), { high: 1000 });
  const { writer, transport } = connection;
  await writer.drain();
  let isDrained = false;
  const written = writer.write(new Uint8Array(70_000)).then(() => {
    isDrained = true;
  });
  await null;
  assert.equal(isDrained, false);
  assert(transport.getWriteBufferSize() > 1000);
  end.read();
  await written;
  assert(transport.getWriteBufferSize() <= 250);
});

test('a loss wakes who waits, and is what everybody is told', async (t) => {
  const { loop } = loopFor(t);
  const server = net.createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  const come = once(server, 'connection');
  const { reader, writer } = await loop.openConnection(`tcp://127.0.0.1:${port}`);
  const [socket] = await come;
  const written = writer.write(new Uint8Array(16 << 20));
  const line = reader.readLine();
  socket.resetAndDestroy();
  await assert.rejects(line, { name: 'TowlineError', code: /ECONNRESET|EPIPE/ });
  await assert.rejects(written, { code: /ECONNRESET|EPIPE/ });
  await assert.rejects(writer.waitClosed(), { code: /ECONNRESET|EPIPE/ });
  await assert.rejects(reader.read(1), { code: /ECONNRESET|EPIPE/ });
  await assert.rejects(writer.drain(), { code: /ECONNRESET|EPIPE/ });
  await writer.write('nobody waits for this').catch(() => {});
});

test('readable is iterated to the end, and BYOB readers fill their own memory', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t));
  const { readable } = connection;
  assert.equal(connection.readable, readable);
  assert.equal(connection.transport.readable, readable);
  end.write(Buffer.from('bytes of one'));
  const byob = readable.getReader({ mode: 'byob' });
  const { value } = await byob.read(new Uint8Array(5));
  assert.equal(text(/** @type {Uint8Array} */ (value)), 'bytes');
  byob.releaseLock();
  end.end();
  const parts = [];
  for await (const chunk of readable) parts.push(text(chunk));
  assert.equal(parts.join(''), ' of one');
});

test('readable at its end tells a BYOB reader so', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t));
  const byob = connection.readable.getReader({ mode: 'byob' });
  const last = byob.read(new Uint8Array(5));
  end.end();
  assert.equal((await last).done, true);
});

test('readable that is not read holds the peer back', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t), { limit: 1000 });
  const { readable } = connection;
  const sent = new Uint8Array(300_000);
  let size = 0;
  await until(end, () => {
    size += end.write(sent.subarray(size));
    return end.room === 0;
  });
  assert(size < sent.length);
  let received = 0;
  for await (const chunk of readable) {
    received += chunk.length;
    size += end.write(sent.subarray(size));
    if (size === sent.length) end.end();
  }
  assert.equal(received, sent.length);
});

test('writable is ready while writing is not paused', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t), { high: 1000 });
  const writer = connection.writable.getWriter();
  await writer.ready;
  await writer.write('taken at once');
  await writer.ready;
  let isReady = false;
  const written = writer.write(new Uint8Array(70_000));
  const ready = writer.ready.then(() => {
    isReady = true;
  });
  await null;
  assert.equal(isReady, false);
  end.read();
  await written;
  await ready;
  const all = readAll(end);
  await writer.close();
  await all;
});

test('closing writable ends the stream, and the connection when the peer has ended, too', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t));
  const writer = connection.writable.getWriter();
  await writer.write('question');
  await writer.close();
  assert.equal(text(await readAll(end)), 'question');
  assert.equal(connection.transport.isClosing(), false);
  end.write(Buffer.from('answer'));
  end.end();
  const parts = [];
  for await (const chunk of connection.readable) parts.push(text(chunk));
  assert.equal(parts.join(''), 'answer');
  assert.equal(await connection.transport.closed, null);
});

test('closing writable after the peer has ended closes the connection', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t));
  end.end();
  for await (const _ of connection.readable) assert.fail('nothing was sent');
  await connection.writable.getWriter().close();
  assert.equal(await connection.transport.closed, null);
});

test('aborting writable aborts the connection, and ends readable', async (t) => {
  const { connection } = await connectionIn(loopFor(t));
  const readable = connection.readable.getReader();
  await connection.writable.abort(new Error('enough'));
  assert.equal(await connection.transport.closed, null);
  assert.equal((await readable.read()).done, true);
});

test('readable that is cancelled drops what comes; writable goes on', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t), { limit: 1000 });
  const writer = connection.writable.getWriter();
  await connection.readable.cancel();
  const sent = new Uint8Array(300_000);
  let size = 0;
  await until(end, () => {
    size += end.write(sent.subarray(size));
    return size === sent.length && end.room > 0;
  });
  await writer.write('still here');
  await until(end, () => !end.isEmpty);
  assert.equal(text(/** @type {Uint8Array} */ (end.read())), 'still here');
});

test('writable fails when the connection is lost under it', async (t) => {
  const { connection, end } = await connectionIn(loopFor(t), { high: 1000 });
  const writer = connection.writable.getWriter();
  const written = writer.write(new Uint8Array(200_000));
  connection.transport.abort();
  await assert.rejects(written, { name: 'TowlineError', code: 'ECLOSED' });
  await assert.rejects(writer.closed, { code: 'ECLOSED' });
  await assert.rejects(writer.ready, { code: 'ECLOSED' });
  end.close();
});

test('bytes pass from a readable to a writable', async (t) => {
  const { loop } = loopFor(t);
  await loop.listen(
    'mem:echo',
    () => new StreamProtocol({ serve: (c) => c.readable.pipeTo(c.writable) }),
  );
  const { transport } = await loop.connect('mem:echo');
  const sent = Uint8Array.from({ length: 1_000_000 }, (_, i) => i * 7 + (i >> 9));
  const source = new Blob([sent]).stream();
  const [, received] = await Promise.all([
    source.pipeTo(/** @type {any} */ (transport.writable)),
    new Response(transport.readable).arrayBuffer(),
  ]);
  assert.deepEqual(new Uint8Array(received), sent);
  assert.equal(await transport.closed, null);
});

test('streams take a connection over from another protocol', async (t) => {
  const { loop, network } = loopFor(t);
  /** @type {Signal<MemoryEnd>} */
  const come = new Signal();
  network.serve('peer', come.fire);
  const greeted = new Signal();
  const lost = t.mock.fn();
  class Greeting extends Protocol {
    /** @override @param {Uint8Array} data */
    dataReceived(data) {
      greeted.fire(text(data));
    }

    connectionLost = lost;
  }
  const { transport } = await loop.connect('mem:peer', () => new Greeting());
  const end = await come.fired;
  end.write(Buffer.from('220 ready'));
  assert.equal(await greeted.fired, '220 ready');
  const { readable } = transport;
  assert(transport.getProtocol() instanceof StreamProtocol);
  assert.equal(transport.readable, readable);
  end.write(Buffer.from('body'));
  end.end();
  assert.equal(await new Response(readable).text(), 'body');
  await transport.writable.close();
  await transport.closed;
  assert.equal(lost.mock.callCount(), 0);
});
