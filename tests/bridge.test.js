// The bridge: who may go where; what one side does, done to the other; and that nothing it is sent makes it grow.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { bridge, bridged } from '../js/bridge/node.js';
import { Targets } from '../js/bridge/targets.js';
import { Loop } from '../js/node.js';
import { cert, key } from './bridge/certificate.js';
import {
  openBridge,
  openLoop,
  openTarget,
  Plain,
  Queue,
  Recorder,
  statusOf,
  untilEnd,
  untilEnded,
  urlOf,
} from './bridge/stage.js';

/** @typedef {import('node:test').TestContext} TestContext */

/** One end of a connection through a bridge, and the other. @param {TestContext} t @param {import('./bridge/stage.js').BridgeOptions} [options] */
async function connected(t, options) {
  const target = await openTarget(t);
  const { bridge, log, address } = await openBridge(t, { allow: [target.address], ...options });
  const loop = openLoop(t, address);
  const { protocol, transport } = await loop.connect(target.address, () => new Recorder());
  const socket = await target.client();
  return { target, bridge, log, address, loop, client: protocol, transport, socket };
}

/** A port where nobody listens. */
async function deadEnd() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return `tcp://127.0.0.1:${port}`;
}

describe('targets', () => {
  test('nothing is allowed unless it is named, and then in any spelling', () => {
    const targets = new Targets([
      'tcp://Redis.Example:6379',
      'tcp://[::1]:80',
      'unix:/run/a b',
      'udp://h:9',
    ]);
    const at = (/** @type {string} */ address) => targets.at(address)?.address;
    assert.equal(at('tcp://redis.example:6379'), 'tcp://redis.example:6379');
    assert.equal(at('tcp://REDIS.EXAMPLE:06379'), 'tcp://redis.example:6379');
    assert.equal(at('tcp://[0:0:0:0:0:0:0:1]:80'), 'tcp://[::1]:80');
    assert.equal(at('unix:/run/a b'), 'unix:/run/a b');
    assert.equal(at('udp://h:9'), 'udp://h:9');
    for (const other of [
      'udp://redis.example:6379',
      'tcp://redis.example:6380',
      'tcp://redis.example.:6379',
      'tcp://redis.example:6379/',
      'tcp://x@redis.example:6379',
      'tcp://redis.example:65536',
      'tcp://redis.example:0',
      'tcp://redis.example',
      'tcp://[::ffff:0:1]:80',
      'tcp://h:9',
      'unix:/run/../run/a b',
      'unix:run',
      'exec:/bin/sh',
      'fd:0',
      'ws://h:9',
      'accepted:',
      '',
    ])
      assert.equal(at(other), undefined, other);
    assert.equal(new Targets([]).at('tcp://h:1'), undefined);
  });

  test('any port of a host', () => {
    const targets = new Targets(['tcp://127.0.0.1:*', 'udp://[::1]:*']);
    assert.equal(targets.at('tcp://127.0.0.1:65535')?.address, 'tcp://127.0.0.1:65535');
    assert.equal(targets.at('udp://[0::1]:7')?.address, 'udp://[::1]:7');
    for (const other of [
      'tcp://127.0.0.1:*',
      'tcp://127.0.0.1:0',
      'udp://127.0.0.1:1',
      'tcp://127.0.0.2:1',
    ])
      assert.equal(targets.at(other), undefined, other);
  });

  test('one with a name is asked for by it, and by nothing else', () => {
    const targets = new Targets(['redis=tcp://h:1', 'x=unix:/a=b', 'unix:/c=d']);
    assert.equal(targets.named('redis')?.address, 'tcp://h:1');
    assert.equal(targets.named('x')?.address, 'unix:/a=b');
    assert.equal(targets.at('tcp://h:1'), undefined);
    assert.equal(targets.at('unix:/c=d')?.address, 'unix:/c=d');
    assert.equal(targets.named('constructor'), undefined);
  });

  test('what is none is an error', () => {
    for (const wrong of [
      'h:1',
      'tcp://h',
      'tcp://h:0',
      'http://h:1',
      'unix:',
      'unix:a',
      '=tcp://h:1',
      'a b=tcp://h:1',
      'a=tcp://h:*',
      '',
    ])
      assert.throws(() => new Targets([wrong]), { code: 'EADDRESS' }, wrong);
    assert.throws(() => new Targets(['a=tcp://h:1', 'a=tcp://h:2']), { code: 'EADDRESS' });
  });
});

