import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { builds, codeOf, loadProbe, Signal } from './probe.js';

/** @typedef {import('node:test').TestContext} TestContext */

/** A WebSocket server for the length of a test. @param {TestContext} t @param {(socket: WebSocket) => void} accept @param {object} [options] */
async function serve(t, accept, options = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    accept(socket);
  });
  await new Promise((resolve) => server.on('listening', () => resolve(0)));
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  return `ws://127.0.0.1:${port}/path`;
}

/** A TCP server that answers the opening request with `answer`. @param {TestContext} t @param {(socket: net.Socket) => void} accept */
async function serveRaw(t, accept) {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    socket.once('data', () => accept(socket));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(0)));
  t.after(() => server.close());
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  return `ws://127.0.0.1:${port}/`;
}

/** @param {TestContext} t @param {Parameters<typeof loadProbe>} values */
async function probeFor(t, ...values) {
  const loaded = await loadProbe(...values);
  t.after(() => loaded.module.close());
  return loaded;
}

/** A WebSocket such as a browser's: it has no more than the standard says. */
class Plain {
  binaryType = 'blob';
  /** @type {any} */ onopen = null;
  /** @type {any} */ onmessage = null;
  /** @type {any} */ onerror = null;
  /** @type {any} */ onclose = null;
  /** @param {string} url @param {string[]} protocols */
  constructor(url, protocols) {
    this.socket = new WebSocket(url, protocols);
    this.socket.binaryType = 'arraybuffer';
    this.socket.on('open', () => this.onopen?.({}));
    this.socket.onmessage = ({ data }) => this.onmessage?.({ data });
    this.socket.onerror = () => this.onerror?.({});
    this.socket.onclose = ({ code, reason }) => this.onclose?.({ code, reason });
  }
  get url() {
    return this.socket.url;
  }
  get protocol() {
    return this.socket.protocol;
  }
  get readyState() {
    return this.socket.readyState;
  }
  get bufferedAmount() {
    return this.socket.bufferedAmount;
  }
  /** @param {Uint8Array} data */
  send(data) {
    this.socket.send(data.slice());
  }
  /** @param {number} [code] */
  close(code = 1000) {
    if (code !== 1000 && (code < 3000 || code > 4999)) throw new RangeError(`close(${code})`);
    this.socket.close(code);
  }
}

const kinds = { ws: undefined, 'as a browser': Plain };
const protocol = 'probe_stream';

