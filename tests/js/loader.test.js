import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { test } from 'node:test';
import { load, TowlineError } from '../../js/node.js';
import { builds, loadProbe, probeFile } from './probe.js';

/** @param {Promise<unknown>} promise @param {string} code @param {RegExp} message */
const fails = (promise, code, message) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof TowlineError, `${error}`);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });

const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** A module with a memory and `tow_abi_version`, which answers `version`. @param {number} version */
const versioned = (version) =>
  Uint8Array.from([
    ...empty,
    ...[1, 5, 1, 0x60, 0, 1, 0x7f], // types: () -> i32
    ...[3, 2, 1, 0], // functions
    ...[5, 3, 1, 0, 1], // memories: one page
    ...[7, 28, 2, 6, ...Buffer.from('memory'), 2, 0, 15, ...Buffer.from('tow_abi_version'), 0, 0],
    ...[10, 6, 1, 4, 0, 0x41, version, 0x0b], // code: i32.const version
  ]);

test('what is no module', async () => {
  await fails(load(Buffer.from('<!doctype html>')), 'EABI', /not a WebAssembly module/);
  await fails(load(new Uint8Array(0)), 'EABI', /not a WebAssembly module/);
});

test('what is no Towline module', async () => {
  await fails(load(empty), 'EABI', /not a Towline module/);
  await fails(load(new WebAssembly.Module(empty)), 'EABI', /not a Towline module/);
});

test('another ABI version', () => fails(load(versioned(2)), 'EABI', /ABI version 2, not 1/));

test('a file that is not there', () => fails(load('/nowhere/x.wasm'), 'ENOENT', /x\.wasm/));

test('an import that nobody supplies', () =>
  fails(load(probeFile('wasi')), 'EABI', /imports app\.(call|opened), which nobody supplies/));

test('a constructor that is not there', async () => {
  const { module } = await loadProbe('wasi');
  await fails(module.connect('tcp://127.0.0.1:1', { protocol: 'nobody' }), 'EINVAL', /nobody/);
  assert.throws(() => module.call('nothing'), { code: 'EINVAL' });
  await module.close();
});

for (const build of builds) {
  test(`each kind of source, ${build}`, async () => {
    const code = await readFile(probeFile(build));
    const server = http.createServer((request, response) => {
      response.writeHead(request.url === '/probe.wasm' ? 200 : 404, {
        'content-type': 'application/wasm',
      });
      response.end(request.url === '/probe.wasm' ? code : 'no');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(0)));
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    const options = { imports: { app: { call: () => 0, opened: () => {} } } };
    try {
      const url = `http://127.0.0.1:${port}/probe.wasm`;
      const sources = [code, new WebAssembly.Module(code), url, new URL(url), fetch(url)];
      for (const source of sources) {
        const module = await load(source, options);
        assert.equal(module.exports.tow_abi_version(), 1);
        await module.close();
      }
      await fails(load(`http://127.0.0.1:${port}/other`, options), 'EIO', /HTTP 404/);
    } finally {
      server.close();
    }
  });

  test(`strings and bytes of a call are the module's for that call, ${build}`, async () => {
    const { module } = await loadProbe(build);
    const address = module.call('malloc', 8);
    module.memory.bytes(address, 4).set([104, 105, 0, 7]);
    assert.equal(module.memory.string(address), 'hi');
    assert.equal(module.memory.string(address, 1), 'h');
    assert.throws(() => module.memory.string(-4, 8), { code: 'EINVAL' });
    assert.throws(() => module.memory.bytes(module.memory.u8.length - 1, 2), { code: 'EINVAL' });
    module.call('free', address);
    await module.close();
    await module.close();
    assert.throws(() => module.call('malloc', 8), { code: 'ECANCELED' });
    await fails(module.connect('mem:x', { protocol: 'probe_stream' }), 'ECANCELED', /closed/);
  });
}