describe('who may come', () => {
  test('403 for what is not allowed, 404 for names and paths that are none, 400 for nothing at all', async (t) => {
    const target = await openTarget(t);
    const { address, log } = await openBridge(t, {
      allow: [`hidden=${target.address}`],
      listen: 'ws://127.0.0.1:0/gate',
    });
    assert.match(address, /\/gate\/$/);
    assert.equal(await statusOf(t, `${address}hidden`), 101);
    assert.equal((await log.take()).type, 'opened');
    assert.equal(await statusOf(t, urlOf(address, target.address)), 403);
    assert.deepEqual(
      { ...(await log.take()), client: '' },
      { type: 'refused', client: '', target: target.address, status: 403 },
    );
    assert.equal(await statusOf(t, `${address}other`), 404);
    assert.equal(await statusOf(t, `${address}hidden/`), 404);
    assert.equal(await statusOf(t, address.replace('gate', 'gat')), 404);
    assert.equal(await statusOf(t, address), 400);
  });

  test('pages of the host that is listened on, unless others are named', async (t) => {
    const target = await openTarget(t);
    const allow = [target.address];
    const status = async (/** @type {string} */ address, /** @type {string} */ origin) =>
      statusOf(t, urlOf(address, target.address), { headers: { origin } });
    const { address } = await openBridge(t, { allow });
    for (const mine of ['http://localhost:5173', 'https://127.0.0.1', 'http://[::1]:80'])
      assert.equal(await status(address, mine), 101, mine);
    // The last one is what a page says whose name was looked up anew, to find this machine.
    for (const other of [
      'https://evil.example',
      'null',
      '*',
      '',
      'http://localhost.evil.example',
      `http://rebound.example:${new URL(address).port}`,
    ])
      assert.equal(await status(address, other), 403, other);
    const named = await openBridge(t, { allow, origins: ['https://a.example'] });
    assert.equal(await status(named.address, 'https://a.example'), 101);
    assert.equal(await status(named.address, 'http://a.example'), 403);
    assert.equal(await status(named.address, 'http://localhost'), 403);
    assert.equal(await statusOf(t, urlOf(named.address, target.address)), 101); // no browser
    const all = await openBridge(t, { allow, origins: ['*'] });
    assert.equal(await status(all.address, 'https://evil.example'), 101);
  });

  test('so many in all, and from one address; who has gone makes room', async (t) => {
    const target = await openTarget(t);
    const allow = [target.address];
    const { address, log } = await openBridge(t, {
      allow,
      maxConnections: 3,
      maxConnectionsPerAddress: 2,
    });
    const url = urlOf(address, target.address);
    const first = new Plain(t, url);
    assert.equal(await first.refused, 101);
    assert.equal(await statusOf(t, url), 101);
    assert.equal(await statusOf(t, url), 429);
    await log.take();
    await log.take();
    assert.equal((await log.take()).type, 'refused');
    first.socket.close();
    assert.equal((await log.take()).type, 'closed');
    assert.equal(await statusOf(t, url), 101);
    const small = await openBridge(t, { allow, maxConnections: 1 });
    assert.equal(await statusOf(t, urlOf(small.address, target.address)), 101);
    assert.equal(await statusOf(t, urlOf(small.address, target.address)), 503);
  });
});

