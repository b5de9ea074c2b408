import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { datagrams } from '../../js/transports/node-dgram.js';
import { parsePeer, peerBytes, peerOf, peerText } from '../../js/transports/node-peer.js';
import { builds, codeOf, loadProbe, Signal } from './probe.js';

const protocol = 'probe_datagram';

/** A loaded probe, closed with the test. @param {import('node:test').TestContext} t @param {Parameters<typeof loadProbe>} values */
async function probeFor(t, ...values) {
  const loaded = await loadProbe(...values);
  t.after(() => loaded.module.close());
  return loaded;
}

/** A socket of Node's own that answers everything with itself. @param {import('node:test').TestContext} t @param {'udp4' | 'udp6'} type */
async function echo(t, type = 'udp4') {
  const socket = dgram.createSocket(type);
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
  socket.bind(0, type === 'udp4' ? '127.0.0.1' : '::1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  const { address, port } = socket.address();
  return { socket, address: `udp://${peerText({ address, port })}`, port };
}

/** An address of a port that is nobody's any more. */
async function closedPort() {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(() => resolve(0)));
  return `udp://127.0.0.1:${port}`;
}

const turn = () => new Promise(setImmediate);

test('peers', () => {
  const texts = {
    '127.0.0.1:9': '07 04 0009 7f000001',
    '255.255.255.255:65535': '07 04 ffff ffffffff',
    '[::1]:9': `13 06 0009 ${'00'.repeat(15)}01`,
    '[2001:db8::1:0]:256': '13 06 0100 20010db8000000000000000000010000',
    '[::ffff:1.2.3.4]:1': '13 06 0001 00000000000000000000ffff01020304',
    '[fe80::1%lo]:1': `15 06 0001 fe80${'00'.repeat(13)}01 6c6f`,
  };
  for (const [text, hex] of Object.entries(texts)) {
    const bytes = peerBytes(/** @type {any} */ (parsePeer(text)));
    assert.ok(bytes, text);
    assert.equal(
      Buffer.from(bytes.subarray(0, bytes[0] + 1)).toString('hex'),
      hex.replaceAll(' ', ''),
    );
    assert.equal(bytes.length, 32);
    assert.equal(peerText(/** @type {any} */ (peerOf(bytes))), text);
  }
  for (const text of ['', '127.0.0.1', '127.0.0.1:', '127.0.0.1:70000', 'localhost:9', '::1:9'])
    assert.equal(parsePeer(text), undefined, text);
  assert.equal(peerBytes({ address: 'fe80::1%a-very-long-name', port: 1 }), undefined);
  for (const hex of ['', '06 04 0009 7f0000', '07 06 0009 7f000001', '13 05 0009', 'ff 06 0009'])
    assert.equal(peerOf(Buffer.from(hex.replaceAll(' ', '').padEnd(64, '0'), 'hex')), undefined);
});

