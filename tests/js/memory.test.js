import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from '../../js/memory.js';
import { putOnTray } from '../../js/transports/node-tray.js';
import { imports as wasiImports } from '../../js/wasi.js';

const PAGE = 65536;

function scene() {
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 4 });
  const memory = new Memory();
  memory.attach(wasm);
  return { wasm, memory };
}

const bad = { code: 'EINVAL' };

test('what is inside memory, and what is not', () => {
  const { memory } = scene();
  const inside = [
    [0, 0],
    [0, PAGE],
    [PAGE, 0],
    [PAGE - 1, 1],
  ];
  const outside = [
    [PAGE + 1, 0],
    [PAGE, 1],
    [1, PAGE],
    [-1, 1],
    [16, -1],
    [-16, 32],
    [0x7fffffff, 0x7fffffff],
    [0, 2 ** 32],
  ];
  for (const [address, size] of inside) assert.equal(memory.bytes(address, size).length, size);
  for (const [address, size] of outside) {
    assert.equal(memory.holds(address, size), false);
    assert.throws(() => memory.bytes(address, size), bad);
  }
  assert.throws(() => memory.word(PAGE - 2), bad);
  assert.throws(() => memory.setWords(PAGE - 4, 1, 2), bad);
});

test('views follow the memory as it grows', () => {
  const { wasm, memory } = scene();
  memory.bytes(0, 1)[0] = 7;
  wasm.grow(1);
  assert.equal(memory.bytes(0, 1)[0], 7);
  assert.equal(memory.bytes(PAGE, PAGE).length, PAGE);
});

test('strings', () => {
  const { memory } = scene();
  assert.equal(memory.setString(8, 16, 'gr\u00fcn'), 5);
  assert.equal(memory.string(8), 'gr\u00fcn');
  assert.equal(memory.setString(8, 3, 'abcdef'), 6);
  assert.equal(memory.string(8), 'ab');
  assert.throws(() => memory.setString(PAGE - 8, 16, 'abc'), bad);
  assert.equal(memory.setString(-1, 0, 'abc'), 3); // no room: nothing is written
  memory.bytes(0, PAGE).fill(65);
  assert.throws(() => memory.string(PAGE - 3), bad);
});

test('lines are gathered, each checked', () => {
  const { memory } = scene();
  memory.setString(100, 16, 'hello');
  memory.setString(200, 16, 'world');
  memory.setWords(16, 100, 5, 0, 0, 200, 5);
  const text = (/** @type {number} */ limit) => Buffer.from(memory.gather(16, 3, limit)).toString();
  const onTray = (/** @type {number} */ skip, /** @type {number} */ limit) =>
    Buffer.from(putOnTray(memory, 16, 3, skip, limit)).toString();
  for (const limit of [-1, 0, 4, 5, 7, 10, 100])
    for (const all of [text(limit), onTray(0, limit)])
      assert.equal(all, 'helloworld'.slice(0, Math.max(0, limit)));
  assert.equal(onTray(3, 4), 'lowo');
  assert.equal(onTray(5, 5), 'world');
  assert.equal(onTray(10, 5), '');
  assert.equal(memory.gather(16, 3, 5).buffer, memory.u8.buffer, 'one line is not copied');
  assert.equal(memory.gather(1024, 1000, 100).length, 0);
  memory.setWords(16 + 16, PAGE - 1, 5);
  for (const values of [
    [16, 3],
    [PAGE - 8, 2],
    [1024, 0x20000000],
  ]) {
    const [lines, count] = values;
    assert.throws(() => memory.gather(lines, count, 1), bad);
    assert.throws(() => putOnTray(memory, lines, count, 0, 1), bad);
  }
});

test('the little of WASI', () => {
  const { memory } = scene();
  /** @type {[string, number][]} */
  const printed = [];
  const stdout = (/** @type {string} */ text, /** @type {number} */ descriptor) =>
    printed.push([text, descriptor]);
  const wasi = wasiImports({ memory }, { stdout });
  const bytes = new TextEncoder().encode('\u20ac');
  memory.bytes(100, 3).set(bytes);
  memory.setWords(16, 100, 2, 102, 1); // a character in two halves
  assert.equal(wasi.fd_write(1, 16, 1, 64), 0);
  assert.equal(wasi.fd_write(1, 24, 1, 64), 0);
  assert.equal(memory.word(64), 1);
  assert.equal(printed.map(([text]) => text).join(''), '\u20ac');
  assert.equal(wasi.fd_write(3, 16, 1, 64), 8);
  assert.equal(wasi.clock_time_get(0, 0n, 64), 0);
  const now = memory.word(64) + memory.word(68) * 2 ** 32;
  assert.ok(Math.abs(now / 1e6 - Date.now()) < 60_000);
  assert.equal(wasi.random_get(1000, 40000), 0);
  assert.ok(memory.bytes(1000, 40000).some((byte) => byte !== 0));
  assert.throws(() => wasi.random_get(PAGE - 10, 20), bad);
  assert.equal(wasi.environ_sizes_get(32, 36), 0);
  assert.equal(memory.word(32), 0);
  assert.throws(() => wasi.proc_exit(3), { native: 3 });
  assert.equal(wasi.path_open(), 52);
});