describe('streams', () => {
  test('E2, E3: either end may end first, and the other goes on', async (t) => {
    const { client, transport, socket, target } = await connected(t);
    assert.equal(transport.getExtraInfo('peername'), target.address.slice('tcp://'.length));
    transport.write('question');
    transport.writeEof();
    assert.equal(String(await untilEnd(socket)), 'question');
    socket.write('answer');
    assert.equal(await client.untilText(6), 'answer');
    socket.end(', late');
    await client.until('eof');
    assert.equal(client.text, 'answer, late');
    transport.close();
    await client.until('lost');
  });

  test('E3: the target ends first', async (t) => {
    const { client, transport, socket, log } = await connected(t);
    socket.end('all');
    await client.until('eof');
    assert.equal(client.text, 'all');
    transport.write('more');
    transport.writeEof();
    assert.equal(String(await untilEnd(socket)), 'more');
    transport.close();
    await log.take();
    const { id, ...entry } = /** @type {any} */ (await log.take());
    assert.equal(id, 1);
    assert.deepEqual([entry.type, entry.sent, entry.received], ['closed', 4, 3]);
  });

  test('E4: an orderly end: what was written arrives', async (t) => {
    const { transport, socket } = await connected(t);
    const sent = Buffer.alloc(3_000_000, 'abcdefg');
    const received = untilEnd(socket);
    transport.write(sent);
    transport.close();
    assert.ok((await received).equals(sent));
  });

  test('E6: a target that breaks off is told with a reason', async (t) => {
    const { client, socket, log } = await connected(t);
    socket.resetAndDestroy();
    assert.equal(
      await client.calls.take(),
      'lost ECONNRESET 4001 ECONNRESET: the target broke off',
    );
    await log.take();
    const entry = /** @type {any} */ (await log.take());
    assert.deepEqual([entry.type, entry.why], ['closed', 'target: ECONNRESET']);
  });

  test('E5: a client that breaks off', async (t) => {
    const { transport, socket, log } = await connected(t);
    transport.abort(1234, 'enough');
    await untilEnded(socket);
    await log.take();
    const entry = /** @type {any} */ (await log.take());
    assert.deepEqual([entry.type, entry.why], ['closed', 'client: ECONNRESET']);
  });

  test('what comes in pieces of any size leaves as it came', async (t) => {
    const { client, transport, socket } = await connected(t);
    const pieces = [1, 65535, 65536, 65537, 200_000, 262_144, 300_000, 1, 1_500_000];
    const sent = Buffer.concat(pieces.map((size, i) => Buffer.alloc(size, `piece ${i} `)));
    socket.pipe(socket);
    let at = 0;
    for (const size of pieces) {
      transport.write(sent.subarray(at, at + size));
      at += size;
    }
    assert.ok(Buffer.from(await client.untilText(sent.length), 'latin1').equals(sent));
  });

  /** To and fro, through the same bridge: time for whatever else is under way. @param {Loop} loop @param {string} echo */
  async function roundTrips(loop, echo) {
    const { reader, writer } = await loop.openConnection(echo);
    for (let i = 0; i < 200; i++) {
      await writer.write('to and fro\n');
      await reader.readLine();
    }
    writer.close();
  }

  /** @param {TestContext} t @param {import('./bridge/stage.js').BridgeOptions['buffer']} [buffer] */
  async function withEcho(t, buffer) {
    const target = await openTarget(t, { pauseOnConnect: true });
    const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    t.after(() => echo.close());
    const echoAddress = `tcp://127.0.0.1:${/** @type {net.AddressInfo} */ (echo.address()).port}`;
    const { address } = await openBridge(t, { allow: [target.address, echoAddress], buffer });
    const loop = openLoop(t, address);
    return { target, loop, address, turns: () => roundTrips(loop, echoAddress) };
  }

  const SIZE = 64 << 20;
  /** Kernels hold some megabytes of each of two connections. */
  const MOST = 40 << 20;

  test('F2, R1: a target that does not read holds the client back', async (t) => {
    const { target, loop, turns } = await withEcho(t);
    const { protocol: client, transport } = await loop.connect(
      target.address,
      () => new Recorder(),
    );
    const socket = await target.client();
    const piece = Buffer.alloc(65536, 'towline');
    let written = 0;
    let isPaused = false;
    client.pauseWriting = () => {
      isPaused = true;
    };
    const writeOn = () => {
      isPaused = false;
      for (; !isPaused && written < SIZE; written += piece.length) transport.write(piece);
      if (written >= SIZE) transport.writeEof();
    };
    client.resumeWriting = writeOn;
    writeOn();
    await turns();
    assert.ok(isPaused && written < MOST, `${written} bytes were taken`);
    let received = 0;
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    await once(socket.resume(), 'end');
    assert.equal(received, SIZE);
  });

  test('F2, R1: a client that does not read holds the target back', async (t) => {
    const { target, loop, turns } = await withEcho(t);
    const { protocol: client, transport } = await loop.connect(
      target.address,
      () => new Recorder(),
    );
    transport.pauseReading();
    let received = 0;
    client.dataReceived = (data) => {
      received += data.length;
    };
    const socket = await target.client();
    let written = 0;
    const piece = Buffer.alloc(65536, 'towline');
    const writeOn = () => {
      while (written < SIZE) {
        written += piece.length;
        if (!socket.write(piece)) return socket.once('drain', writeOn);
      }
      socket.end();
    };
    writeOn();
    await turns();
    assert.ok(written < MOST, `${written} bytes were taken`);
    transport.resumeReading();
    await client.until('eof');
    assert.equal(received, SIZE);
  });

  test('a WebSocket without framing is held back, too, and ends as it can', async (t) => {
    const { target, address, turns } = await withEcho(t);
    const client = new Plain(t, urlOf(address, target.address), ['binary']);
    await client.refused;
    assert.equal(client.socket.protocol, 'binary');
    const socket = await target.client();
    const piece = Buffer.alloc(65536, 'towline');
    for (let i = 0; i < SIZE / piece.length; i++) client.socket.send(piece);
    await turns();
    assert.ok(
      client.socket.bufferedAmount > SIZE - MOST,
      `${client.socket.bufferedAmount} are left`,
    );
    socket.resume();
    socket.write('answer');
    assert.equal(String(await client.messages.take()), 'answer');
    socket.end('last');
    assert.equal(String(await client.messages.take()), 'last');
    assert.deepEqual(await client.closed, [1000, '']);
  });

  test('E6: a WebSocket without framing is told why by its close', async (t) => {
    const target = await openTarget(t);
    const { address } = await openBridge(t, { allow: [target.address] });
    const client = new Plain(t, urlOf(address, target.address));
    await client.refused;
    (await target.client()).resetAndDestroy();
    assert.deepEqual(await client.closed, [4001, 'ECONNRESET: the target broke off']);
  });

  test('a target that cannot be reached fails the request, and says why; an address is told to nobody', async (t) => {
    const address = await deadEnd();
    const gateway = await openBridge(t, {
      allow: [`nobody=${address}`, 'lost=unix:/nonexistent/socket'],
    });
    const loop = openLoop(t, gateway.address, {
      names: { 'tcp://x:1': 'nobody', 'tcp://x:2': 'lost' },
    });
    const message = 'tcp://x:1: ECONNREFUSED: the target was not reached';
    await assert.rejects(loop.openConnection('tcp://x:1'), {
      code: 'ECONNREFUSED',
      native: 1014,
      message,
    });
    await assert.rejects(loop.openConnection('tcp://x:2'), { code: 'ENOENT', native: 1014 });
    const plain = new Plain(t, `${gateway.address}nobody`);
    assert.deepEqual(await plain.closed, [1014, 'ECONNREFUSED: the target was not reached']);
    await assert.rejects(loop.openConnection(address), { code: 'EACCES' });
  });

  test('Unix sockets, both where it listens and where it connects to', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'bridge-'));
    t.after(() => rm(folder, { recursive: true }));
    const target = await openTarget(t, { path: join(folder, 'target') });
    const { address } = await openBridge(t, {
      allow: [target.address],
      listen: `unix:${folder}/gate`,
    });
    assert.equal(address, `unix:${folder}/gate`);
    const client = new Plain(
      t,
      `ws+unix:${folder}/gate:/?to=${encodeURIComponent(target.address)}`,
    );
    await client.refused;
    client.socket.send('hello');
    assert.equal(String((await once(await target.client(), 'data'))[0]), 'hello');
  });

  test('TLS', async (t) => {
    const target = await openTarget(t);
    const { address } = await openBridge(t, {
      allow: [target.address],
      listen: 'wss://127.0.0.1:0/',
      cert,
      key,
    });
    assert.match(address, /^wss:/);
    const client = new Plain(t, urlOf(address, target.address), [], { rejectUnauthorized: false });
    assert.equal(await client.refused, 101);
    client.socket.send('hello');
    assert.equal(String((await once(await target.client(), 'data'))[0]), 'hello');
  });

  test('on a server that is somebody else’s, which stays', async (t) => {
    const target = await openTarget(t);
    const server = http
      .createServer((_request, response) => response.end('mine'))
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { bridge, address } = await openBridge(t, {
      allow: [target.address],
      server,
      listen: 'ws://localhost/gate/',
    });
    const client = new Plain(t, urlOf(address, target.address));
    assert.equal(await client.refused, 101);
    await bridge.close(0);
    assert.deepEqual(await client.closed, [1001, 'ECANCELED: the bridge closes']);
    const { port } = /** @type {net.AddressInfo} */ (server.address());
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'mine');
  });
});

