import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { builds, codeOf, loadProbe, Signal } from './probe.js';

/**
 * A server of Node's own, for the length of a test.
 * @param {import('node:test').TestContext} t
 * @param {(socket: net.Socket) => void} accept
 */
async function serve(t, accept) {
  /** @type {Set<net.Socket>} */
  const sockets = new Set();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    accept(socket);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(0)));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  return `tcp://127.0.0.1:${port}`;
}

/** A loaded probe, closed with the test. @param {import('node:test').TestContext} t @param {Parameters<typeof loadProbe>} values */
async function probeFor(t, ...values) {
  const loaded = await loadProbe(...values);
  t.after(() => loaded.module.close());
  return loaded;
}

/** Bytes that tell where they are. @param {number} size */
const pattern = (size) =>
  Buffer.from(Array.from({ length: size }, (_, i) => (i * 131 + (i >> 8) * 17) & 255));

/** A probe, and a folder that goes with the test. @param {import('node:test').TestContext} t */
async function probeInFolder(t) {
  const folder = await mkdtemp(join(tmpdir(), 'towline-'));
  t.after(() => rm(folder, { recursive: true }));
  const { module } = await probeFor(t, 'wasi');
  const serveAt = (/** @type {string} */ path) =>
    module.listen(`unix:${path}`, { protocol: 'probe_stream' });
  return { folder, module, serveAt };
}

test('O1: a path that is too long for a socket is refused, and none is cut', async (t) => {
  const { folder, module, serveAt } = await probeInFolder(t);
  const most = process.platform === 'linux' ? 107 : 103;
  const room = most - folder.length - 1;
  const path = `${folder}/${'é'.repeat(room / 2)}${'x'.repeat(room % 2)}`;
  assert.equal(Buffer.byteLength(path), most);
  const server = await serveAt(path);
  assert.ok((await stat(path)).isSocket());
  const protocol = 'probe_stream';
  (await module.connect(server.address, { protocol })).transport.abort();
  assert.equal(await codeOf(serveAt(`${path}x`)), 'EADDRESS');
  assert.equal(await codeOf(module.connect(`unix:${path}x`, { protocol })), 'EADDRESS');
});

/** A socket's file that nobody listens on: a server removes that of its own name only. @param {string} path */
async function leaveStale(path) {
  const server = net.createServer().listen(`${path}-first`);
  await once(server, 'listening');
  await rename(`${path}-first`, path);
  await once(server.close(), 'close');
}

test("O2: a stale socket's file is taken over, a living one's and other files are not", async (t) => {
  const { folder, module, serveAt } = await probeInFolder(t);
  const path = join(folder, 'socket');
  await leaveStale(path);
  const server = await serveAt(path);
  assert.equal(await codeOf(serveAt(path)), 'EADDRINUSE');
  const { transport } = await module.connect(server.address, { protocol: 'probe_stream' });
  transport.abort();
  server.close();
  assert.equal(await codeOf(stat(path)), 'ENOENT');

  await writeFile(path, 'kept');
  assert.equal(await codeOf(serveAt(path)), 'EADDRINUSE');
  assert.equal(await readFile(path, 'utf8'), 'kept');

  await leaveStale(`${path}-2`);
  await symlink(`${path}-2`, `${path}-3`);
  assert.equal(await codeOf(serveAt(`${path}-3`)), 'EADDRINUSE');
  assert.ok((await stat(`${path}-2`)).isSocket());
});