for (const build of builds) {
  test(`datagrams to and from a connected endpoint, ${build}`, async (t) => {
    for (const type of /** @type {const} */ (['udp4', 'udp6'])) {
      const { address } = await echo(t, type);
      const come = new Signal();
      /** @type {string[]} */
      const got = [];
      const { module, all } = await probeFor(t, build, {
        datagram: (_probe, bytes) => {
          got.push(Buffer.from(bytes).toString());
          if (got.length === 3) come.fire(0);
        },
      });
      const { transport } = await module.connect(address, { protocol });
      for (const text of ['one', '', 'three']) assert.equal(all[0].send(text), 0);
      await come.fired;
      assert.deepEqual(got, ['one', '', 'three']);
      assert.equal(all[0].send('to its own peer', false), 0);
      assert.equal(transport.getExtraInfo('peername'), address.slice('udp://'.length));
      assert.match(transport.getExtraInfo('sockname') ?? '', /^(127\.0\.0\.1|\[::1\]):\d+$/);
      assert.equal(transport.getExtraInfo('socket', 'none'), 'none');
      transport.close();
      assert.equal(all[0].send('late'), 0);
      assert.equal(await transport.closed, null);
      assert.deepEqual(new Set(all[0].calls), new Set(['made', 'lost']));
    }
  });

  test(`a bound endpoint answers whoever it is, ${build}`, async (t) => {
    const { module, all } = await probeFor(t, build, {
      datagram: (probe, bytes) => void probe.send(bytes, false),
    });
    const { transport, protocol: made } = await module.bind('udp://127.0.0.1:0', { protocol });
    const port = Number(transport.getExtraInfo('sockname')?.split(':').pop());
    assert.equal(
      all[0].send('nobody'),
      module.call('tow_transport_sendto', all[0].transport, '', 0),
    );
    for (const name of ['a', 'b']) {
      const client = dgram.createSocket('udp4');
      t.after(() => client.close());
      client.send(name, port, '127.0.0.1');
      const [bytes, from] = await once(client, 'message');
      assert.equal(String(bytes), name);
      assert.equal(from.port, port);
      const text = module.call('malloc', 64);
      const size = module.call('probe_format_peer', made, text, 64);
      assert.equal(module.memory.string(text, size), `127.0.0.1:${client.address().port}`);
    }
    assert.equal(module.call('probe_parse_peer', made, '127.0.0.1:9'), 0);
    for (const wrong of ['[::1]:9', 'localhost:9', '127.0.0.1', 'x'])
      assert.equal(module.call('probe_parse_peer', made, wrong), -35, wrong);
    const taken = module.bind(`udp://127.0.0.1:${port}`, { protocol });
    assert.equal(await codeOf(taken), 'EADDRINUSE');
    assert.equal(transport.getExtraInfo('peername', 'none'), 'none');
  });

  test(`what cannot be sent, and goes on, ${build}`, async (t) => {
    const told = new Signal();
    const { module, all } = await probeFor(t, build, {
      error: (_probe, code, native) => void told.fire([code, native]),
    });
    const { transport } = await module.connect(await closedPort(), { protocol });
    const [probe] = all;
    assert.equal(probe.send(new Uint8Array(65508)), 0);
    assert.deepEqual(await told.fired, [-23, 90]);
    told.fired = new Promise((resolve) => {
      told.fire = resolve;
    });
    probe.send('x');
    assert.deepEqual(await told.fired, [-7, 111]);
    assert.deepEqual(probe.calls, ['made', 'error', 'error']);
    probe.send(new Uint8Array(70000));
    transport.close(); // an error that is due comes before the end
    assert.equal(await transport.closed, null);
    assert.deepEqual(probe.calls, ['made', 'error', 'error', 'error', 'lost']);
  });

  test(`reading paused holds datagrams, and no more than its inbox, ${build}`, async (t) => {
    /** @type {string[]} */
    const got = [];
    const { module, all } = await probeFor(t, build, {
      made: (probe) => probe.pauseReading(),
      datagram: (_probe, bytes) => void got.push(`${bytes[0]}`),
    });
    const inbox = 4 * (1000 + 256);
    const { transport } = await module.bind('udp://127.0.0.1:0', { protocol, inbox });
    const port = Number(transport.getExtraInfo('sockname')?.split(':').pop());
    const client = dgram.createSocket('udp4');
    t.after(() => client.close());
    const send = (/** @type {number} */ i) =>
      new Promise((resolve) => client.send(Buffer.alloc(1000, i), port, '127.0.0.1', resolve));
    for (let i = 0; i < 8; i++) await send(i);
    for (let i = 0; i < 20; i++) await turn();
    assert.deepEqual(got, []);
    all[0].resumeReading();
    while (got.length < 4) await turn();
    await send(99);
    while (got.length < 5) await turn();
    assert.deepEqual(got, ['0', '1', '2', '3', '99']);
  });

  test(`what would block waits in the core, ${build}`, async (t) => {
    const { address, socket } = await echo(t);
    /** @type {string[]} */
    const come = [];
    socket.removeAllListeners('message');
    socket.on('message', (bytes) => come.push(String(bytes)));
    /** Node's socket, with room only when the test says so. */
    let kept = 0;
    /** @type {(() => void) | undefined} */
    let leave;
    const carrier = datagrams(
      /** @type {any} */ (
        (/** @type {any} */ options) => {
          const socket = dgram.createSocket(options);
          const send = socket.send.bind(socket);
          socket.getSendQueueCount = () => kept;
          socket.send = (/** @type {any} */ bytes, /** @type {any} */ done) => {
            kept = 1;
            leave = () => {
              kept = 0;
              send(bytes, done);
            };
          };
          return socket;
        }
      ),
    );
    const { module, all } = await probeFor(t, build, {}, { transports: { udp: carrier } });
    const { transport } = await module.connect(address, { protocol, high: 20, low: 10 });
    const [probe] = all;
    const size = () => module.call('tow_transport_get_write_buffer_size', probe.transport);
    for (const text of ['one', 'two', 'three']) probe.send(text);
    assert.equal(size(), 3 + 8 + 5 + 8);
    assert.deepEqual(probe.calls, ['made', 'pauseWriting']);
    transport.close();
    while (come.length < 3) {
      leave?.();
      leave = undefined;
      await turn();
    }
    assert.deepEqual(come, ['one', 'two', 'three']);
    assert.equal(await transport.closed, null);
    assert.deepEqual(probe.calls, ['made', 'pauseWriting', 'resumeWriting', 'lost']);
  });

  test(`many, each of its own size, ${build}`, async (t) => {
    const { address } = await echo(t);
    let next = 0;
    const done = new Signal();
    const { module, all } = await probeFor(t, build, {
      datagram: (probe, bytes) => {
        assert.equal(bytes.length, next);
        next += 1;
        if (next < 500) probe.send(new Uint8Array(next));
        else done.fire(0);
      },
    });
    await module.connect(address, { protocol });
    all[0].send('');
    await done.fired;
    next = 65507;
    const last = new Signal();
    const { transport } = await module.connect(address, { protocol });
    t.after(() => transport.abort());
    module.call('tow_transport_sendto', all[1].transport, new Uint8Array(65507), 0);
    const poll = () => (next === 65508 ? last.fire(0) : setImmediate(poll));
    poll();
    await last.fired;
  });

  test(`endpoints that cannot be opened, ${build}`, async (t) => {
    const { module, opened } = await probeFor(t, build);
    const options = { protocol };
    /** @type {[Promise<string>, string][]} */
    const cases = [
      [codeOf(module.connect('udp://127.0.0.1', options)), 'EADDRESS'],
      [codeOf(module.connect('udp://127.0.0.1:0', options)), 'EADDRESS'],
      [codeOf(module.bind('udp://127.0.0.1:x', options)), 'EADDRESS'],
      [codeOf(module.bind('udp://192.0.2.1:0', options)), 'EADDRNOTAVAIL'],
      [codeOf(module.bind('udp://a..b:0', options)), 'ENOTFOUND'],
      [codeOf(module.bind('tcp://127.0.0.1:0', options)), 'ESCHEME'],
      [codeOf(module.listen('udp://127.0.0.1:0', options)), 'ESCHEME'],
      [codeOf(module.bind('udp://127.0.0.1:0', { protocol: 'probe_stream' })), 'EINVAL'],
      [codeOf(module.bind('udp://127.0.0.1:0', { protocol: 'probe_none' })), 'ENOMEM'],
      [
        codeOf(module.bind('udp://127.0.0.1:0', { protocol, signal: AbortSignal.abort() })),
        'ECANCELED',
      ],
    ];
    for (const [promise, code] of cases) assert.equal(await promise, code);
    module.call('probe_bind', module.loop, 'udp://127.0.0.1:0', 7);
    module.call('probe_bind', module.loop, 'udp://nobody', 8);
    while (opened.length < 2) await turn();
    const results = new Map(
      opened.map(([context, transport, code]) => [context, [transport, code]]),
    );
    assert.equal(results.get(8)?.[1], -35);
    assert.ok(results.get(7)?.[0]);
    await module.close();
    assert.equal(module.connections, 0);
  });
}
