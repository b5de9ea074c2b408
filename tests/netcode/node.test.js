// The module `netcode` in Node, both builds, against build/netcode over UDP.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HEIGHT, loadNetcode, WIDTH } from '../../demo/netcode.js';
import { load } from '../../js/node.js';
import { fromRoot } from '../adapters.js';
import { figures, inNode, listening, native } from './program.js';

/** @param {string} build @param {(netcode: Awaited<ReturnType<typeof loadNetcode>>) => Promise<void>} body */
async function withNetcode(build, body) {
  const netcode = await loadNetcode(load, fromRoot(`build/${build}/netcode.wasm`), {
    onerror: (error) => {
      throw error;
    },
  });
  try {
    await body(netcode);
  } finally {
    await netcode.close();
  }
}

for (const build of ['wasi', 'emscripten'])
  describe(build, () => {
    test('sends to a native one', () =>
      withNetcode(build, async (netcode) => {
        const alice = await listening('--name', 'alice');
        const player = await netcode.join(alice.address, { name: 'Zoë\n' });
        player.steer(WIDTH, -50);
        const [, name] = await alice.line(figures);
        assert.equal(name, 'Zo');
        const look = player.look();
        assert.ok(look && look.x > WIDTH / 2 && look.y < HEIGHT / 2);
        const [peer] = look.peers;
        assert.equal(look.peers.length, 1);
        assert.equal(peer.name, 'alice');
        assert.ok(peer.roundTrip >= 0 && peer.loss >= 0 && peer.jitter >= 0 && peer.number === 1);
        assert.ok(peer.x > 0 && peer.x < WIDTH && peer.y > 0 && peer.y < HEIGHT);
        player.leave();
        assert.equal(await player.closed, null);
        assert.equal(player.look(), null);
        player.steer(1, 1);
        alice.stop();
      }));

    test('is there for native ones', () =>
      withNetcode(build, async (netcode) => {
        const player = await netcode.join('udp://127.0.0.1:0', { bind: true, name: 'host' });
        const address = `udp://${player.transport.getExtraInfo('sockname')}`;
        const guests = ['one', 'two'].map((name) => native(address, '--name', name));
        for (const guest of guests) assert.equal((await guest.line(figures))[1], 'host');
        const names = player.look()?.peers.map(({ name }) => name);
        assert.deepEqual(names?.sort(), ['one', 'two']);
        for (const guest of guests) guest.stop();
      }));

    test('what cannot be joined', () =>
      withNetcode(build, async (netcode) => {
        await assert.rejects(netcode.join('nope:x'), { code: 'ESCHEME' });
        await assert.rejects(netcode.join('udp://127.0.0.1'), { code: 'EADDRESS' });
      }));
  });

test('the program: sends to a native one', async () => {
  const alice = await listening('--name', 'alice');
  const program = inNode(alice.address, '--name', 'node', '--seconds', '2');
  assert.equal((await program.line(figures))[1], 'alice');
  assert.equal((await alice.line(figures))[1], 'node');
  const { status, err } = await program.ended;
  assert.equal(status, 0, err);
  alice.stop();
});

test('the program: what is wrong is said', async () => {
  const wrong = await inNode('--fast').ended;
  assert.equal(wrong.status, 2);
  assert.match(wrong.err, /Try/);
  const { status, lines } = await inNode('--help').ended;
  assert.equal(status, 0);
  assert.match(lines[0], /^Usage: node demo\/netcode-node\.js/);
});
