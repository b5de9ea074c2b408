/** Towline framing on WebSockets: who agrees on it, and what it then gives. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from 'ws';
import { load } from '../../js/node.js';
import { builds, codeOf, loadProbe, Signal } from './probe.js';

/** @typedef {import('node:test').TestContext} TestContext */

const protocol = 'probe_stream';

/** @param {TestContext} t @param {Parameters<typeof loadProbe>} values */
async function probeFor(t, ...values) {
  const loaded = await loadProbe(...values);
  t.after(() => loaded.module.close());
  return loaded;
}

/**
 * A server of the package ws; `offers` are what each client offered.
 * @param {TestContext} t
 * @param {(offered: Set<string>) => string | false} [handleProtocols] none: it answers the first
 * @param {(socket: WebSocket) => void} [accept]
 */
async function serve(t, handleProtocols, accept = () => {}) {
  /** @type {(string | undefined)[]} */
  const offers = [];
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols });
  server.on('headers', (_headers, { headers }) => offers.push(headers['sec-websocket-protocol']));
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    accept(socket);
  });
  await once(server, 'listening');
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  return { address: `ws://127.0.0.1:${port}/`, offers };
}

/** A WebSocket such as a browser's: it does not tell why it failed. */
class Mute extends /** @type {any} */ (WebSocket) {
  /** @param {any} handler */
  set onerror(handler) {
    super.onerror = handler && (() => handler({}));
  }
}
Object.defineProperty(Mute.prototype, 'terminate', { value: undefined });

/** @param {import('../../js/index.js').Transport} transport */
const agreed = (transport) => [
  transport.getExtraInfo('read_backpressure') === 'credit',
  transport.getExtraInfo('subprotocol'),
];