for (const build of builds) {
  for (const [kind, WebSocketKind] of Object.entries(kinds)) {
    const name = `${kind}, ${build}`;
    const options = WebSocketKind ? { protocol, WebSocket: WebSocketKind } : { protocol };

    test(`bytes, url and subprotocol, ${name}`, async (t) => {
      const address = await serve(
        t,
        (socket) => socket.on('message', (data) => socket.send(data)),
        {
          handleProtocols: () => 'v2.example',
        },
      );
      const done = new Signal();
      const { module, all } = await probeFor(t, build, {
        made: (probe) => void probe.write('hello'),
        data: (probe) => done.fire(probe.text),
      });
      const { transport } = await module.connect(address, {
        ...options,
        subprotocols: ['mqtt', 'v2.example'],
      });
      assert.equal(await done.fired, 'hello');
      assert.equal(transport.getExtraInfo('url'), address);
      assert.equal(transport.getExtraInfo('subprotocol'), 'v2.example');
      const room = module.call('malloc', 64);
      const value = (/** @type {number} */ key) =>
        module.exports.tow_transport_get_extra_info(all[0].transport, key, room, 64);
      const key = module.call('malloc', 16);
      module.memory.setString(key, 16, 'subprotocol');
      assert.equal(value(key), 10);
      assert.equal(module.memory.string(room), 'v2.example');
      module.memory.setString(key, 16, 'nothing');
      assert.ok(value(key) < 0);
      transport.close();
      assert.equal(await transport.closed, null);
    });

    for (const code of [1000, 1001, 1005, 1002, 1006, 1011, 3000, 4999]) {
      test(`the peer closes with ${code}, ${name}`, async (t) => {
        const address = await serve(t, (socket) => {
          socket.send('last');
          if (code === 1006) socket.once('message', () => socket.terminate());
          else if (code === 1005) socket.close();
          else socket.close(code, 'because');
        });
        const { module, all } = await probeFor(t, build, {
          data: (probe) => void probe.write('answer'),
          eof: () => 1, // taken as 0
        });
        const { transport } = await module.connect(address, options);
        const error = await transport.closed;
        if (code <= 1001 || code === 1005) {
          assert.equal(error, null);
          assert.deepEqual(all[0].calls, ['made', 'eof', 'lost']);
        } else {
          assert.deepEqual([error?.code, error?.native], ['ECLOSED', code]);
          if (code !== 1006) assert.equal(error?.message, 'because');
          assert.deepEqual(all[0].calls, ['made', 'lost']);
        }
        assert.equal(all[0].text, 'last');
        assert.equal(transport.getExtraInfo('close_code'), String(code));
      });
    }

    test(`closing sends what was written, and 1000, ${name}`, async (t) => {
      const closed = new Signal();
      let size = 0;
      const address = await serve(t, (socket) => {
        socket.on('message', (/** @type {Buffer} */ data) => {
          size += data.length;
        });
        socket.on('close', (code) => closed.fire(code));
      });
      const much = new Uint8Array(3_000_000);
      const { module, all } = await probeFor(t, build, { made: (probe) => void probe.write(much) });
      const { transport } = await module.connect(address, options);
      transport.close();
      assert.equal(await transport.closed, null);
      assert.equal(await closed.fired, 1000);
      assert.equal(size, much.length);
      assert.deepEqual(all[0].calls, ['made', 'pauseWriting', 'resumeWriting', 'lost']);
    });

    test(`a peer that does not read is felt, and abort drops, ${name}`, async (t) => {
      /** @type {WebSocket[]} */
      const sockets = [];
      const address = await serve(t, (socket) => {
        sockets.push(socket);
        socket.pause();
      });
      const chunk = new Uint8Array(65536);
      const { module, all } = await probeFor(t, build, {});
      const { transport } = await module.connect(address, options);
      let written = 0;
      while (!all[0].calls.includes('pauseWriting') && written < 100_000_000) {
        all[0].write(chunk);
        written += chunk.length;
        await new Promise(setImmediate);
      }
      assert.ok(written < 100_000_000);
      const waiting = module.call('tow_transport_get_write_buffer_size', all[0].transport);
      assert.ok(waiting > 65536 && waiting <= 65536 * 2, `${waiting}`);
      transport.abort();
      assert.equal(await transport.closed, null);
      assert.deepEqual(all[0].calls, ['made', 'pauseWriting', 'lost']);
    });

    test(`text arrives as UTF-8, or is refused, ${name}`, async (t) => {
      /** @type {Signal<number>[]} */
      const closed = [new Signal(), new Signal()];
      let count = 0;
      const address = await serve(t, (socket) => {
        const signal = closed[count++];
        socket.on('close', (code) => signal.fire(code));
        socket.send('h\u00e9');
      });
      const come = new Signal();
      const { module, all } = await probeFor(t, build, { data: (probe) => come.fire(probe.text) });
      const { transport } = await module.connect(address, options);
      assert.equal(await come.fired, 'h\u00c3\u00a9');
      const refused = await module.connect(address, { ...options, refuseText: true });
      const error = await refused.transport.closed;
      assert.equal(error?.code, 'EPROTO');
      assert.equal(await closed[1].fired, WebSocketKind ? 4003 : 1003);
      assert.equal(all[1].text, '');
      transport.close();
    });

    test(`while reading is paused data and end wait, in order, ${name}`, async (t) => {
      const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(5000)); // short ones may come as one
      const address = await serve(t, (socket) => {
        for (const text of [a, b, c]) socket.send(Buffer.from(text));
        socket.close(1000);
      });
      const { module, all } = await probeFor(t, build, {
        made: (probe) => probe.pauseReading(),
        data: (probe) => {
          if (probe.text === a + b) probe.pauseReading();
        },
      });
      const { transport } = await module.connect(address, options);
      for (let i = 0; i < 50; i++) await new Promise(setImmediate);
      assert.deepEqual([all[0].text, all[0].calls], ['', ['made']]);
      all[0].resumeReading();
      for (let i = 0; i < 50; i++) await new Promise(setImmediate);
      assert.deepEqual([all[0].text, all[0].calls], [a + b, ['made']]);
      all[0].resumeReading();
      assert.equal(await transport.closed, null);
      assert.deepEqual([all[0].text, all[0].calls], [a + b + c, ['made', 'eof', 'lost']]);
    });

    test(`messages of all sizes come whole and in order, paused now and then, ${name}`, async (t) => {
      const sizes = [0, 1, 2048, 2049, 65536, 100_000, 1 << 20].flatMap((size) => [
        ...Array(2000).fill(64),
        size,
      ]);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const sent = Buffer.alloc(total, 'a pattern whose length is prime');
      const address = await serve(t, (socket) => {
        let at = 0;
        for (const size of sizes) {
          socket.send(sent.subarray(at, at + size));
          at += size;
        }
        socket.close();
      });
      /** @type {Buffer[]} */
      const received = [];
      const { module } = await probeFor(t, build, {
        data: (probe, bytes) => {
          received.push(Buffer.from(bytes));
          if (received.length % 4 !== 0) return;
          probe.pauseReading();
          setImmediate(() => probe.resumeReading());
        },
      });
      const { transport } = await module.connect(address, options);
      assert.equal(await transport.closed, null);
      assert.ok(sent.equals(Buffer.concat(received)));
    });

    test(`H3: more than the inbox holds, or the peer is held back, ${name}`, async (t) => {
      const closed = new Signal();
      const address = await serve(t, (socket) => {
        socket.on('close', (code) => closed.fire(code));
        for (let i = 0; i < 11; i++) socket.send(new Uint8Array(1000));
      });
      const { module, all } = await probeFor(t, build, { made: (probe) => probe.pauseReading() });
      const { transport } = await module.connect(address, { ...options, inbox: 10000 });
      if (WebSocketKind) {
        assert.equal(transport.getExtraInfo('read_backpressure'), 'inbox');
        assert.equal((await transport.closed)?.code, 'EOVERFLOW');
        assert.equal(await closed.fired, 4011);
        assert.equal(all[0].text, '');
      } else {
        assert.equal(transport.getExtraInfo('read_backpressure'), 'stream');
        for (let i = 0; i < 50; i++) await new Promise(setImmediate);
        assert.equal(all[0].text, '');
        all[0].resumeReading();
        while (all[0].text.length < 11000) await new Promise(setImmediate);
        transport.close();
        assert.equal(await transport.closed, null);
        assert.equal(await closed.fired, 1000);
      }
    });

    test(`messages into small buffers, ${name}`, async (t) => {
      const address = await serve(t, (socket) => {
        socket.send(Buffer.from('0123456789'));
        socket.close();
      });
      /** @type {string[]} */
      const calls = [];
      const { module } = await probeFor(t, build, {
        made: ({ protocol }) => {
          module.call('probe_set_buffer', protocol, module.call('malloc', 4), 4);
        },
        getBuffer: (_probe, hint) => void calls.push(`GB ${hint}`),
        updated: (_probe, bytes) => void calls.push(`BU ${bytes.length}`),
      });
      const { transport } = await module.connect(address, {
        ...options,
        protocol: 'probe_buffered',
      });
      assert.equal(await transport.closed, null);
      assert.deepEqual(calls, ['GB 10', 'BU 4', 'GB 6', 'BU 4', 'GB 2', 'BU 2']);
    });

    test(`servers that are none, ${name}`, async (t) => {
      const { module, all } = await probeFor(t, build);
      const page = http.createServer((_request, response) => response.end('a page'));
      await new Promise((resolve) => page.listen(0, '127.0.0.1', () => resolve(0)));
      t.after(() => page.close());
      const { port } = /** @type {net.AddressInfo} */ (page.address());
      const garbage = await serveRaw(t, (socket) => socket.end('\x00\x01garbage\r\n\r\n'));
      const hangUp = await serveRaw(t, (socket) => socket.end());
      const reset = await serveRaw(t, (socket) => socket.resetAndDestroy());
      const silent = await serveRaw(t, () => {});
      const known = kind === 'ws';
      /** @type {[string, string][]} */
      const cases = [
        [`ws://127.0.0.1:${port}/`, 'EPROTO'],
        [garbage, 'EPROTO'],
        [reset, 'ECONNRESET'],
        [hangUp, 'ECONNRESET'],
        ['ws://127.0.0.1:1/', 'ECONNREFUSED'],
        ['ws://a..b/', 'ENOTFOUND'],
      ];
      for (const [address, code] of cases)
        assert.equal(
          await codeOf(module.connect(address, options)),
          known ? code : 'EUNKNOWN',
          address,
        );
      assert.equal(await codeOf(module.connect(silent, { ...options, timeout: 30 })), 'ETIMEDOUT');
      for (const address of ['ws://', 'ws://127.0.0.1:99999/', 'ws://[::1/', 'ws://h/#fragment'])
        assert.equal(await codeOf(module.connect(address, options)), 'EADDRESS', address);
      const controller = new AbortController();
      const cancelled = codeOf(module.connect(silent, { ...options, signal: controller.signal }));
      setImmediate(() => controller.abort());
      assert.equal(await cancelled, 'ECANCELED');
      assert.equal(all.length, 0);
    });

    test(`garbage after opening ends that connection only, ${name}`, async (t) => {
      /** @type {WebSocket[]} */
      const sockets = [];
      const address = await serve(t, (socket) => sockets.push(socket));
      const come = new Signal();
      const { module } = await probeFor(t, build, { data: (probe) => come.fire(probe.text) });
      const broken = await module.connect(address, options);
      const good = await module.connect(address, options);
      while (sockets.length < 2) await new Promise(setImmediate);
      /** @type {any} */ (sockets[0])._socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
      const error = await broken.transport.closed;
      assert.equal(error?.code, kind === 'ws' ? 'EPROTO' : 'ECLOSED', `${error}`);
      sockets[1].send(Buffer.from('fine'));
      assert.equal(await come.fired, 'fine');
      good.transport.close();
    });
  }

  test(`a socket reset in the middle, ${build}`, async (t) => {
    const address = await serve(t, (socket) =>
      /** @type {any} */ (socket)._socket.resetAndDestroy(),
    );
    const { module } = await probeFor(t, build);
    const { transport } = await module.connect(address, { protocol });
    const error = await transport.closed;
    assert.ok(['ECONNRESET', 'ECLOSED'].includes(error?.code ?? ''), `${error}`);
  });

  test(`headers and a server of our own, ${build}`, async (t) => {
    const { module, all } = await probeFor(t, build, {
      data: (probe, bytes) => void probe.write(bytes),
    });
    const server = await module.listen('ws://127.0.0.1:0/echo', { protocol, subprotocols: 'mqtt' });
    assert.match(server.address, /^ws:\/\/127\.0\.0\.1:\d+\/echo$/);
    const client = new WebSocket(server.address, ['other', 'mqtt']);
    t.after(() => client.terminate());
    await new Promise((resolve) => client.on('open', () => resolve(0)));
    assert.equal(client.protocol, 'mqtt');
    client.send(Buffer.from('hello'));
    const [echo] = await new Promise((resolve) => client.on('message', (...all) => resolve(all)));
    assert.equal(String(echo), 'hello');
    assert.equal(
      await codeOf(module.connect(server.address.replace('echo', 'x'), { protocol })),
      'EPROTO',
    );
    for (const bad of ['ws://', 'ws://[::1/', 'ws://127.0.0.1:99999/', 'ws://127.0.0.1/'])
      assert.equal(await codeOf(module.listen(bad, { protocol })), 'EADDRESS');
    assert.equal(await codeOf(module.listen(server.address, { protocol })), 'EADDRINUSE');
    server.closeClients();
    assert.equal(await new Promise((resolve) => client.on('close', resolve)), 1000);
    server.close();
    assert.equal(await codeOf(module.connect(server.address, { protocol })), 'ECONNREFUSED');
    assert.deepEqual(all[0].calls, ['made', 'lost']);

    const seen = new Signal();
    const address = await serve(t, () => {}, {
      verifyClient: (/** @type {any} */ { req }) => {
        seen.fire([req.headers['x-one'], req.headers['x-two']]);
        return true;
      },
    });
    const { transport } = await module.connect(address, {
      protocol,
      headers: 'X-One: 1\r\nX-Two: a: b\r\n',
    });
    assert.deepEqual(await seen.fired, ['1', 'a: b']);
    transport.close();
  });
}
