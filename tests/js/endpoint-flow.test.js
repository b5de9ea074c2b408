// Datagrams that would block, for protocols in JavaScript: what the contract plays on the memory host of C alone.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { Loop } from '../../js/node.js';
import { datagrams } from '../../js/transports/node-dgram.js';

/** A carrier over Node's sockets that have room only when the test says so. */
function narrow() {
  /** @type {(() => void)[]} */
  const kept = [];
  const create = (/** @type {any} */ options) => {
    const socket = dgram.createSocket(options);
    const send = socket.send.bind(socket);
    socket.getSendQueueCount = () => kept.length;
    socket.send = (/** @type {any} */ bytes, /** @type {any} */ done) =>
      void kept.push(() => send(bytes, done));
    return socket;
  };
  return { carrier: datagrams(/** @type {any} */ (create)), leave: () => kept.shift()?.() };
}

test('D5: pause_writing over the high mark, resume_writing at the low one; D4: close sends first', async (t) => {
  const peer = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => peer.close());
  await once(peer, 'listening');
  /** @type {string[]} */
  const come = [];
  peer.on('message', (bytes) => come.push(`${bytes}`));
  const { carrier, leave } = narrow();
  const loop = new Loop({ transports: { udp: carrier } });
  t.after(() => loop.close());
  /** @type {string[]} */
  const calls = [];
  const options = { high: 20, low: 10 };
  const { transport } = await loop.datagram(
    `udp://127.0.0.1:${peer.address().port}`,
    () => ({
      pauseWriting: () => void calls.push('pause'),
      resumeWriting: () => void calls.push('resume'),
      connectionLost: () => void calls.push('lost'),
    }),
    options,
  );
  for (const text of ['one', 'two', 'three']) transport.sendto(text);
  assert.equal(transport.getWriteBufferSize(), 3 + 8 + 5 + 8);
  assert.deepEqual(calls, ['pause']);
  transport.close();
  while (come.length < 3) {
    leave();
    await new Promise(setImmediate);
  }
  assert.deepEqual(come, ['one', 'two', 'three']);
  assert.equal(await transport.closed, null);
  assert.deepEqual(calls, ['pause', 'resume', 'lost']);
});
