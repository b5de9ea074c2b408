/** WebRTC that cannot be opened, and what is told of it; and what others say in a room. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { webrtc } from '../../js/webrtc/index.js';
import { builds, loadProbe } from './probe.js';
import { here, Pages, Rooms } from './webrtc-places.js';

const pages = new Pages();
after(() => pages.close());

/** @param {import('node:test').TestContext} t @param {string} build @param {Rooms} rooms @param {object} [options] */
async function join(t, build, rooms, options) {
  const player = here(rooms, build);
  t.after(() => player.stop());
  await player.start(options);
  return player;
}

for (const build of builds) {
  test(`what is no address, no name, or lacks signalling, ${build}`, async (t) => {
    const player = await join(t, build, new Rooms());
    const signalling = () => {
      throw Object.assign(new Error('no way'), { code: 'EACCES' });
    };
    /** @type {[string, 'connect' | 'bind' | 'listen', string, object?][]} */
    const cases = [
      ['EADDRESS', 'bind', 'webrtc:'],
      ['EADDRESS', 'bind', 'webrtc:room/peer'],
      ['EADDRESS', 'bind', 'webrtc-stream:room'],
      ['EADDRESS', 'connect', 'webrtc:a b'],
      ['EADDRESS', 'connect', `webrtc:room/${'x'.repeat(32)}`],
      ['EADDRESS', 'listen', 'webrtc:room'],
      ['EADDRESS', 'listen', 'webrtc-stream:room/peer'],
      ['EINVAL', 'bind', 'webrtc:room', { name: 'not a name' }],
      ['EINVAL', 'bind', 'webrtc:room', { signalling: undefined }],
      ['EINVAL', 'bind', 'webrtc:room', { maxRetransmits: 1, maxPacketLifeTime: 1 }],
      ['EACCES', 'bind', 'webrtc:room', { signalling }],
      ['EACCES', 'connect', 'webrtc-stream:room', { signalling }],
    ];
    for (const [code, verb, address, options] of cases)
      assert.match(await player.open(verb, address, options), new RegExp(`^${code} `), address);
    assert.deepEqual(player.log(), []);
  });

  test(`one demands framing, the other refuses it, ${build}`, async (t) => {
    const rooms = new Rooms();
    const [alice, bob] = [await join(t, build, rooms), await join(t, build, rooms)];
    for (const [mine, theirs] of [
      ['demanded', 'refused'],
      ['refused', 'demanded'],
    ]) {
      const room = `webrtc-stream:${mine}`;
      await bob.open('listen', room, { framing: theirs });
      assert.match(await alice.open('connect', room, { framing: mine }), /^EPROTO .*towline\.1/);
    }
    assert.deepEqual(bob.log(), []);
  });

  test(`what is said by others is checked, ${build}`, async (t) => {
    const rooms = new Rooms();
    const stranger = rooms.join('room');
    /** @type {any[]} */
    const heard = [];
    stranger.receive((text) => heard.push(JSON.parse(text)));
    const alice = await join(t, build, rooms, { name: 'alice', maxPeers: 2 });
    await alice.open('bind', 'webrtc:room');
    const hello = { from: 'eve', type: 'hello', kind: 'datagram', role: 'peer', session: 'one' };
    for (const text of [
      '',
      '{',
      'null',
      '7',
      '[]',
      '"hello"',
      JSON.stringify({ ...hello, from: 7 }),
      JSON.stringify({ ...hello, from: 'alice' }),
      JSON.stringify({ ...hello, from: 'x'.repeat(32) }),
      JSON.stringify({ ...hello, to: 'bob' }),
      JSON.stringify({ ...hello, kind: 'stream' }),
      JSON.stringify({ ...hello, role: 'server' }),
      JSON.stringify({ ...hello, session: {} }),
      JSON.stringify({ ...hello, more: 'x'.repeat(70000) }),
      JSON.stringify({ from: 'eve', type: 'description', sdp: 'v=0' }),
      JSON.stringify({ from: 'eve', type: 'candidate', candidate: 'x', mid: '0' }),
      JSON.stringify({ from: 'eve', type: 'bye' }),
      JSON.stringify({ from: '__proto__', type: 'constructor' }),
    ])
      stranger.send(text);
    for (const from of ['eve1', 'eve2', 'eve3'])
      stranger.send(JSON.stringify({ ...hello, from, to: 'alice' })); // the last is one too many
    for (const more of [
      { type: 'description' },
      { type: 'description', sdp: 7 },
      { type: 'candidate', candidate: {}, mid: '0' },
      { type: 'candidate', candidate: 'nonsense', mid: '0' },
      { type: 'description', sdp: 'nonsense', peer: 'of another time' },
      { type: 'description', sdp: 'nonsense' },
    ])
      stranger.send(JSON.stringify({ from: 'eve1', ...more }));
    stranger.send(JSON.stringify({ from: 'eve2', type: 'bye' }));
    const answers = () => heard.filter(({ type }) => type === 'hello' || type === 'bye');
    while (answers().length < 6) await new Promise(setImmediate);
    assert.deepEqual(
      answers().map(({ type, to }) => [type, to]),
      [
        ['hello', undefined],
        ['hello', 'eve1'],
        ['hello', 'eve2'],
        ['bye', 'eve3'],
        ['bye', 'eve1'],
        ['bye', 'eve2'],
      ],
    );
    const bob = await join(t, build, rooms, { name: 'bob' });
    await bob.open('bind', 'webrtc:room');
    await alice.until('0 joined bob');
    assert.deepEqual(alice.log(), ['0 made', '0 joined bob']);
  });

  test(`asked for by C, ${build}`, async (t) => {
    const rooms = new Rooms();
    const peers = webrtc({ signalling: rooms.join, maxRetransmits: Number.POSITIVE_INFINITY });
    const { module, opened, all } = await loadProbe(
      build,
      {},
      { transports: { webrtc: peers, 'webrtc-stream': peers } },
    );
    t.after(() => module.close());
    module.call('probe_bind', module.loop, 'webrtc:room', 7);
    module.call('probe_bind', module.loop, 'webrtc:', 8);
    while (opened.length < 2) await new Promise(setImmediate);
    const results = new Map(
      opened.map(([context, transport, code]) => [context, [transport, code]]),
    );
    assert.equal(results.get(8)?.[1], -35);
    assert.ok(results.get(7)?.[0]);
    const player = await join(t, build, rooms);
    assert.equal(await player.open('connect', 'webrtc:room'), '');
    player.sendTo(0, null, 'hello');
    while (all[0].text !== 'hello') await new Promise(setImmediate);
    assert.deepEqual(all[0].calls, ['made', 'joined']);
  });
}

test('without node-datachannel', async () => {
  const hooks = `export function resolve(name, context, next) {
    if (name === 'node-datachannel') throw new Error('not found');
    return next(name, context);
  }`;
  const script = `
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    const { here, Rooms } = await import(${JSON.stringify(new URL('webrtc-places.js', import.meta.url).href)});
    const player = here(new Rooms(), 'wasi');
    await player.start();
    console.log(await player.open('bind', 'webrtc:room'));
    await player.stop();`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    script,
  ]);
  assert.match(stdout, /^ENOTSUP .*node-datachannel.*npm install/);
});

test('where there is no RTCPeerConnection', async () => {
  const page = await pages.open(new Rooms());
  const player = await page.player('wasi');
  await player.start();
  await page.page.evaluate(() => {
    /** @type {any} */ (globalThis).RTCPeerConnection = undefined;
  });
  assert.match(await player.open('connect', 'webrtc:room'), /^ENOTSUP .*no RTCPeerConnection/);
});