describe('ends', () => {
  test('a connection on which nothing comes is ended', async (t) => {
    const { client, socket, log } = await connected(t, { idle: 40 });
    assert.equal(
      await client.calls.take(),
      'lost ECONNRESET 4002 ETIMEDOUT: nothing came either way',
    );
    await untilEnded(socket);
    await log.take();
    assert.equal(/** @type {any} */ (await log.take()).why, 'ETIMEDOUT: nothing came either way');
  });

  test('a bridge that closes lets nobody in, and lets those who are there come to their end', async (t) => {
    const { bridge, client, transport, socket, address, target } = await connected(t);
    const closed = bridge.close(2 ** 30);
    await assert.rejects(openLoop(t, address).openConnection(target.address), {
      code: 'ECONNREFUSED',
    });
    transport.write('still');
    assert.equal(String((await once(socket, 'data'))[0]), 'still');
    assert.equal(bridge.connections, 1);
    socket.end('bye');
    await client.until('eof');
    transport.close();
    await closed;
    assert.equal(client.text, 'bye');
  });

  test('those who take too long are ended, with a reason', async (t) => {
    const { bridge, client, socket } = await connected(t);
    const closed = bridge.close(2 ** 30);
    const again = bridge.close(0);
    assert.equal(await client.calls.take(), 'lost ECONNRESET 1001 ECANCELED: the bridge closes');
    await untilEnded(socket);
    await Promise.all([closed, again]);
    assert.equal(bridge.connections, 0);
  });

  test('where it cannot listen it says so', async (t) => {
    const { address } = await openBridge(t);
    await assert.rejects(bridge({ listen: address }), { code: 'EADDRINUSE' });
  });

  test('options that are none', async () => {
    /** @type {[import('../js/bridge/options.js').BridgeOptions, string][]} */
    const wrong = [
      [{ listen: 'http://127.0.0.1' }, 'EADDRESS'],
      [{ listen: 'ws://127.0.0.1/?x' }, 'EADDRESS'],
      [{ listen: 'wss://127.0.0.1:0/' }, 'EINVAL'],
      [{ cert, key }, 'EINVAL'],
      [{ listen: 'wss://127.0.0.1:0/', cert: 'no', key: 'no' }, 'EINVAL'],
      [{ idle: -1 }, 'EINVAL'],
      [{ buffer: Number.NaN }, 'EINVAL'],
      [{ maxMessage: 0 }, 'EINVAL'],
      [{ maxConnections: Number.POSITIVE_INFINITY }, 'EINVAL'],
      [{ allow: ['x'] }, 'EADDRESS'],
    ];
    for (const [options, code] of wrong)
      await assert.rejects(() => bridge(options), { code }, JSON.stringify(options));
    assert.throws(() => bridged('http://127.0.0.1/'), { code: 'EADDRESS' });
  });
});