for (const build of builds) {
  test(`two ends of Towline agree, or not, ${build}`, async (t) => {
    const { module } = await probeFor(t, build);
    /** @type {[server: object, client: object, string | [boolean, string]][]} */
    const cases = [
      [{}, {}, [true, '']],
      [{ framing: 'refused' }, {}, [false, '']],
      [{}, { framing: 'refused' }, [false, '']],
      [{ framing: 'demanded' }, {}, [true, '']],
      [{}, { framing: 'demanded' }, [true, '']],
      [{ framing: 'demanded' }, { framing: 'demanded' }, [true, '']],
      [{ framing: 'demanded' }, { framing: 'refused' }, 'EPROTO'],
      [{ framing: 'refused' }, { framing: 'demanded' }, 'EPROTO'],
      [{ framing: 'refused' }, { framing: 'refused' }, [false, '']],
      [{ subprotocols: 'mqtt' }, { subprotocols: 'mqtt' }, [true, 'mqtt']],
      [{ subprotocols: 'b, a' }, { subprotocols: 'a, b' }, [true, 'b']],
      [{ subprotocols: 'a' }, { subprotocols: 'b' }, [true, '']],
      [{ subprotocols: 'a' }, { subprotocols: 'a', framing: 'demanded' }, [true, 'a']],
      [{ subprotocols: 'a' }, { subprotocols: 'a', framing: 'refused' }, [false, 'a']],
      [{ subprotocols: 'a', framing: 'refused' }, { subprotocols: 'a' }, [false, 'a']],
      [{ subprotocols: 'a', framing: 'refused' }, { subprotocols: 'b' }, 'EPROTO'],
    ];
    for (const [server, client, expected] of cases) {
      const name = JSON.stringify([server, client]);
      const listener = await module.listen('ws://127.0.0.1:0', { protocol, ...server });
      const connecting = module.connect(listener.address, { protocol, ...client });
      if (typeof expected === 'string') {
        assert.equal(await codeOf(connecting), expected, name);
      } else {
        const { transport } = await connecting;
        assert.deepEqual(agreed(transport), expected, name);
        transport.close();
        assert.equal(await transport.closed, null);
      }
      listener.close();
    }
  });

  test(`peers that are not Towline's get a plain stream, ${build}`, async (t) => {
    const { module } = await probeFor(t, build);
    const blind = await serve(t);
    for (const [subprotocols, offer] of [
      ['', 'towline.0,towline.1'],
      ['a, b', 'a,b,towline.1+a,towline.1+b,towline.1'],
    ]) {
      const { transport } = await module.connect(blind.address, { protocol, subprotocols });
      assert.deepEqual(agreed(transport), [false, subprotocols.slice(0, 1)]);
      assert.equal(blind.offers.pop(), offer);
    }
    const picky = await serve(t, (offered) => [...offered][1]);
    const { transport } = await module.connect(picky.address, { protocol, subprotocols: 'a, b' });
    assert.deepEqual(agreed(transport), [false, 'b']);
    const demanding = module.connect(blind.address, { protocol, framing: 'demanded' });
    await assert.rejects(demanding, {
      code: 'EPROTO',
      message: `${blind.address}: the peer does not speak towline.1`,
    });
  });

  for (const [kind, WebSocketKind] of Object.entries({ ws: WebSocket, mute: Mute })) {
    test(`a peer that answers no subprotocol is asked again, once, ${kind}, ${build}`, async (t) => {
      const { module } = await probeFor(t, build);
      const { address, offers } = await serve(t, () => false);
      const options = { protocol, WebSocket: WebSocketKind };
      for (const path of ['', '?a', '?b']) {
        const { transport } = await module.connect(address + path, options);
        assert.deepEqual(agreed(transport), [false, '']);
      }
      assert.deepEqual(offers, ['towline.0,towline.1', undefined, undefined, undefined]);
      const demanding = module.connect(address, { ...options, framing: 'demanded' });
      assert.equal(await codeOf(demanding), kind === 'ws' ? 'EPROTO' : 'EUNKNOWN');
      assert.equal(offers.length, 5);
    });

    test(`the second attempt can be cancelled, and fails the request, ${kind}, ${build}`, async (t) => {
      const { module, all } = await probeFor(t, build);
      let count = 0;
      const second = new Signal();
      const proxy = net.createServer((socket) => {
        socket.on('error', () => {});
        t.after(() => socket.destroy());
        if (++count % 2 === 1) socket.pipe(net.connect(port, '127.0.0.1')).pipe(socket);
        else second.fire(socket);
      });
      const { address } = await serve(t, () => false);
      const port = Number(new URL(address).port);
      proxy.listen(0, '127.0.0.1');
      await once(proxy, 'listening');
      t.after(() => proxy.close());
      const place = `ws://127.0.0.1:${/** @type {net.AddressInfo} */ (proxy.address()).port}/`;
      const controller = new AbortController();
      const options = { protocol, WebSocket: WebSocketKind, signal: controller.signal };
      const cancelled = codeOf(module.connect(place, options));
      const socket = await second.fired;
      controller.abort();
      assert.equal(await cancelled, 'ECANCELED');
      await once(socket, 'close');
      assert.equal(count, 2);
      assert.equal(all.length, 0);
    });
  }

  test(`framing that cannot be had, ${build}`, async (t) => {
    const { module } = await probeFor(t, build);
    const demanded = /** @type {const} */ ({ protocol, framing: 'demanded' });
    for (const address of ['tcp://127.0.0.1:1', 'unix:/nowhere', 'udp://127.0.0.1:1'])
      assert.equal(await codeOf(module.connect(address, demanded)), 'ENOTSUP');
    const echo = fileURLToPath(new URL(`../../build/${build}/echo.wasm`, import.meta.url));
    const plain = await load(echo);
    t.after(() => plain.close());
    const { address, offers } = await serve(t, () => false);
    const options = { protocol: 'echo_new' };
    assert.equal(
      await codeOf(plain.connect(address, { ...options, framing: 'demanded' })),
      'ENOTSUP',
    );
    const { transport } = await plain.connect(address, options);
    assert.deepEqual(agreed(transport), [false, '']);
    assert.deepEqual(offers, [undefined]);
  });

  /**
   * Two modules that have agreed.
   * @param {TestContext} t
   * @param {import('./probe.js').Callbacks} serverCallbacks
   * @param {import('./probe.js').Callbacks} clientCallbacks
   * @param {object} [options]
   */
  async function pair(t, serverCallbacks, clientCallbacks, options) {
    const made = new Signal();
    const server = await probeFor(t, build, { ...serverCallbacks, made: made.fire });
    const client = await probeFor(t, build, clientCallbacks);
    const listener = await server.module.listen('ws://127.0.0.1:0', { protocol });
    const demanded = /** @type {const} */ ({ protocol, framing: 'demanded', ...options });
    const { transport } = await client.module.connect(listener.address, demanded);
    const accepted = await made.fired;
    t.after(() => listener.close());
    return { transport, listener, mine: client.all[0], theirs: accepted };
  }

  test(`E3: half-close both ways, ${build}`, async (t) => {
    const { transport, listener, mine, theirs } = await pair(
      t,
      {
        eof: (probe) => {
          probe.write('still here');
          probe.module.call('tow_transport_write_eof', probe.transport);
          return 1;
        },
      },
      { eof: () => 1 },
    );
    mine.write('question');
    assert.equal(mine.module.call('tow_transport_write_eof', mine.transport), 0);
    while (!mine.calls.includes('eof')) await new Promise(setImmediate);
    assert.deepEqual([theirs.text, mine.text], ['question', 'still here']);
    transport.close();
    assert.equal(await transport.closed, null);
    listener.closeClients();
    while (!theirs.calls.includes('lost')) await new Promise(setImmediate);
    assert.deepEqual(theirs.calls, ['made', 'eof', 'lost']);
  });

  test(`R1: pausing reading holds the peer back, ${build}`, async (t) => {
    const WINDOW = 262144;
    const { transport, mine, theirs } = await pair(t, {}, {});
    mine.pauseReading();
    const chunk = new Uint8Array(65536);
    let written = 0;
    while (!theirs.calls.includes('pauseWriting')) {
      theirs.write(chunk);
      written += chunk.length;
      await new Promise(setImmediate);
    }
    for (let i = 0; i < 100; i++) await new Promise(setImmediate);
    assert.ok(written <= WINDOW + 3 * chunk.length, `${written}`);
    assert.ok(!theirs.calls.includes('resumeWriting'));
    assert.equal(mine.text, '');
    mine.resumeReading();
    while (mine.text.length < written) await new Promise(setImmediate);
    assert.ok(theirs.calls.includes('resumeWriting'));
    transport.close();
    assert.equal(await transport.closed, null);
  });

  test(`E6: an abort says why, ${build}`, async (t) => {
    const lost = new Signal();
    const { transport } = await pair(
      t,
      { lost: (_probe, code, native) => lost.fire([code, native]) },
      {},
    );
    transport.abort(4321, 'b\u00e9cause');
    assert.equal(await transport.closed, null);
    const [code, native] = await lost.fired;
    assert.deepEqual([code, native], [-8, 4321]); // TOW_ECONNRESET
  });

  test(`E6: what the peer said, ${build}`, async (t) => {
    const { transport, theirs } = await pair(t, {}, {});
    theirs.module.call('tow_framing_reset', theirs.transport, 4321, 'b\u00e9cause');
    const error = await transport.closed;
    assert.deepEqual(
      [error?.code, error?.native, error?.message],
      ['ECONNRESET', 4321, 'b\u00e9cause'],
    );
  });

  test(`a peer that says nothing is given up, ${build}`, async (t) => {
    const come = new Signal();
    const { address } = await serve(
      t,
      () => 'towline.1',
      (socket) =>
        socket.on('message', (/** @type {Buffer} */ data) => data.includes(0xe3) && come.fire(0)),
    );
    const { module, all } = await probeFor(t, build);
    const { transport } = await module.connect(address, { protocol, keepalive: 20 });
    await come.fired;
    assert.equal((await transport.closed)?.code, 'ETIMEDOUT');
    assert.deepEqual(all[0].calls, ['made', 'lost']);
  });

  test(`a peer whose frames are wrong, ${build}`, async (t) => {
    const { address } = await serve(
      t,
      () => 'towline.1',
      (socket) => socket.send(Buffer.from([0xff])),
    );
    const { module } = await probeFor(t, build);
    const { transport } = await module.connect(address, { protocol });
    assert.equal((await transport.closed)?.code, 'EPROTO');
  });
}
