/** Datagrams and streams over WebRTC, between Node and Chromium each way, with both builds. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { here, inProcess, Pages, Rooms } from './webrtc-places.js';

/** @typedef {import('./webrtc-player.js').Player} Player */
/** @typedef {'node' | 'chromium'} Place */

const rooms = new Rooms();
const pages = new Pages();
after(() => pages.close());
/** One page for each build. @type {Map<string, ReturnType<Pages['open']>>} */
const opened = new Map();
let count = 0;

/** @param {Place} place @param {string} build */
async function playerAt(place, build) {
  if (place === 'node') return here(rooms, build);
  const page = opened.get(build) ?? pages.open(rooms);
  opened.set(build, page);
  return (await page).player(build);
}

/** A page, or a process, that will be killed. @param {Place} place @param {string} build */
async function mortalAt(place, build) {
  if (place === 'chromium') {
    const page = await pages.open(rooms);
    return { player: await page.player(build), kill: () => page.close() };
  }
  const { player, child } = await inProcess(rooms, build);
  return { player, kill: () => void child.kill('SIGKILL') };
}

/** Nothing gets lost but by a test's wish. */
const reliable = { maxRetransmits: Number.POSITIVE_INFINITY };
const MAXIMUM = 262144;

/** @type {[Place, string][][]} */
const pairs = [
  [
    ['node', 'wasi'],
    ['node', 'emscripten'],
  ],
  [
    ['chromium', 'wasi'],
    ['node', 'emscripten'],
  ],
  [
    ['node', 'wasi'],
    ['chromium', 'emscripten'],
  ],
  [
    ['chromium', 'wasi'],
    ['chromium', 'emscripten'],
  ],
];