describe('datagrams', () => {
  /** @param {TestContext} t */
  async function udp(t) {
    const socket = createSocket('udp4');
    t.after(() => socket.close());
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    /** @type {Queue<{bytes: Buffer, port: number}>} */
    const came = new Queue();
    socket.on('message', (bytes, { port }) => came.put({ bytes, port }));
    return { socket, came, address: `udp://127.0.0.1:${socket.address().port}` };
  }

  class Endpoint {
    /** @type {Queue<string>} */
    calls = new Queue();
    /** @param {Uint8Array} data @param {string} peer */
    datagramReceived(data, peer) {
      this.calls.put(`${Buffer.from(data)} from ${peer}`);
    }
    /** @param {import('../js/node.js').TowlineError} error */
    errorReceived({ code }) {
      this.calls.put(code);
    }
    /** @param {import('../js/node.js').TowlineError | null} error */
    connectionLost(error) {
      this.calls.put(error ? `lost ${error.code} ${error.native}` : 'lost');
    }
  }

  test('D1, D2: boundaries are kept, both ways, of empty ones too', async (t) => {
    const peer = await udp(t);
    const { address } = await openBridge(t, { allow: [peer.address] });
    const loop = openLoop(t, address);
    const { transport, protocol } = await loop.datagram(peer.address, () => new Endpoint());
    const name = peer.address.slice('udp://'.length);
    assert.equal(transport.getExtraInfo('peername'), name);
    for (const size of [3, 0, 9000, 1]) {
      transport.sendto('x'.repeat(size), size === 1 ? name : undefined);
      const { bytes, port } = await peer.came.take();
      assert.equal(bytes.length, size);
      peer.socket.send('y'.repeat(size), port, '127.0.0.1');
      assert.equal(await protocol.calls.take(), `${'y'.repeat(size)} from ${name}`);
    }
    assert.throws(() => transport.sendto('x', '127.0.0.1:1'), { code: 'EADDRESS' });
    transport.close();
    assert.equal(await protocol.calls.take(), 'lost');
  });

  test('D3: what goes wrong with one is told, and the endpoint lives on', async (t) => {
    const peer = await udp(t);
    const nobody = (await deadEnd()).replace('tcp', 'udp');
    const { address } = await openBridge(t, { allow: [peer.address, nobody] });
    const loop = openLoop(t, address);
    const lost = await loop.datagram(nobody, () => new Endpoint());
    lost.transport.sendto('x');
    assert.equal(await lost.protocol.calls.take(), 'ECONNREFUSED');
    const { transport, protocol } = await loop.datagram(peer.address, () => new Endpoint());
    transport.sendto(new Uint8Array(65508));
    assert.equal(await protocol.calls.take(), 'EMSGSIZE');
    transport.sendto('still');
    assert.equal(String((await peer.came.take()).bytes), 'still');
  });

  test('a bridge that goes, and a target that is not allowed', async (t) => {
    const peer = await udp(t);
    const { address, bridge } = await openBridge(t, { allow: [peer.address] });
    const loop = openLoop(t, address);
    await assert.rejects(
      loop.datagram('udp://127.0.0.1:1', () => new Endpoint()),
      { code: 'EACCES' },
    );
    const { protocol } = await loop.datagram(peer.address, () => new Endpoint());
    await bridge.close(0);
    assert.equal(await protocol.calls.take(), 'lost ECLOSED 1001');
  });

  test('a WebSocket that knows no more than that has no texts among its datagrams', async (t) => {
    const peer = await udp(t);
    const { address } = await openBridge(t, { allow: [peer.address] });
    const client = new Plain(t, urlOf(address, peer.address));
    await client.refused;
    client.socket.send(Buffer.from('one'));
    const { bytes, port } = await peer.came.take();
    assert.equal(String(bytes), 'one');
    peer.socket.send('two', port, '127.0.0.1');
    assert.deepEqual(await client.messages.take(), Buffer.from('two'));
  });
});

