// Both sides end their stream while much is on its way.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { hosts, pattern, Subject, serve } from './subject.js';

/** @typedef {import('node:net').Socket} Socket */

const SIZE = 20_000_000;

/** Writes the pattern, then ends. @param {Socket} socket */
async function pump(socket) {
  for (let at = 0; at < SIZE; at += 100_000)
    if (!socket.write(pattern(at, 100_000))) await once(socket, 'drain');
  socket.end();
}

/** Reads to the end, and answers how much was the pattern. @param {Socket} socket */
async function drink(socket) {
  let at = 0;
  socket.on('data', (bytes) => {
    for (let done = 0; done < bytes.length; done += 1 << 20) {
      const piece = bytes.subarray(done, done + (1 << 20));
      if (piece.equals(pattern(at, piece.length))) at += piece.length;
    }
  });
  await once(socket.resume(), 'end');
  return at;
}

for (const [host, command] of Object.entries(hosts)) {
  for (const kind of ['', 'b']) {
    const who = `${host}${kind && ', buffered'}`;

    /** @param {import('node:test').TestContext} t @param {string} [role] */
    const open = async (t, role = 'h') => {
      const subject = await Subject.start(t, command);
      const server = await serve(t);
      subject.send(`connect ${server.address} ${role}${kind}`);
      const socket = await server.next();
      return { subject, socket, id: await subject.idOf(socket) };
    };
    /** @param {Subject} subject @param {number} id */
    const finish = async (subject, id) => {
      assert.equal((await subject.when(id, 'eof')).received, SIZE);
      assert.equal((await subject.received(id, SIZE)).broken, 0);
      subject.send(`close ${id}`);
      assert.equal((await subject.when(id, 'lost')).code, '');
      assert.deepEqual(await subject.end(), { memory: 0, status: 0 });
    };

    test(`half-close, the peer ends first with our 20 MB queued [E2, E3]: ${who}`, {
      timeout: 120_000,
    }, async (t) => {
      const { subject, socket, id } = await open(t);
      subject.send(`write ${id} ${SIZE}`);
      subject.send(`eof ${id}`);
      await pump(socket); // it does not read meanwhile
      await subject.when(id, 'eof');
      assert.deepEqual(subject.calls(id), ['made', 'pause', 'eof']);
      assert.equal(await drink(socket), SIZE);
      await finish(subject, id);
      assert.deepEqual(subject.calls(id), ['made', 'pause', 'eof', 'resume', 'lost']);
    });

    test(`half-close, we end first with the peer's 20 MB on their way [E2]: ${who}`, {
      timeout: 120_000,
    }, async (t) => {
      const { subject, socket, id } = await open(t, 'hp');
      const pumped = pump(socket);
      subject.send(`pump ${id} ${SIZE}`);
      assert.equal(await drink(socket), SIZE);
      const { received, reading } = await subject.state(id);
      assert.deepEqual([received, reading], [0, 0]);
      subject.send(`resume ${id}`);
      await pumped;
      await finish(subject, id);
      assert.equal(subject.calls(id).filter((name) => name === 'eof').length, 1);
    });

    test(`half-close, both at once [E2, E3]: ${who}`, { timeout: 120_000 }, async (t) => {
      const { subject, socket, id } = await open(t);
      subject.send(`pump ${id} ${SIZE}`);
      const [size] = await Promise.all([drink(socket), pump(socket)]);
      assert.equal(size, SIZE);
      await finish(subject, id);
    });
  }
}
