// The loop of protocols in JavaScript: its module, its life, and what many connections leave behind.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Loop, load, MemoryNetwork, TowlineError } from '../../js/node.js';
import { Signal } from './probe.js';

const script = fileURLToPath(new URL('../../js/protocols/script.wasm', import.meta.url));
const echo = fileURLToPath(new URL('../../build/wasi/echo.wasm', import.meta.url));

/** @param {import('node:test').TestContext} t @param {import('../../js/protocols/loop.js').LoopOptions} [options] */
function loopFor(t, options) {
  const network = new MemoryNetwork();
  network.serve('peer', () => {});
  const loop = new Loop({ transports: { mem: network }, ...options });
  t.after(() => loop.close());
  return { loop, network };
}

const nothing = () => ({});
const nothingOfChild = () => ({ processExited() {} });

// ---- Its module ----

/** What is no script.wasm, and what is said of it. @type {Record<string, [import('../../js/loader.js').Source, string, RegExp]>} */
const broken = {
  'a file that is not there': ['/nowhere/script.wasm', 'ENOENT', /script\.wasm cannot be read/],
  'a folder': [new URL('.', import.meta.url), 'EISDIR', /cannot be read/],
  'what is no WebAssembly': [Buffer.from('<!doctype html>'), 'EABI', /not a WebAssembly module/],
  'half of it': [(await readFile(script)).subarray(0, 9000), 'EABI', /not a WebAssembly module/],
  'another module of Towline': [echo, 'EABI', /not script\.wasm/],
};