describe('what is hostile', () => {
  /** What is answered to these bytes, up to the end. @param {string} address @param {string} bytes */
  async function answer(address, bytes) {
    const { port } = new URL(address);
    const socket = net.connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    socket.end(bytes);
    return text(socket);
  }

  test('requests that are none, too long, or no WebSocket', async (t) => {
    const target = await openTarget(t);
    const { address, log } = await openBridge(t, { allow: [target.address] });
    const path = `/?to=${encodeURIComponent(target.address)}`;
    const upgrade = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
    const status = (/** @type {string} */ head) =>
      answer(address, head).then((all) => all.split('\r\n')[0]);
    assert.match(await status('nonsense\r\n\r\n'), / 400 /);
    assert.match(
      await status(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
      / 426 /,
    );
    assert.match(await status(`GET ${path} HTTP/1.1\r\n${upgrade}\r\n`), / 400 /); // no key
    await untilEnded(await target.client()); // it was let go
    assert.match(
      await status(`GET /?to=${'x'.repeat(20_000)} HTTP/1.1\r\n${upgrade}\r\n`),
      / 431 /,
    );
    const many = Array.from({ length: 3000 }, (_, i) => `x${i}: y\r\n`).join('');
    assert.match(await status(`GET ${path} HTTP/1.1\r\n${upgrade}${many}\r\n`), / 431 /);
    assert.match(await status(`GET /%00?to=%zz&to=\u0000 HTTP/1.1\r\n${upgrade}\r\n`), / 40[04] /);
    assert.equal(await statusOf(t, urlOf(address, target.address)), 101);
    assert.ok(await log.take());
  });

  test('a message that is too long ends the connection, and only that', async (t) => {
    const target = await openTarget(t);
    const { address, bridge } = await openBridge(t, { allow: [target.address], maxMessage: 1000 });
    const client = new Plain(t, urlOf(address, target.address));
    await client.refused;
    const socket = await target.client();
    client.socket.send(Buffer.alloc(1001));
    assert.equal((await client.closed)[0], 1009);
    await untilEnded(socket);
    assert.equal(await statusOf(t, urlOf(address, target.address)), 101);
    assert.ok(bridge);
  });

  test('frames that are none end the connection', async (t) => {
    const target = await openTarget(t);
    const { address } = await openBridge(t, { allow: [target.address] });
    const client = new Plain(t, urlOf(address, target.address), ['towline.1']);
    await client.refused;
    const socket = await target.client();
    client.socket.send(Buffer.from([0xff, 0xff]));
    await untilEnded(socket);
    assert.equal((await client.closed)[0] > 0, true);
  });
});
