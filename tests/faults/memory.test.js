// Much that flows between sides of different speed: memory stays within the marks.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { dial, pattern, plainHosts, Subject, serve } from './subject.js';

const MUCH = 200_000_000;
const HIGH = 65536; // the mark
const PIECE = 65536; // what the subject writes at a time
const READ = 262144; // what a protocol is given at most

/** How much the process may grow over its start, in KiB: natively the marks and some stack; Node collects its garbage late. @type {Record<string, number>} */
const growth = { native: 2048, Node: 64 * 1024 };

for (const [host, command] of Object.entries(plainHosts)) {
  const limit = growth[host];

  test(`a slow reader takes 200 MB: the queue stays within the marks [F2, F7]: ${host}`, {
    timeout: 120_000,
  }, async (t) => {
    const subject = await Subject.start(t, command);
    const { address } = await subject.ask('listen tcp://127.0.0.1:0 h', 0, 'listening');
    const into = Buffer.allocUnsafe(READ);
    let read = 0;
    let wrong = 0;
    const socket = await dial(t, address, {
      onread: {
        buffer: into,
        callback: (size) => {
          if (!into.subarray(0, size).equals(pattern(read, size))) wrong++;
          read += size;
          setImmediate(() => socket.resume()); // one read a turn
          return false;
        },
      },
    });
    const id = await subject.idOf(socket);
    const before = subject.peak;
    subject.send(`pump ${id} ${MUCH}`);
    await once(socket.resume(), 'end');
    const grown = subject.peak - before;
    assert.deepEqual([read, wrong], [MUCH, 0]);
    const { most, buffer } = await subject.state(id);
    assert.ok(most > HIGH && most <= HIGH + PIECE, `${most} bytes were queued`);
    assert.equal(buffer, 0);
    const paused = subject.calls(id).filter((name) => name === 'pause').length;
    assert.equal(subject.calls(id).filter((name) => name === 'resume').length, paused);
    t.diagnostic(`paused ${paused} times; ${grown} KiB more memory at the peak`);
    assert.ok(grown <= limit, `${grown} KiB more memory`);
    subject.send(`close ${id}`);
    assert.equal((await subject.when(id, 'lost')).code, '');
    assert.deepEqual(await subject.end(), { memory: 0, status: 0 });
  });

  for (const kind of ['s', 'sb']) {
    const who = `${host}${kind === 'sb' ? ', buffered' : ''}`;
    test(`we read 200 MB slowly, with pauses: nothing piles up [R1]: ${who}`, {
      timeout: 120_000,
    }, async (t) => {
      const subject = await Subject.start(t, command);
      const server = await serve(t);
      subject.send(`connect ${server.address} ${kind}`);
      const socket = await server.next();
      const id = await subject.idOf(socket);
      subject.send(`pause ${id}`);
      const before = subject.peak;
      const size = 800_000;
      for (let at = 0; at < MUCH; at += size) {
        if (socket.write(pattern(at, size))) continue;
        subject.send(`resume ${id}`); // the system's buffers are full
        await once(socket, 'drain');
      }
      socket.end();
      assert.equal((await subject.when(id, 'eof')).received, MUCH);
      assert.equal((await subject.received(id, MUCH)).broken, 0);
      const grown = subject.peak - before;
      t.diagnostic(`${grown} KiB more memory at the peak`);
      assert.ok(grown <= limit, `${grown} KiB more memory`);
      assert.equal((await subject.when(id, 'lost')).code, '');
      assert.deepEqual(await subject.end(), { memory: 0, status: 0 });
    });
  }

  test(`a peer that writes and never reads: we pause and stay so; abort frees all [F2, E5]: ${host}`, {
    timeout: 120_000,
  }, async (t) => {
    const subject = await Subject.start(t, command);
    const { address } = await subject.ask('listen tcp://127.0.0.1:0 e', 0, 'listening');
    const { handles } = await subject.stats();
    const first = await dial(t, address); // a loop keeps some memory from its first read on
    const firstId = await subject.idOf(first);
    first.end(pattern(0, 1));
    await subject.when(firstId, 'lost');
    const start = await subject.rest(handles);
    const socket = await dial(t, address);
    const id = await subject.idOf(socket);
    let sent = 0;
    const flood = () => {
      while (!socket.destroyed && socket.write(pattern(sent, 1 << 20))) sent += 1 << 20;
    };
    socket.on('drain', flood);
    flood();
    await subject.when(id, 'pause');
    const { received } = await subject.state(id);
    for (let turns = 0; turns < 50; turns++) {
      const now = await subject.state(id);
      assert.deepEqual([now.received, now.reading], [received, 0]);
      assert.ok(now.buffer > HIGH && now.buffer <= HIGH + READ, `${now.buffer} bytes are queued`);
    }
    assert.deepEqual(subject.calls(id), ['made', 'pause']);
    const closed = new Promise((resolve) => socket.on('close', resolve)); // with a reset
    subject.send(`abort ${id}`);
    assert.equal((await subject.when(id, 'lost')).code, '');
    await closed;
    const { memory } = await subject.rest(start.handles);
    t.diagnostic(`memory before ${start.memory}, after ${memory}`);
    // One small piece of the queue is kept for the next write.
    if (host === 'native') assert.ok(memory <= start.memory + 1, `${memory} pieces of memory`);
    assert.deepEqual(subject.calls(id), ['made', 'pause', 'lost']);
    assert.deepEqual(await subject.end(), { memory: 0, status: 0 });
  });
}
