import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IncompleteReadError, LimitOverrunError, StreamReader } from '../../js/node.js';

/** @param {Uint8Array} bytes */
const text = (bytes) => Buffer.from(bytes).toString('latin1');

/** @param {number} [limit] */
function readerOf(limit) {
  const reader = new StreamReader(limit);
  /** What its transport was told. @type {string[]} */
  const calls = [];
  const transport = {
    pauseReading: () => void calls.push('pause'),
    resumeReading: () => void calls.push('resume'),
  };
  reader.setTransport(/** @type {any} */ (transport));
  const feed = (/** @type {string} */ data) => reader.feedData(Buffer.from(data, 'latin1'));
  return { reader, calls, feed };
}

test('read answers what is there, what comes next, and nothing at the end', async () => {
  const { reader, feed } = readerOf();
  feed('abcdef');
  assert.equal(text(await reader.read(4)), 'abcd');
  assert.equal(text(await reader.read(4)), 'ef');
  const next = reader.read(4);
  feed('gh');
  assert.equal(text(await next), 'gh');
  const last = reader.read(4);
  reader.feedEof();
  assert.equal(text(await last), '');
  assert.equal(text(await reader.read(4)), '');
  assert.equal(reader.atEof(), true);
});

test('read of nothing waits for nothing, read without a number waits for the end', async () => {
  const { reader, feed } = readerOf(4);
  assert.equal(text(await reader.read(0)), '');
  const all = reader.read();
  for (const part of ['one ', 'two ', 'three']) {
    feed(part);
    await null;
  }
  reader.feedEof();
  assert.equal(text(await all), 'one two three');
});

test('readExactly waits, and says how much there was', async () => {
  const { reader, feed } = readerOf();
  const five = reader.readExactly(5);
  feed('abc');
  feed('defg');
  assert.equal(text(await five), 'abcde');
  const rest = reader.readExactly(3);
  reader.feedEof();
  await assert.rejects(rest, (error) => {
    assert(error instanceof IncompleteReadError);
    assert.deepEqual([error.code, text(error.partial), error.expected], ['ECLOSED', 'fg', 3]);
    return true;
  });
  assert.equal(reader.atEof(), true);
  await assert.rejects(reader.readExactly(-1), { code: 'EINVAL' });
});

test('readUntil finds a separator that comes in pieces', async () => {
  const { reader, feed } = readerOf();
  const found = reader.readUntil('\r\n\r\n');
  for (const part of ['a\r', '\n', 'b\r\n\r', '\nrest']) {
    feed(part);
    await null;
  }
  assert.equal(text(await found), 'a\r\nb\r\n\r\n');
  const unfinished = reader.readUntil(Uint8Array.of(0));
  reader.feedEof();
  await assert.rejects(unfinished, { name: 'IncompleteReadError', expected: null });
  await assert.rejects(reader.readUntil(''), { code: 'EINVAL' });
});

test('readUntil beyond the limit takes nothing and says how much may be read', async () => {
  const { reader, feed } = readerOf(4);
  feed('abcdefg');
  await assert.rejects(reader.readUntil('::'), (error) => {
    assert(error instanceof LimitOverrunError);
    assert.deepEqual([error.code, error.consumed], ['EOVERFLOW', 6]);
    return true;
  });
  feed('::');
  await assert.rejects(reader.readUntil('::'), { name: 'LimitOverrunError', consumed: 7 });
  assert.equal(text(await reader.readExactly(9)), 'abcdefg::');
  feed('abcd::');
  assert.equal(text(await reader.readUntil('::')), 'abcd::');
});

test('readLine answers what is left at the end, and drops a line that is too long', async () => {
  const { reader, feed } = readerOf(4);
  feed('ab\nlonger\nc');
  assert.equal(text(await reader.readLine()), 'ab\n');
  await assert.rejects(reader.readLine(), { name: 'LimitOverrunError' });
  feed('endless');
  await assert.rejects(reader.readLine(), { name: 'LimitOverrunError' });
  feed('\nx');
  reader.feedEof();
  assert.equal(text(await reader.readLine()), '\n');
  assert.equal(text(await reader.readLine()), 'x');
  assert.equal(text(await reader.readLine()), '');
});

test('lines are iterated', async () => {
  const { reader, feed } = readerOf();
  feed('one\ntwo\nthree');
  reader.feedEof();
  const lines = [];
  for await (const line of reader) lines.push(text(line));
  assert.deepEqual(lines, ['one\n', 'two\n', 'three']);
});

test('the peer is held back over twice the limit, and let go at the limit', async () => {
  const { reader, calls, feed } = readerOf(4);
  feed('12345678');
  assert.deepEqual(calls, []);
  feed('9');
  assert.deepEqual(calls, ['pause']);
  await reader.read(4);
  assert.deepEqual(calls, ['pause']);
  await reader.read(1);
  assert.deepEqual(calls, ['pause', 'resume']);
  feed('12345');
  const more = reader.readExactly(12);
  await null;
  assert.deepEqual(calls, ['pause', 'resume', 'pause', 'resume']); // else it would wait forever
  feed('123');
  assert.equal((await more).length, 12);
});

test('a failure wakes who waits, and is what every call throws', async () => {
  const { reader, feed } = readerOf();
  const waiting = reader.readLine();
  feed('half');
  reader.setException(new RangeError('broken'));
  await assert.rejects(waiting, RangeError);
  await assert.rejects(reader.read(1), RangeError);
});

test('one call waits at a time; a signal gives it up and no byte is lost', async () => {
  const { reader, feed } = readerOf();
  const controller = new AbortController();
  const first = reader.readExactly(4, { signal: controller.signal });
  await assert.rejects(reader.read(1), { code: 'EINVAL' });
  feed('ab');
  await null;
  controller.abort(new Error('enough'));
  await assert.rejects(first, { code: 'ECANCELED', cause: controller.signal.reason });
  await assert.rejects(reader.readExactly(4, { signal: controller.signal }), { code: 'ECANCELED' });
  feed('cd');
  assert.equal(text(await reader.readExactly(4)), 'abcd');
});

test('what is discarded holds nobody back', async () => {
  const { reader, calls, feed } = readerOf(4);
  feed('0123456789');
  reader.discard();
  feed('0123456789');
  assert.deepEqual(calls, ['pause', 'resume']);
  reader.feedEof();
  assert.equal(text(await reader.read()), '');
});
