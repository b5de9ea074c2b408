// `towline inspect`: what it reads in modules, and that no file does it harm.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { TowlineError } from '../../js/errors.js';
import { WasmFile } from '../../js/trace/wasm-file.js';
import { folderFor, root, towline } from './run.js';

const built = (/** @type {string} */ path) => join(root, 'build', path);

/** @param {string} path */
async function inspected(path) {
  const { code, stdout, stderr } = await towline(['inspect', path, '--json']);
  assert.equal(stderr, '');
  return { code, ...JSON.parse(stdout) };
}

/** A string, or a section, with its size before it. @param {(number | string)[]} parts */
function sized(...parts) {
  const bytes = parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : part));
  return [bytes.length, ...bytes];
}

const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** A module with one function, exported so, that has this body. @param {string} name @param {number[]} body */
const moduleWith = (name, body) =>
  Uint8Array.from([
    ...head,
    ...[1, ...sized(1, 0x60, 0, 1, 0x7f)],
    ...[3, ...sized(1, 0)],
    ...[7, ...sized(1, ...sized(name), 0, 0)],
    ...[10, ...sized(1, ...sized(0, ...body))],
  ]);

test('a module of each build: version, protocols, families, imports, sizes', async () => {
  for (const build of ['wasi', 'emscripten']) {
    const path = built(`${build}/echo.wasm`);
    const bytes = await readFile(path);
    const found = await inspected(path);
    assert.equal(found.code, 0);
    assert.equal(found.abiVersion, 1);
    assert.deepEqual(found.protocols, ['echo_new']);
    assert.deepEqual(found.families, ['streams']);
    assert.deepEqual(found.problems, []);
    assert(found.imports.towline.includes('write') && !found.imports.towline.includes('ask'));
    assert.equal(found.sizes.file, bytes.length);
    assert(
      found.sizes.gzipped < bytes.length && found.sizes.code + found.sizes.data < bytes.length,
    );
    assert.equal(found.memory.maximum, 2 ** 30);
  }
});

test('families: datagrams, subprocesses, framing, timers, connecting, listening, spawning', async () => {
  const { families } = await inspected(built('wasi/trace.wasm'));
  for (const family of ['datagrams', 'subprocesses', 'framing', 'timers', 'connects', 'listens'])
    assert(families.includes(family), family);
  const netcode = await inspected(built('wasi/netcode.wasm'));
  assert(netcode.families.includes('datagrams') && !netcode.families.includes('framing'));
  const probe = await inspected(built('wasi/probe.wasm'));
  assert(probe.families.includes('spawns'));
});

test('imports: whose they are to supply', async () => {
  const { stdout } = await towline(['inspect', built('wasi/mqtt.wasm')]);
  assert.match(stdout, /^imports +demo: .*\n +\(from you: load\(url, \{ imports \}\)\)$/m);
  assert.match(stdout, /^imports +towline: .*\n +\(from Towline\)$/m);
});

test('a module of somebody else: what it lacks', async () => {
  const { code, problems, protocols, abiVersion } = await inspected(built('wasi/child.wasm'));
  assert.equal(code, 1);
  assert.deepEqual(protocols, []);
  assert.equal(abiVersion, null);
  assert.match(problems.join(), /it exports no tow_abi_version, no tow_wasm_new_loop/);
});

test('the ABI version is read where it is a constant; nothing is run', async (t) => {
  const folder = await folderFor(t);
  const path = join(folder, 'm.wasm');
  /** @param {number[]} body */
  const versionOf = async (body) => {
    await writeFile(path, moduleWith('tow_abi_version', body));
    return inspected(path);
  };
  const other = await versionOf([0x41, 0xe4, 0, 0x0b]);
  assert.equal(other.abiVersion, 100);
  assert.match(other.problems.join(), /its ABI version is 100, and this loader's 1/);
  assert.equal((await versionOf([0x41, 0x7f, 0x0b])).abiVersion, -1);
  const loop = await versionOf([0x03, 0x40, 0x0c, 0, 0x0b, 0x00, 0x0b]);
  assert.equal(loop.abiVersion, null);
  assert.match(loop.problems.join(), /its ABI version is not a constant/);
});

test('names that a terminal would take for commands are shown as text', async (t) => {
  const folder = await folderFor(t);
  const path = join(folder, 'm.wasm');
  await writeFile(path, moduleWith('\u001b[2J\u009b\n', [0x41, 0, 0x0b]));
  const { stdout } = await towline(['inspect', path]);
  assert(stdout.includes('"\\u001b[2J\\u009b\\n"'), stdout);
});

test('what is no module is told in one line', async (t) => {
  const folder = await folderFor(t);
  const echo = await readFile(built('wasi/echo.wasm'));
  const files = /** @type {[string, Uint8Array | string, RegExp][]} */ ([
    ['empty', '', /the file is empty/],
    ['text', 'int main(void);', /not a wasm file/],
    ['head', echo.subarray(0, 6), /the file is cut short/],
    ['cut', echo.subarray(0, 3000), /the file is cut short/],
    ['component', Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), /a wasm component/],
    ['version', Uint8Array.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]), /of an unknown version/],
    ['body', moduleWith('f', [0x6a, 0x0b]), /not valid/],
  ]);
  for (const [name, content, message] of files) {
    const path = join(folder, name);
    await writeFile(path, content);
    const { code, stdout, stderr } = await towline(['inspect', path]);
    assert.equal(code, 1, name);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});

test('files that are none, or too large, are not read', async (t) => {
  const folder = await folderFor(t);
  await writeFile(join(folder, 'huge'), '');
  await truncate(join(folder, 'huge'), 2 ** 40);
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  const cases = /** @type {[string, RegExp][]} */ ([
    ['nowhere', /no such file or folder/],
    ['.', /is a folder/],
    ['huge', /is larger than 256 MB/],
    ['fifo', /is no regular file/],
  ]);
  for (const [name, message] of cases) {
    const { code, stderr } = await towline(['inspect', join(folder, name)]);
    assert.equal(code, 1, name);
    assert.match(stderr, message);
  }
});

test('a file that is cut anywhere, or has wrong bytes, is an error or is read', async () => {
  const echo = new Uint8Array(await readFile(built('wasi/echo.wasm')));
  let failed = 0;
  /** @param {Uint8Array} bytes */
  const read = (bytes) => {
    try {
      const file = new WasmFile(bytes);
      for (const name of file.exports.keys()) {
        file.typeOf(name);
        file.constantOf(name);
      }
    } catch (error) {
      assert(error instanceof TowlineError, String(error));
      failed += 1;
    }
  };
  for (let size = 0; size < 1500; size++) read(echo.subarray(0, size));
  assert(failed > 1400);
  let seed = 1;
  const random = (/** @type {number} */ below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  failed = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = echo.slice();
    for (let i = 0; i < 3; i++) bytes[8 + random(1500)] = random(256);
    read(bytes);
  }
  assert(failed > 100 && failed < 3000);
});

test('a command line that is wrong', async () => {
  assert.equal((await towline(['inspect'])).code, 2);
  assert.equal((await towline(['inspect', 'a', 'b'])).code, 2);
});
