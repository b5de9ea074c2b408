// Ten thousand connections come and go, each in one of the ways to end: memory and descriptors are back at the start.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { dial, pattern, plainHosts, Subject, serve } from './subject.js';

const BATCH = 250;
const BATCHES = 20; // accepted, and as many connected

/** @typedef {import('node:net').Socket} Socket */

/** How connection number i ends. @type {((subject: Subject, id: number, socket: Socket) => unknown)[]} */
const endings = [
  (_subject, _id, socket) => socket.end(),
  (_subject, _id, socket) => socket.resetAndDestroy(),
  (subject, id) => subject.send(`close ${id}`),
  (subject, id) => subject.send(`abort ${id}`),
];

/** Has a byte echoed. Answers how to end it. @param {Subject} subject @param {Socket} socket @param {number} i */
async function talk(subject, socket, i) {
  const id = await subject.idOf(socket);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(pattern(0, 1));
  await once(socket.resume(), 'data');
  return async () => {
    const ending = i % endings.length;
    endings[ending](subject, id, socket);
    const { code } = await subject.when(id, 'lost');
    assert.equal(code, ending === 1 ? 'ECONNRESET' : '');
    assert.equal(subject.calls(id).filter((name) => name === 'lost').length, 1);
    socket.end();
    await closed;
  };
}

for (const [host, command] of Object.entries(plainHosts)) {
  test(`10,000 connections opened and closed: nothing is left of them [L7]: ${host}`, {
    timeout: 120_000,
  }, async (t) => {
    const subject = await Subject.start(t, command);
    const { address } = await subject.ask('listen tcp://127.0.0.1:0 e', 0, 'listening');
    const server = await serve(t);
    const { handles } = await subject.stats();
    const accepted = async (/** @type {number} */ i) => talk(subject, await dial(t, address), i);
    const connected = async (/** @type {number} */ i) => {
      subject.send(`connect ${server.address} e`);
      return talk(subject, await server.next(), i);
    };
    const batch = async () => {
      const numbers = Array.from({ length: BATCH }, (_, i) => i);
      const open = await Promise.all([...numbers.map(accepted), ...numbers.map(connected)]);
      await Promise.all(open.map((end) => end()));
      subject.forget();
      return { ...(await subject.rest(handles)), descriptors: subject.descriptors };
    };
    const first = await batch();
    const peak = subject.peak;
    let last = first;
    for (let i = 1; i < BATCHES; i++) last = await batch();
    assert.deepEqual(last, first);
    t.diagnostic(`${JSON.stringify(last)}; ${subject.peak - peak} KiB more since the first 500`);
    assert.deepEqual(await subject.end(), { memory: 0, status: 0 });
  });
}
