// The process runs out of descriptors while connections come.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { dial, pattern, plainHosts, Subject } from './subject.js';

/** @typedef {import('node:net').Socket} Socket */

const LIMIT = 48;

/** A byte there, and back. @param {Socket} socket @param {number} at */
async function echo(socket, at) {
  socket.write(pattern(at, 1));
  const [bytes] = await once(socket.resume(), 'data');
  assert.ok(bytes.equals(pattern(at, 1)));
}

// Node accepts and closes those that it has no descriptor for; libuv's host leaves them waiting, see uv_listen.c.
for (const [host, command] of Object.entries(plainHosts)) {
  test(`out of descriptors on accept: those open live on, and it goes on later [O3]: ${host}`, {
    timeout: 120_000,
  }, async (t) => {
    const limited = ['/bin/sh', '-c', `ulimit -n ${LIMIT}; exec "$@"`, 'sh', ...command];
    const subject = await Subject.start(t, limited);
    const { address } = await subject.ask('listen tcp://127.0.0.1:0 e', 0, 'listening');
    const early = await dial(t, address);
    await echo(early, 0);

    /** @type {Set<Socket>} */
    const served = new Set();
    let closed = 0;
    let tell = () => {};
    const until = async (/** @type {() => boolean} */ done) => {
      while (!done())
        await new Promise((resolve) => {
          tell = () => resolve(0);
        });
    };
    const sockets = await Promise.all(Array.from({ length: LIMIT }, () => dial(t, address)));
    for (const socket of sockets) {
      socket.once('data', () => {
        served.add(socket);
        tell();
      });
      socket.on('close', () => {
        if (!served.has(socket)) closed++;
        tell();
      });
      socket.on('end', () => socket.end());
      socket.resume().write(pattern(0, 1));
    }
    if (host === 'native') await subject.when(0, 'warning');
    await until(() =>
      host === 'native' ? served.size + 1 === subject.made : served.size + closed === LIMIT,
    );
    assert.ok(served.size > 0 && served.size < LIMIT);
    assert.equal(closed > 0, host === 'Node');
    t.diagnostic(`${served.size} were served, ${closed} closed, the others wait`);

    const refused = await subject.ask('connect tcp://127.0.0.1:9 -', 0, 'refused');
    assert.deepEqual([refused.code, refused.native], ['EMFILE', 24]);
    await echo(early, 1);
    await Promise.all([...served].map((socket) => echo(socket, 1)));

    const ends = [...served].map((socket) => once(socket.end(), 'close'));
    await Promise.all(ends);
    await until(() => served.size + closed === LIMIT);
    const late = await dial(t, address);
    await echo(late, 0);
    await echo(early, 2);
    assert.deepEqual(await subject.end(), { memory: 0, status: 0 });
  });
}