for (const build of builds) {
  test(`what cannot be opened, ${build}`, async (t) => {
    const { module } = await probeFor(t, build);
    const closed = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.on('listening', () => resolve(0)));
    const { port } = /** @type {net.AddressInfo} */ (closed.address());
    await new Promise((resolve) => closed.close(() => resolve(0)));
    /** @type {[string, string[]][]} */
    const cases = [
      [`tcp://127.0.0.1:${port}`, ['ECONNREFUSED']],
      [`tcp://localhost:${port}`, ['ECONNREFUSED']],
      ['tcp://255.255.255.255:9', ['ENETUNREACH', 'EACCES', 'EHOSTUNREACH']],
      ['tcp://a..b:9', ['ENOTFOUND']],
      ['unix:/nowhere/socket', ['ENOENT']],
      ['tcp://127.0.0.1', ['EADDRESS']],
      ['tcp://127.0.0.1:70000', ['EADDRESS']],
      ['tcp://[::1:80', ['EADDRESS']],
      ['tcp://user@127.0.0.1:80', ['EADDRESS']],
      ['not an address', ['EADDRESS']],
      ['', ['EADDRESS']],
      ['gopher://127.0.0.1:70/', ['ESCHEME']],
      ['toString:x', ['EADDRESS', 'ESCHEME']],
      ['mem:x', ['ESCHEME']],
    ];
    for (const [address, codes] of cases) {
      const error = await module
        .connect(address, { protocol: 'probe_stream' })
        .catch((error) => error);
      assert.ok(codes.includes(error.code), `${address}: ${error.code} ${error.message}`);
      assert.ok(error.message.startsWith(address), error.message);
    }
    const refused = await module
      .connect(`tcp://localhost:${port}`, { protocol: 'probe_stream' })
      .catch((error) => error);
    assert.match(refused.message, /127\.0\.0\.1/);
    assert.equal(refused.native, 111);
  });

  test(`the next address is tried, and read from, ${build}`, async (t) => {
    const address = await serve(t, (socket) => {
      socket.write('one');
      socket.on('data', (bytes) => socket.end(bytes));
    });
    const { module, all } = await probeFor(t, build, {
      updated: (probe) => {
        if (probe.text === 'one') probe.write('two');
      },
    });
    const { port } = new URL(address);
    const { transport } = await module.connect(`tcp://localhost:${port}`, {
      protocol: 'probe_buffered',
    });
    assert.equal(await transport.closed, null);
    assert.equal(all[0].text, 'onetwo');
  });

  test(`what cannot be served, ${build}`, async (t) => {
    const { module } = await probeFor(t, build);
    const options = { protocol: 'probe_stream' };
    const server = await module.listen('tcp://127.0.0.1:0', options);
    assert.equal(await codeOf(module.listen(server.address, options)), 'EADDRINUSE');
    assert.equal(await codeOf(module.listen('tcp://127.0.0.1:x', options)), 'EADDRESS');
    assert.equal(await codeOf(module.listen('tcp://192.0.2.1:0', options)), 'EADDRNOTAVAIL');
    assert.equal(await codeOf(module.listen('mem:x', options)), 'ESCHEME');
    server.close();
    server.close();
    const { address } = await module.listen(server.address, options);
    assert.equal(address, server.address);
  });

  test(`time-out and cancelling, ${build}`, async (t) => {
    const { module, all } = await probeFor(t, build);
    const address = await serve(t, () => {}); // a TCP server that never speaks HTTP
    const silent = address.replace('tcp', 'ws');
    const options = { protocol: 'probe_stream' };
    const started = performance.now();
    assert.equal(await codeOf(module.connect(silent, { ...options, timeout: 30 })), 'ETIMEDOUT');
    assert.ok(performance.now() - started >= 29);
    const controller = new AbortController();
    const result = module.connect(silent, { ...options, signal: controller.signal });
    controller.abort(new Error('no more'));
    const error = await result.catch((error) => error);
    assert.deepEqual([error.code, error.cause.message], ['ECANCELED', 'no more']);
    const signal = AbortSignal.abort();
    assert.equal(await codeOf(module.connect(address, { ...options, signal })), 'ECANCELED');
    assert.equal(all.length, 0);
    const { transport } = await module
      .connect(address, { ...options, signal: controller.signal })
      .catch(() => module.connect(address, options));
    transport.abort();
    assert.equal(await transport.closed, null);
  });

  for (const protocol of ['probe_stream', 'probe_buffered']) {
    test(`much, both ways, ${protocol}, ${build}`, async (t) => {
      const size = 3_000_000;
      const sent = pattern(size);
      /** @type {Buffer[]} */
      const back = [];
      const address = await serve(t, (socket) => {
        socket.write(sent);
        socket.on('data', (bytes) => back.push(bytes));
        socket.on('end', () => socket.end());
      });
      let left = size;
      let paused = 0;
      /** @param {import('./probe.js').Probe} probe @param {Uint8Array} bytes */
      const echo = (probe, bytes) => {
        probe.write(bytes);
        left -= bytes.length;
        if (left === 0) module.call('tow_transport_write_eof', probe.transport);
      };
      const { module, all } = await probeFor(t, build, {
        data: echo,
        updated: echo,
        pauseWriting: (probe) => {
          paused++;
          probe.pauseReading();
        },
        resumeWriting: (probe) => probe.resumeReading(),
      });
      const { transport } = await module.connect(address, { protocol, high: 20000 });
      assert.match(transport.getExtraInfo('peername') ?? '', /^127\.0\.0\.1:\d+$/);
      assert.equal(transport.getExtraInfo('nothing', 'default'), 'default');
      assert.equal(await transport.closed, null);
      assert.ok(Buffer.concat(back).equals(sent));
      assert.deepEqual(
        all[0].calls.filter((name) => ['made', 'eof', 'lost'].includes(name)),
        ['made', 'eof', 'lost'],
      );
      t.diagnostic(`writing was paused ${paused} times`);
    });
  }

  test(`the kernel writes where get_buffer says, ${build}`, async (t) => {
    const come = new Signal();
    const address = await serve(t, (socket) => {
      socket.write('one');
      socket.on('data', (bytes) => socket.write(bytes));
    });
    /** @type {number[]} */
    const hints = [];
    const { module, all } = await probeFor(t, build, {
      getBuffer: (_probe, hint) => void hints.push(hint),
      updated: (probe) => {
        if (probe.text === 'one') probe.write('two');
        if (probe.text === 'onetwo') come.fire(0);
      },
    });
    await module.connect(address, { protocol: 'probe_buffered' });
    await come.fired;
    assert.equal(hints.at(-1), -1); // the next read is asked for before it comes
    assert.equal(module.call('tow_transport_revoke_buffer', all[0].transport), 0);
    // The memory is the protocol's again: what comes now goes elsewhere.
    const other = module.call('malloc', 16);
    module.call('probe_set_buffer', all[0].protocol, other, 16);
    const again = new Signal();
    const at = module.memory.bytes(all[0].module.call('malloc', 1), 1);
    at[0] = 1;
    const poll = () => (all[0].text === 'onetwothree' ? again.fire(0) : setImmediate(poll));
    all[0].write('three');
    poll();
    await again.fired;
    assert.equal(Buffer.from(module.memory.bytes(other, 5)).toString(), 'three');
  });

  test(`memory that grows under a loan, ${build}`, async (t) => {
    const size = 400_000;
    const sent = pattern(size);
    const address = await serve(t, (socket) => {
      let at = 0;
      const feed = () => {
        socket.write(sent.subarray(at, at + 20000));
        at += 20000;
        if (at < size) setImmediate(feed);
        else socket.end();
      };
      feed();
    });
    /** @type {Buffer[]} */
    const come = [];
    /** @type {number[]} */
    const blocks = [];
    const grow = () => {
      if (blocks.length < 60) blocks.push(module.call('malloc', 1 << 20));
    };
    const { module, all } = await probeFor(t, build, {
      getBuffer: grow,
      updated: (_probe, bytes) => {
        come.push(Buffer.from(bytes));
        grow();
      },
      data: (_probe, bytes) => {
        come.push(Buffer.from(bytes));
        grow();
      },
    });
    for (const protocol of ['probe_buffered', 'probe_stream']) {
      const idle = await module.connect(address, { protocol });
      blocks.push(module.call('malloc', 1 << 20)); // while the kernel holds the loan
      assert.equal(await idle.transport.closed, null);
      assert.ok(Buffer.concat(come).equals(sent), protocol);
      come.length = 0;
      for (const block of blocks.splice(0)) {
        assert.notEqual(block, 0);
        module.call('free', block);
      }
    }
    assert.equal(all.length, 2);
  });

  test(`a socket reset in the middle, and others live on, ${build}`, async (t) => {
    const { module, all } = await probeFor(t, build, {
      data: (probe, bytes) => void probe.write(bytes),
    });
    /** @type {net.Socket[]} */
    const sockets = [];
    const address = await serve(t, (socket) => sockets.push(socket));
    const one = await module.connect(address, { protocol: 'probe_stream' });
    const two = await module.connect(address, { protocol: 'probe_stream' });
    while (sockets.length < 2) await new Promise(setImmediate);
    sockets[0].write('x');
    sockets[0].resetAndDestroy();
    const error = await one.transport.closed;
    assert.deepEqual([error?.code, error?.native], ['ECONNRESET', 104]);
    const echo = new Promise((resolve) => sockets[1].once('data', resolve));
    sockets[1].write('y');
    assert.equal(String(await echo), 'y');
    assert.equal(all.length, 2);
    two.transport.close();
    assert.equal(await two.transport.closed, null);
  });

  test(`a peer that does not read: abort drops, close waits, ${build}`, async (t) => {
    /** @type {net.Socket[]} */
    const sockets = [];
    const address = await serve(t, (socket) => {
      sockets.push(socket);
      socket.pause();
    });
    const much = new Uint8Array(16 << 20);
    const { module, all } = await probeFor(t, build, { made: (probe) => void probe.write(much) });
    const aborted = await module.connect(address, { protocol: 'probe_stream' });
    assert.ok(module.call('tow_transport_get_write_buffer_size', all[0].transport) > 65536);
    assert.ok(all[0].calls.includes('pauseWriting'));
    aborted.transport.abort();
    assert.equal(await aborted.transport.closed, null);
    const closing = await module.connect(address, { protocol: 'probe_stream' });
    closing.transport.close();
    let read = 0;
    sockets[1].on('data', (bytes) => {
      read += bytes.length;
    });
    sockets[1].resume();
    assert.equal(await closing.transport.closed, null);
    await new Promise((resolve) => sockets[1].once('end', () => resolve(0)));
    assert.equal(read, much.length);
  });

  test(`a server's connections, ${build}`, async (t) => {
    const path = join(tmpdir(), `towline-${process.pid}-${build}`);
    t.after(() => rm(path, { force: true }));
    const { module, all } = await probeFor(t, build, {
      data: (probe, bytes) => void probe.write(bytes),
      eof: () => 1,
    });
    for (const where of ['tcp://127.0.0.1:0', 'tcp://[::1]:0', `unix:${path}`]) {
      const server = await module.listen(where, { protocol: 'probe_stream' });
      const client = net.connect(
        where.startsWith('unix')
          ? { path }
          : {
              host: where.includes('::1') ? '::1' : '127.0.0.1',
              port: Number(server.address.split(':').pop()),
            },
      );
      t.after(() => client.destroy());
      client.write('hello');
      const [echo] = await new Promise((resolve) =>
        client.once('data', (...data) => resolve(data)),
      );
      assert.equal(String(echo), 'hello');
      server.close(); // the connection lives on
      client.write('again');
      await new Promise((resolve) => client.once('data', resolve));
      assert.equal(
        await codeOf(module.connect(server.address, { protocol: 'probe_stream' })),
        where.startsWith('unix') ? 'ENOENT' : 'ECONNREFUSED',
      );
      client.destroy();
    }
    const server = await module.listen('tcp://127.0.0.1:0', { protocol: 'probe_stream' });
    const client = net.connect(Number(server.address.split(':').pop()), '127.0.0.1');
    t.after(() => client.destroy());
    client.write('x');
    await new Promise((resolve) => client.once('data', resolve));
    server.closeClients();
    await new Promise((resolve) => client.resume().once('close', () => resolve(0)));
    assert.deepEqual(all.at(-1)?.calls, ['made', 'lost']);
  });

  test(`reading paused holds back data and end, ${build}`, async (t) => {
    const address = await serve(t, (socket) => socket.end('data and end'));
    const { module, all } = await probeFor(t, build, { made: (probe) => probe.pauseReading() });
    const { transport } = await module.connect(address, { protocol: 'probe_stream' });
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    assert.deepEqual(all[0].calls, ['made']);
    assert.equal(all[0].text, '');
    all[0].resumeReading();
    assert.equal(await transport.closed, null);
    assert.deepEqual(all[0].calls, ['made', 'eof', 'lost']);
    assert.equal(all[0].text, 'data and end');
  });
}
