// A peer that resets the connection, at every stage of its life.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { dial, hosts, pattern, Subject, serve } from './subject.js';

/** @typedef {import('node:net').Socket} Socket */

const MUCH = 8 << 20; // more than the system's buffers take

/**
 * Brings a connection to its stage; then it is reset.
 * @typedef {object} Stage
 * @property {string} name
 * @property {string} [role]
 * @property {(subject: Subject, id: number, socket: Socket) => Promise<unknown>} reach
 * @property {(subject: Subject, id: number) => Promise<unknown>} [after] what it takes to find out
 * @property {string[]} [before] what was told before the loss
 */

/** @type {Stage[]} */
const stages = [
  { name: 'before the first byte', reach: async () => {} },
  {
    name: 'in the middle of receiving',
    async reach(subject, id, socket) {
      for (let at = 0; at < MUCH; at += 1 << 20) socket.write(pattern(at, 1 << 20));
      await subject.received(id, 1 << 20);
    },
  },
  {
    name: 'while writing to a full socket',
    async reach(subject, id) {
      subject.send(`write ${id} ${MUCH}`);
      await subject.when(id, 'pause');
    },
    before: ['pause'],
  },
  {
    name: 'after write_eof',
    async reach(subject, id, socket) {
      subject.send(`eof ${id}`);
      await once(socket.resume(), 'end');
    },
  },
  {
    name: 'with write_eof waiting behind a full socket',
    async reach(subject, id) {
      subject.send(`write ${id} ${MUCH}`);
      subject.send(`eof ${id}`);
      await subject.state(id);
    },
    before: ['pause'],
  },
  {
    name: 'after the end of the stream, with bytes queued',
    role: 'h',
    async reach(subject, id, socket) {
      socket.end();
      await subject.when(id, 'eof');
      subject.send(`write ${id} ${MUCH}`);
      await subject.when(id, 'pause');
    },
    before: ['eof', 'pause'],
  },
  {
    name: 'after the end of the stream, and then written to',
    role: 'h',
    async reach(subject, id, socket) {
      socket.end();
      await subject.when(id, 'eof');
    },
    after: async (subject, id) => subject.send(`write ${id} 1`),
    before: ['eof'],
  },
  {
    name: 'while reading is paused, and then resumed',
    role: 'p',
    reach: async (_subject, _id, socket) => void socket.write(pattern(0, 1000)),
    after: async (subject, id) => subject.send(`resume ${id}`),
  },
  {
    name: 'while reading is paused, with bytes queued',
    role: 'p',
    async reach(subject, id) {
      subject.send(`write ${id} ${MUCH}`);
      await subject.when(id, 'pause');
    },
    before: ['pause'],
  },
  {
    name: 'while close drains',
    async reach(subject, id) {
      subject.send(`write ${id} ${MUCH}`);
      subject.send(`close ${id}`);
      assert.equal((await subject.state(id)).reading, 0);
    },
    before: ['pause'],
  },
];

/**
 * Opens a connection of the subject's, and answers its other end.
 * @param {import('node:test').TestContext} t
 * @param {Subject} subject
 * @param {'connects' | 'accepts'} way
 * @param {string} role
 */
async function open(t, subject, way, role) {
  if (way === 'connects') {
    const server = await serve(t);
    subject.send(`connect ${server.address} ${role}`);
    const socket = await server.next();
    return { socket, id: await subject.idOf(socket) };
  }
  const { address } = await subject.ask(`listen tcp://127.0.0.1:0 ${role}`, 0, 'listening');
  const socket = await dial(t, address);
  const id = await subject.idOf(socket);
  subject.send('unlisten');
  return { socket, id };
}

/** @type {['connects' | 'accepts', string][]} */
const ways = [
  ['connects', '-'],
  ['connects', 'b'],
  ['accepts', '-'],
];

for (const [host, command] of Object.entries(hosts)) {
  for (const [way, kind] of ways) {
    const who = `${host}, ${way}${kind === 'b' ? ', buffered' : ''}`;
    test(`a reset is one connection_lost, with its error [E6, L2]: ${who}`, async (t) => {
      const subject = await Subject.start(t, command);
      const other = await open(t, subject, way, 'e');
      let echoed = 0;
      for (const { name, role = '-', reach, after, before = [] } of stages) {
        await t.test(name, { timeout: 120_000 }, async (t) => {
          const { id, socket } = await open(t, subject, way, `${role}${kind}`);
          await reach(subject, id, socket);
          socket.resetAndDestroy();
          await once(socket, 'close');
          await after?.(subject, id);
          const lost = await subject.when(id, 'lost');
          assert.match(lost.code, /^(ECONNRESET|EPIPE)$/);
          assert.equal(lost.native, lost.code === 'EPIPE' ? 32 : 104);
          other.socket.write(pattern(echoed++, 1));
          await once(other.socket.resume(), 'data');
          assert.deepEqual(subject.calls(id), ['made', ...before, 'lost']);
          t.diagnostic(`${lost.code}, ${(await subject.stats()).handles} handles`);
        });
      }
      assert.deepEqual(subject.calls(other.id), ['made']);
      assert.deepEqual(await subject.end(), { memory: 0, status: 0 });
    });
  }
}
