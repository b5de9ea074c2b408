// build/netcode: native to native over UDP.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figures, listening, native } from './program.js';

test('two see each other, and measure the way', async () => {
  const alice = await listening('--name', 'alice');
  const bob = native(alice.address, '--name', 'bob');
  const ends = [await alice.line(figures), await bob.line(figures)];
  alice.stop();
  bob.stop();
  for (const [i, [, name, rate, roundTrip, loss, , x, y]] of ends.entries()) {
    assert.equal(name, ['bob', 'alice'][i]);
    assert.ok(Number(rate) > 0 && Number(roundTrip) < 1000 && Number(loss) <= 100);
    assert.ok(Number(x) > 0 && Number(x) < 160 && Number(y) > 0 && Number(y) < 100);
  }
  for (const { ended } of [alice, bob]) assert.equal((await ended).status, 128 + 15);
});

test('many see each other, if they send to one who is there for all', async () => {
  const host = await listening();
  const names = ['one', 'two', 'three'];
  const guests = names.map((name) => native(host.address, '--name', name));
  for (const name of names) await host.line(new RegExp(`^${name} is there$`));
  for (const guest of guests) await guest.line(figures);
  host.stop();
  for (const guest of guests) await guest.line(/ is gone$/);
  for (const guest of guests) guest.stop();
});

test('--seconds: it leaves, and says whether anybody was heard', async () => {
  const alice = await listening('--seconds', '1');
  const { status, err } = await native(alice.address, '--seconds', '1').ended;
  assert.equal(status, 0, err);
  assert.equal((await alice.ended).status, 0);
  const alone = await native(alice.address, '--seconds', '1').ended;
  assert.equal(alone.status, 1);
  assert.match(alone.err, /nobody was heard/);
});

test('errors: each in words, with a status', async () => {
  const taken = await listening();
  /** @type {[string[], number, RegExp][]} */
  const cases = [
    [['--listen', taken.address], 1, /address already in use/],
    [['udp://127.0.0.1'], 1, /no port/],
    [['tcp://127.0.0.1:1'], 2, /not udp/],
    [[], 2, /one address is needed\nTry/],
    [['udp://127.0.0.1:1', '--listen', 'udp://127.0.0.1:0'], 2, /one address/],
    [['udp://127.0.0.1:1', '--seconds', '0'], 2, /not a number that is allowed/],
    [['udp://127.0.0.1:1', '--fast'], 2, /no such option/],
  ];
  for (const [options, status, words] of cases) {
    const result = await native(...options).ended;
    assert.match(result.err, words);
    assert.equal(result.status, status, result.err);
  }
  taken.stop();
  const { status, lines } = await native('--help').ended;
  assert.equal(status, 0);
  assert.match(lines[0], /^Usage: netcode --listen/);
});
