/** The ring alone: both ends on one thread, and an end that lies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRing, RingReader, RingWriter } from '../../js/worker/ring.js';

const CAPACITY = 64;

function scene() {
  const memory = newRing(CAPACITY);
  /** @type {string[]} */
  const told = [];
  const reader = new RingReader(memory, (_ring, isEnd) => told.push(isEnd ? 'closed' : 'read'));
  const writer = new RingWriter(memory, (_ring, isEnd) => told.push(isEnd ? 'ended' : 'written'));
  const words = new Int32Array(memory);
  return { memory, words, told, reader, writer };
}

test('bytes come out as they went in, at every offset and size', () => {
  const { reader, writer } = scene();
  let next = 0;
  let expected = 0;
  for (let round = 0; round < 5000; round++) {
    const bytes = Uint8Array.from({ length: round % (CAPACITY + 7) }, (_, i) => next + i);
    next += writer.write(bytes);
    const found = reader.peek().slice(0, 1 + (round % 50));
    for (const byte of found) assert.equal(byte, expected++ & 255);
    reader.take(found.length);
  }
  assert.ok(expected > 50_000);
});

test('the counters wrap', () => {
  const { words, reader, writer } = scene();
  words.fill(-10, 0, 2);
  reader.count = writer.count = -10;
  assert.equal(writer.write(new Uint8Array(20).fill(7)), 20);
  assert.equal(writer.room, CAPACITY - 20);
  for (let left = 20; left > 0; ) {
    const bytes = reader.peek();
    assert.ok(bytes.length > 0 && bytes.every((byte) => byte === 7));
    left -= bytes.length;
    reader.take(bytes.length);
  }
  assert.equal(reader.peek().length, 0);
  assert.equal(writer.room, CAPACITY);
});

test('whatever the other end says, nothing outside the ring is touched', () => {
  const { memory, words, reader, writer } = scene();
  const head = memory.slice(12, 32);
  for (const lie of [-1, 1, 63, 64, 65, 1000, 0x7fffffff, -0x80000000]) {
    words[0] = lie;
    const bytes = reader.peek();
    assert.ok(bytes.length <= CAPACITY && bytes.byteOffset >= 32);
    assert.ok(bytes.byteOffset + bytes.byteLength <= memory.byteLength);
    reader.take(bytes.length);
    words[1] = lie;
    assert.ok(writer.room >= 0 && writer.room <= CAPACITY);
    assert.ok(writer.write(new Uint8Array(1000)) <= CAPACITY);
  }
  assert.deepEqual(memory.slice(12, 32), head);
});

test('who listens is told once, and of every end', () => {
  const { told, reader, writer } = scene();
  assert.equal(writer.heard(), false);
  reader.listen();
  assert.deepEqual([writer.heard(), writer.heard()], [true, false]);
  writer.write(new Uint8Array(1));
  writer.end();
  reader.take(1);
  reader.close();
  assert.deepEqual(told, ['written', 'ended', 'read', 'closed']);
  assert.deepEqual([reader.ended, writer.closed], [true, true]);
});

test('what a writer writes after its end is not read', () => {
  const { reader, writer } = scene();
  writer.write(new Uint8Array(3));
  reader.finish();
  writer.write(new Uint8Array(5));
  assert.deepEqual([reader.ended, reader.peek().length], [true, 3]);
});