for (const [one, two] of pairs) {
  describe(`${one.join(' ')} and ${two.join(' ')}`, () => {
    /**
     * Two players, and a room for them that they leave.
     * @param {import('node:test').TestContext} t
     * @param {object} [options]
     */
    async function scene(t, options = {}) {
      const room = `room-${++count}`;
      /** @type {Player[]} */
      const players = [];
      /** @param {[Place, string]} where @param {string} name */
      const join = async (where, name) => {
        const player = await playerAt(...where);
        players.push(player);
        await player.start({ ...reliable, name, ...options });
        return player;
      };
      t.after(async () => {
        for (const player of players) await player.stop();
        await rooms.empty(room);
      });
      const [alice, bob] = [await join(one, 'alice'), await join(two, 'bob')];
      return { room, alice, bob, join };
    }

    /** The same with a stream, of which bob is the server. @param {import('node:test').TestContext} t @param {object} [options] */
    async function stream(t, options = {}) {
      const all = await scene(t);
      const { room, alice, bob } = all;
      assert.equal(await bob.open('listen', `webrtc-stream:${room}`, options), '');
      assert.equal(await alice.open('connect', `webrtc-stream:${room}`, options), '');
      await bob.until('0 made');
      return all;
    }

    test('D1, D3, D7: datagrams both ways, peers that come and go', async (t) => {
      const { room, alice, bob } = await scene(t);
      assert.equal(await alice.open('bind', `webrtc:${room}`), '');
      assert.equal(await bob.open('bind', `webrtc:${room}`), '');
      await alice.until('0 joined bob');
      await bob.until('0 joined alice');
      for (const [player, other] of /** @type {[Player, string][]} */ ([
        [alice, 'bob'],
        [bob, 'alice'],
      ]))
        for (const what of ['hello', '', MAXIMUM, MAXIMUM + 1, 'after'])
          assert.equal(await player.sendTo(0, other, what), 0);
      assert.equal(await alice.sendTo(0, 'nobody', 'x'), 0);
      assert.equal(await alice.sendTo(0, 'no name', 'x'), -1000);
      await alice.until('0 error EMSGSIZE bob');
      await alice.until('0 error EHOSTUNREACH nobody');
      for (const [player, other] of /** @type {[Player, string][]} */ ([
        [alice, 'bob'],
        [bob, 'alice'],
      ]))
        for (const what of ['hello', '', `#${MAXIMUM}`, 'after'])
          await player.until(`0 datagram ${other} ${what}`);
      assert.equal(await alice.info(0, 'sockname'), 'alice');
      assert.equal(await alice.info(0, 'peername'), undefined);
      assert.equal(await alice.info(0, 'state bob'), 'connected');
      assert.equal(await alice.info(0, 'state nobody'), undefined);
      await alice.close(0);
      await alice.until('0 lost');
      await bob.until('0 error ECLOSED alice');
      assert.equal(await bob.sendTo(0, 'alice', 'x'), 0);
      await bob.until('0 error EHOSTUNREACH alice');
      assert.equal(await alice.open('bind', `webrtc:${room}`), '');
      await bob.until('0 joined alice', 2);
      await alice.until('1 joined bob');
    });

    test('D4: what was sent before close arrives', async (t) => {
      const { room, alice, bob } = await scene(t);
      await alice.open('bind', `webrtc:${room}`);
      await bob.open('bind', `webrtc:${room}`);
      await alice.until('0 joined bob');
      await bob.until('0 joined alice');
      for (let i = 0; i < 8; i++) await alice.sendTo(0, 'bob', MAXIMUM - i);
      await alice.close(0);
      await bob.until('0 error ECLOSED alice');
      const got = (await bob.log()).filter((line) => line.startsWith('0 datagram'));
      assert.equal(got.length, 8);
    });

    test('three in a room, and others elsewhere', async (t) => {
      const { room, alice, bob, join } = await scene(t);
      const carol = await join(one, 'carol');
      const dave = await join(two, 'dave');
      await dave.open('bind', `webrtc:${room}-not`);
      t.after(() => rooms.empty(`${room}-not`));
      const three = { alice, bob, carol };
      for (const player of Object.values(three)) await player.open('bind', `webrtc:${room}`);
      for (const [name, player] of Object.entries(three))
        for (const other of Object.keys(three).filter((other) => other !== name)) {
          await player.until(`0 joined ${other}`);
          await player.sendTo(0, other, `for ${other}`);
        }
      for (const [name, player] of Object.entries(three))
        for (const other of Object.keys(three).filter((other) => other !== name))
          await player.until(`0 datagram ${other} for ${name}`);
      assert.deepEqual(await dave.log(), ['0 made']);
    });

    test('D2: a connected endpoint, to a peer that is named or the first there is', async (t) => {
      const { room, alice, bob, join } = await scene(t);
      const carol = await join(two, 'carol');
      await carol.open('bind', `webrtc:${room}`);
      await bob.open('bind', `webrtc:${room}`);
      await bob.until('0 joined carol');
      assert.equal(await alice.open('connect', `webrtc:${room}/bob`), '');
      await alice.until('0 joined bob');
      assert.equal(await alice.info(0, 'peername'), 'bob');
      assert.equal(await alice.sendTo(0, null, 'hello'), 0);
      assert.equal(await alice.sendTo(0, 'bob', 'again'), 0);
      assert.equal(await alice.sendTo(0, 'carol', 'no'), -2);
      assert.equal(await alice.sendTo(0, null, MAXIMUM + 1), 0);
      await alice.until('0 error EMSGSIZE bob');
      await bob.until('0 datagram alice again');
      await bob.close(0);
      await alice.until('0 error ECLOSED bob');
      await alice.sendTo(0, null, 'x');
      await alice.until('0 error EHOSTUNREACH bob');
      await bob.open('bind', `webrtc:${room}`);
      await alice.until('0 joined bob', 2);
      await bob.until('1 joined alice');
      assert.equal(await alice.open('connect', `webrtc:${room}`, { name: 'eve' }), '');
      assert.match((await alice.info(1, 'peername')) ?? '', /alice|bob|carol/);
      assert.ok(!(await carol.log()).includes('0 joined alice'));
    });

    test('D7: a peer that is killed', async (t) => {
      const { room, alice } = await scene(t, { patience: 50 });
      const { player, kill } = await mortalAt(...two);
      await player.start({ name: 'mortal' });
      await alice.open('bind', `webrtc:${room}`);
      await player.open('bind', `webrtc:${room}`);
      await alice.until('0 joined mortal');
      await kill();
      assert.match(await alice.untilMatch('^0 error .* mortal$'), /ECLOSED|ECONNRESET/);
    });

    for (const framing of ['offered', 'refused']) {
      const framed = framing === 'offered';

      test(`a stream, framing ${framing}: bytes both ways, and an end`, async (t) => {
        const { alice, bob } = await stream(t, { framing });
        assert.equal(await alice.info(0, 'subprotocol'), framed ? 'towline.1' : 'towline.0');
        assert.equal(await alice.info(0, 'peername'), 'bob');
        await bob.behave({ reply: true, halfOpen: true });
        await alice.write(0, 'hello');
        await alice.got(0, 5);
        assert.equal(await alice.text(0), 'hello');
        assert.equal(await alice.writeEof(0), framed ? 0 : -4);
        if (!framed) await alice.close(0);
        await bob.until('0 eof');
        if (framed) {
          await bob.write(0, ' you');
          await alice.got(0, 9);
          await bob.close(0);
          await alice.until('0 eof');
          assert.equal(await alice.text(0), 'hello you');
        }
        await alice.until('0 lost');
        await bob.until('0 lost');
      });

      test(`E4: close loses nothing, framing ${framing}`, async (t) => {
        const { alice, bob } = await stream(t, { framing });
        await alice.writePattern(0, 0, 4 << 20);
        await alice.close(0);
        await alice.until('0 lost');
        await bob.until('0 lost');
        const { size, wrong } = await bob.got(0, 4 << 20);
        assert.deepEqual([size, wrong], [4 << 20, -1]);
      });

      test(`E5: abort, framing ${framing}`, async (t) => {
        const { room, alice, bob } = await stream(t, { framing });
        await alice.end(0, 'abort', 4000, 'why');
        await alice.until('0 lost');
        await bob.until(framed ? '0 lost ECONNRESET 4000' : '0 lost');
        assert.equal(await alice.open('connect', `webrtc-stream:${room}`, { framing }), '');
        await bob.until('1 made');
        await alice.writePattern(1, 0, 1 << 20);
        await alice.end(1, 'abort');
        await alice.until('1 lost');
        await bob.untilMatch('^1 lost');
      });
    }

    test('R1: pause_reading holds the sender, with framing', async (t) => {
      const { alice, bob } = await stream(t);
      await bob.pause(0);
      let held = 0;
      let sent = 0;
      for (; held < 262144; sent += 65536) held = await alice.writePattern(0, sent, 65536);
      await alice.until('0 pauseWriting');
      assert.ok(sent < 4 << 20, `${sent} bytes were taken`);
      await bob.resume(0);
      assert.deepEqual((await bob.got(0, sent)).wrong, -1);
      await alice.until('0 resumeWriting');
    });

    test('D1, F2: many at full speed, none damaged, none twice', async (t) => {
      const { room, alice, bob } = await scene(t);
      await alice.open('bind', `webrtc:${room}`);
      await bob.open('bind', `webrtc:${room}`);
      await alice.until('0 joined bob');
      await bob.behave({ tally: true });
      await alice.flood('bob', 3000, 1000);
      assert.deepEqual(await bob.counted(100, 3000), { come: 3000, twice: 0, damaged: 0 });
    });

    test('F2, R1: much to a slow reader', async (t) => {
      const { alice, bob } = await stream(t);
      await bob.behave({ rest: 1 });
      await alice.pour(0, 4e6);
      await alice.close(0);
      assert.equal((await bob.got(0, 4e6)).wrong, -1);
      await bob.until('0 lost');
    });

    test('several clients of one server', async (t) => {
      const { room, alice, bob, join } = await stream(t);
      await bob.behave({ reply: true });
      const carol = await join(one, 'carol');
      assert.equal(await carol.open('connect', `webrtc-stream:${room}/bob`), '');
      await bob.until('1 made'); // a server that is closed before has not accepted it
      assert.equal(await bob.info(0, 'sockname'), 'bob');
      await bob.end(0, 'close');
      await alice.write(0, 'from alice');
      await carol.write(0, 'from carol');
      assert.equal((await alice.got(0, 10)).text, 'from alice');
      assert.equal((await carol.got(0, 10)).text, 'from carol');
      const late = await carol.open('connect', `webrtc-stream:${room}`, { timeout: 200 });
      assert.match(late, /^ETIMEDOUT/);
    });

    test('a peer that is killed ends the stream with an error', async (t) => {
      const { room, alice } = await scene(t, { patience: 50 });
      const { player, kill } = await mortalAt(...two);
      await player.start({ name: 'mortal' });
      assert.equal(await alice.open('listen', `webrtc-stream:${room}`), '');
      assert.equal(await player.open('connect', `webrtc-stream:${room}`), '');
      await alice.until('0 made');
      await kill();
      await alice.until('0 lost ECONNRESET');
    });

    test('O1: nobody answers: cancelled, and timed out', async (t) => {
      const { room, alice } = await scene(t);
      for (const address of [`webrtc:${room}`, `webrtc-stream:${room}`, `webrtc:${room}/bob`]) {
        assert.match(await alice.open('connect', address, { timeout: 50 }), /^ETIMEDOUT/);
        assert.match(await alice.open('connect', address, { cancelAfter: 50 }), /^ECANCELED/);
      }
      assert.deepEqual(await alice.log(), []);
    });
  });
}

test('T5: module.close leaves nothing behind, and the process exits', async () => {
  const room = `room-${++count}`;
  const { player, child } = await inProcess(rooms, 'wasi');
  const other = here(rooms, 'emscripten');
  await player.start({ name: 'leaver' });
  await other.start({ name: 'other' });
  assert.equal(await other.open('listen', `webrtc-stream:${room}`), '');
  assert.equal(await other.open('bind', `webrtc:${room}`), '');
  assert.equal(await player.open('bind', `webrtc:${room}`), '');
  assert.equal(await player.open('connect', `webrtc-stream:${room}`), '');
  await other.until('0 joined leaver');
  const exited = once(child, 'exit');
  await player.stop();
  assert.deepEqual(await exited, [0, null]);
  await other.until('0 error ECLOSED leaver');
  await other.stop();
  await rooms.empty(room);
});