for (const [what, [source, code, message]] of Object.entries(broken))
  test(`a loop given ${what} says so, each time`, async (t) => {
    const { loop } = loopFor(t, { script: source });
    for (let i = 0; i < 2; i++)
      await assert.rejects(loop.connect('mem:peer', nothing), (error) => {
        assert(error instanceof TowlineError, `${error}`);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
  });

test('a loop takes its module from wherever it is said to be, once it is there', async (t) => {
  const code = await readFile(script);
  let isThere = false;
  const server = http.createServer((_request, response) => {
    if (!isThere) response.writeHead(404).end();
    else response.setHeader('content-type', 'application/wasm').end(code);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(0)));
  t.after(() => server.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const { loop } = loopFor(t, { script: `http://127.0.0.1:${port}/script.wasm` });
  await assert.rejects(loop.start(), { name: 'TowlineError', code: 'EIO', message: /HTTP 404/ });
  isThere = true;
  await loop.connect('mem:peer', nothing);
});

// ---- Its life ----

test('two loops at once: what ends one is nothing to the other', async (t) => {
  const { loop: one, network } = loopFor(t);
  const { loop: other } = loopFor(t, { transports: { mem: network } });
  const heard = new Signal();
  await one.listen('mem:one', () => ({ dataReceived: () => heard.fire(undefined) }));
  const { transport } = await other.connect('mem:one', nothing);
  transport.write('from one loop to another');
  await heard.fired;
  await one.close();
  assert.equal(await transport.closed, null);
  const again = await other.connect('mem:peer', nothing);
  assert.equal(again.transport.isClosing(), false);
});

test('T5: closing a loop ends what waits, whatever it waits for', async (t) => {
  const { loop } = loopFor(t);
  const { reader, writer } = await loop.openConnection('mem:peer', { high: 10 });
  const line = reader.readLine();
  const written = writer.write(new Uint8Array(200_000));
  const opening = loop.connect('mem:peer?never', nothing);
  const [one, other] = [loop.close(), loop.close()];
  await assert.rejects(opening, { code: 'ECANCELED' });
  assert.equal((await line).length, 0);
  await assert.rejects(written, { code: 'ECLOSED' });
  await Promise.all([one, other]);
  await loop.close();
  assert.throws(() => loop.callSoon(() => {}), { code: 'ENOTCONN' });
});

test('a loop that is closed as it starts starts no connection', async (t) => {
  const { loop } = loopFor(t);
  const opening = loop.connect('mem:peer', nothing);
  const closed = loop.close();
  await assert.rejects(opening, { code: 'ECANCELED' });
  await closed;
});

test('a loop can be closed from inside a callback', async (t) => {
  const { loop, network } = loopFor(t);
  network.serve('peer', (end) => end.write(Buffer.from('bytes')));
  const { transport } = await loop.connect('mem:peer', () => ({
    async dataReceived() {
      await loop.close();
    },
  }));
  assert.equal(await transport.closed, null);
});

test('H5: when the module breaks, everybody who waits is told', async (t) => {
  t.mock.method(console, 'error', () => {});
  const { loop, network } = loopFor(t);
  network.serve('broken', (end) => {
    end.other.write = () => {
      throw new RangeError('a host that breaks');
    };
  });
  const { reader, writer } = await loop.openConnection('mem:peer', { high: 10 });
  const { transport: child } = await loop.spawn('exec:/bin/cat', nothingOfChild);
  const pipe = child.getPipeTransport(0);
  const line = reader.readLine();
  const written = writer.write(new Uint8Array(200_000));
  const drained = writer.drain();
  const opening = loop.connect('mem:peer?never', nothing);
  const { transport } = await loop.connect('mem:broken', nothing);
  assert.throws(() => transport.write('x'), { code: 'ETRAP' });
  for (const waiting of [line, written, drained, opening])
    await assert.rejects(waiting, { code: 'ETRAP' });
  assert.equal((await child.closed)?.code, 'ETRAP');
  assert.equal((await pipe?.closed)?.code, 'ETRAP');
});

test('`await using` lets go of a loop, a server with its connections, a transport, a connection', async (t) => {
  const { loop } = loopFor(t);
  const lost = [new Signal(), new Signal()];
  const server = await loop.listen('mem:server', () => ({ connectionLost: lost[0].fire }));
  const { transport } = await loop.connect('mem:server', () => ({ connectionLost: lost[1].fire }));
  let isLost = false;
  lost[0].fired.then(() => {
    isLost = true;
  });
  await server[Symbol.asyncDispose](); // what `await using` calls; Node 20 cannot read that
  assert.equal(isLost, true);
  await assert.rejects(loop.connect('mem:server', nothing), { code: 'ECONNREFUSED' });
  await transport[Symbol.asyncDispose]();
  assert.equal(await lost[1].fired, null);
  const connection = await loop.openConnection('mem:peer');
  await connection[Symbol.asyncDispose]();
  const last = await loop.connect('mem:peer', nothing);
  await loop[Symbol.asyncDispose]();
  assert.equal(await last.transport.closed, null);
});

test('`await using` does the same for a module, its servers and transports', async () => {
  const network = new MemoryNetwork();
  const module = await load(echo, { transports: { mem: network } });
  const server = await module.listen('mem:echo', { protocol: 'echo_new' });
  const { transport } = await module.connect('mem:echo', { protocol: 'echo_new' });
  assert.equal(module.connections, 2);
  await server[Symbol.asyncDispose]();
  await transport[Symbol.asyncDispose]();
  assert.equal(await transport.closed, null);
  await module[Symbol.asyncDispose]();
  assert.equal(module.connections, 0);
  await assert.rejects(module.connect('mem:echo', { protocol: 'echo_new' }), { code: 'ECANCELED' });
});

test('Node exits by itself when all that was opened has ended, also without a close of the loop', async () => {
  const towline = JSON.stringify(fileURLToPath(new URL('../../js/node.js', import.meta.url)));
  const program = `
    import { connect, datagram, listen, openConnection, spawn } from ${towline};
    const server = await listen('tcp://127.0.0.1:0', () => ({}));
    const connection = await openConnection(server.address);
    await connection.close();
    const endpoint = await datagram('udp://127.0.0.1:0', () => ({ datagramReceived() {} }), { bind: true });
    endpoint.transport.close();
    const child = await spawn('exec:/bin/true', () => ({ processExited() {} }));
    await child.transport.closed;
    await connect('tcp://127.0.0.1:1', () => ({})).catch(({ code }) => console.log(code));
    server.close();`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { timeout: 120_000 },
  );
  assert.equal(stdout, 'ECONNREFUSED\n');
});

// ---- Many ----

const COUNT = 10_000;

test(`${COUNT} connections at once, and nothing of them is left`, async (t) => {
  const { loop } = loopFor(t);
  let come = 0;
  const all = new Signal();
  const server = await loop.listen('mem:many', () => ({
    dataReceived: () => void (++come === COUNT && all.fire(undefined)),
  }));
  const first = await loop.connect('mem:peer', nothing);
  const held = /** @type {any} */ (first.transport).script;
  const { instance, bindings, transports, openings, handles } = held;
  const left = () => [
    instance.things.size,
    instance.requests.size,
    bindings.size,
    transports.size,
    openings.size,
    handles.size,
  ];
  const before = left();
  const opened = await Promise.all(
    Array.from({ length: COUNT }, () => loop.connect('mem:many', nothing)),
  );
  assert.equal(instance.connections, 2 * COUNT + 1);
  for (const { transport } of opened) transport.write('hello');
  await all.fired;
  for (const { transport } of opened) transport.close();
  await Promise.all(opened.map(({ transport }) => transport.closed));
  while (instance.connections > 1) await new Promise(setImmediate);
  assert.deepEqual(left(), before);
  const size = instance.exports.memory.buffer.byteLength;
  t.diagnostic(`${size} bytes of the module's memory for ${2 * COUNT} transports`);
  assert(size < 2 * COUNT * 1024);
  server.close();
});

/** Collects what nobody holds, and lets the module know. */
async function collect() {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  await new Promise(setImmediate);
}

test(`${COUNT} connections one after another: memory stays where it was`, async (t) => {
  const { loop, network } = loopFor(t);
  network.serve('bytes', (end) => end.write(Buffer.from('bytes')));
  const round = async () => {
    let size = 0;
    for (let i = 0; i < COUNT; i++) {
      const come = new Signal();
      const { transport } = await loop.connect('mem:bytes', () => ({
        getBuffer: () => new Uint8Array(100),
        bufferUpdated: () => come.fire(undefined),
      }));
      await come.fired;
      transport.close();
      await transport.closed;
      if (i % 500 === 0) await collect(); // a transport stands in the module for as long as somebody holds it [L5]
      size = /** @type {any} */ (transport).script.instance.exports.memory.buffer.byteLength;
    }
    return size;
  };
  const first = await round();
  assert.equal(await round(), first);
  t.diagnostic(`${first} bytes of the module's memory`);
});
