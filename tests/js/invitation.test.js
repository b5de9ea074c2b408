import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invitation } from '../../js/webrtc/invitation.js';
import { Letter } from '../../js/webrtc/letter.js';

/** @typedef {import('../../js/webrtc/signalling.js').Signalling} Signalling */

/**
 * A transport that says and hears what real ones do, about connections that are none. It is connected to those whose
 * description it has and who have its own.
 */
class Transport {
  /** What came, in order: 'type' or 'type text'. @type {string[]} */
  heard = [];
  /** @type {string[]} */
  peers = [];
  /** @type {string[]} */
  failures = [];
  /** Whether it ever knows all the ways to it. */
  gathers = true;

  /** @param {(room: string) => Signalling} join @param {string} name @param {object} [hello] */
  constructor(join, name, hello) {
    this.name = name;
    this.hello = { kind: 'datagram', role: 'peer', framing: 'refused', ...hello };
    this.signalling = join('room');
    this.signalling.receive(
      (text) => this.#take(JSON.parse(text)),
      ({ code }) => this.failures.push(code),
    );
    this.say(undefined, 'hello', this.hello);
  }

  /** @param {string | undefined} to @param {string} type @param {object} [more] */
  say(to, type, more) {
    this.signalling.send(JSON.stringify({ from: this.name, to, type, ...more }));
  }

  /** @param {any} message */
  #take({ from, to, type, sdp = '', candidate = '' }) {
    assert.equal(to, this.name);
    this.heard.push(`${type} ${sdp}${candidate}`.trim());
    if (type === 'hello') {
      this.say(from, 'hello', this.hello);
      if (this.name > from) this.#describe(from, 'offer');
    } else if (type === 'description') {
      if (this.name < from) this.#describe(from, 'answer');
      this.peers.push(from);
    }
  }

  /** @param {string} to @param {string} what */
  #describe(to, what) {
    this.say(to, 'description', { sdp: `${what} of ${this.name}` });
    for (const candidate of ['1', '2'])
      queueMicrotask(() => this.say(to, 'candidate', { candidate }));
    if (this.gathers) queueMicrotask(() => this.say(to, 'gathered'));
  }

  close() {
    this.signalling.close?.();
  }
}

for (const [host, guest, known] of [
  ['bob', 'alice', 'bob'],
  ['alice', 'bob', 'bob-host-1'],
])
  test(`${host} invites ${guest}: one text each way`, async () => {
    const [there, here] = [invitation(), invitation()];
    const inviting = there.invite(); // it may be called before
    const a = new Transport(there, host);
    const { text, accept } = await inviting;
    assert.match(text, /^towline:[\w-]+$/);
    const b = new Transport(here, guest);
    const answer = await here.answer(` ${text.slice(0, 40)}\r\n${text.slice(40)}\n`);
    assert.deepEqual(b.heard, [
      'hello',
      `description offer of ${host}`,
      'candidate 1',
      'candidate 2',
    ]);
    await accept(answer);
    assert.deepEqual(a.heard, [
      'hello',
      `description answer of ${guest}`,
      'candidate 1',
      'candidate 2',
    ]);
    assert.deepEqual([a.peers, b.peers], [['0-guest-1'], [known]]);
  });

test('one who invites several, and is invited by several', async () => {
  const there = invitation();
  const a = new Transport(there, 'host');
  const both = await Promise.all([there.invite(), there.invite()]);
  const others = ['anna', 'zoe'].map((name) => {
    const join = invitation();
    return { join, transport: new Transport(join, name) };
  });
  for (const [index, { text, accept }] of both.entries())
    await accept(await others[index].join.answer(text));
  assert.deepEqual(a.peers, ['0-guest-1', '0-guest-2']);
  assert.deepEqual(
    a.heard.filter((text) => text.startsWith('description')),
    ['description answer of anna', 'description answer of zoe'],
  );
  const [, zoe] = others;
  const third = invitation();
  new Transport(third, 'host');
  const { text, accept } = await third.invite();
  await accept(await zoe.join.answer(text));
  assert.deepEqual(zoe.transport.peers, ['zoe-host-1', 'zoe-host-2']);
});

test('a server invites a client, and a client a server', async () => {
  for (const [role, other] of [
    ['server', 'client'],
    ['client', 'server'],
  ]) {
    const [there, here] = [invitation(), invitation()];
    const a = new Transport(there, 'a', { kind: 'stream', role, framing: 'offered' });
    const b = new Transport(here, 'b', { kind: 'stream', role: other, framing: 'offered' });
    const { text, accept } = await there.invite();
    await accept(await here.answer(text));
    assert.deepEqual([a.peers, b.peers], [['0-guest-1'], ['b-host-1']]);
  }
});

test('an invitation to something else', async () => {
  const stream = { kind: 'stream', role: 'server', framing: 'offered' };
  for (const [theirs, mine] of [
    [{}, { kind: 'stream', role: 'client' }],
    [stream, { ...stream }],
    [stream, { ...stream, role: 'client', framing: 'refused' }],
    [
      { ...stream, framing: 'refused' },
      { ...stream, role: 'client', framing: 'demanded' },
    ],
  ]) {
    const [there, here] = [invitation(), invitation()];
    new Transport(there, 'a', theirs);
    new Transport(here, 'b', mine);
    const { text } = await there.invite();
    await assert.rejects(here.answer(text), { name: 'TowlineError', code: 'EINVAL' });
  }
});

test('framing is settled by who invites', async () => {
  for (const [framing, decided] of [
    ['offered', 'demanded'],
    ['demanded', 'demanded'],
    ['refused', 'refused'],
  ]) {
    const there = invitation();
    new Transport(there, 'a', { framing });
    const { text } = await there.invite();
    const { messages } = await Letter.read(text, 'invitation');
    assert.equal(messages[0].framing, decided);
  }
});

test('an answer is accepted once, and by who asked for it', async () => {
  const [there, here] = [invitation(), invitation()];
  const a = new Transport(there, 'a');
  new Transport(here, 'b');
  const [first, second] = await Promise.all([there.invite(), there.invite()]);
  const answer = await here.answer(first.text);
  await assert.rejects(second.accept(answer), { code: 'EPROTO', message: /another invitation/ });
  await assert.rejects(first.accept(first.text), { code: 'EPROTO', message: 'this is no answer' });
  await first.accept(answer);
  await assert.rejects(first.accept(answer), { code: 'EINVAL' });
  assert.equal(a.peers.length, 1);
  await assert.rejects(there.answer(answer), { code: 'EPROTO', message: 'this is no invitation' });
});

test('when who waits gives up, all that depends on it fails', async () => {
  const [there, here] = [invitation(), invitation()];
  const a = new Transport(there, 'a');
  const { text, accept } = await there.invite();
  const b = new Transport(here, 'b');
  const answer = await here.answer(text);
  a.gathers = false;
  const unfinished = [there.invite(), there.invite()];
  while (a.heard.filter((text) => text === 'hello').length < 3) await Promise.resolve();
  a.say('0-guest-2', 'bye');
  await assert.rejects(unfinished[0], { code: 'ECLOSED' });
  a.close();
  a.close();
  await assert.rejects(unfinished[1], { code: 'ECLOSED' });
  await assert.rejects(accept(answer), { code: 'ECLOSED' });
  b.close();
  a.say(undefined, 'hello');
  b.say(undefined, 'hello');
  const later = new Transport(there, 'later');
  a.close();
  const next = await there.invite();
  assert.equal((await Letter.read(next.text, 'invitation')).from, 'later');
  later.close();
});

test('one at a time', () => {
  const join = invitation();
  const transport = new Transport(join, 'a');
  assert.throws(() => join('room'), { name: 'TowlineError', code: 'EINVAL' });
  transport.close();
  new Transport(join, 'b').close();
});

test('names that it cannot be done with', async () => {
  const there = invitation();
  new Transport(there, '0-');
  await assert.rejects(there.invite(), { code: 'EINVAL' });
  const [inviting, here] = [invitation(), invitation()];
  new Transport(inviting, 'a');
  new Transport(here, 'b'.repeat(31));
  const { text } = await inviting.invite();
  await assert.rejects(here.answer(text), { code: 'EINVAL' });
});

test('who looks for somebody by name is told that there is none', async () => {
  const transport = new Transport(invitation(), 'a');
  transport.say('b', 'hello');
  assert.deepEqual(transport.failures, []);
  await Promise.resolve();
  assert.deepEqual(transport.failures, ['EADDRESS']);
});

/** As a letter is written, whatever it says. @param {unknown} value */
async function pack(value) {
  const stream = new Blob([JSON.stringify(value)])
    .stream()
    .pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = Buffer.from(await new Response(stream).arrayBuffer());
  return `towline:${bytes.toString('base64url')}`;
}

test('letters: what was pasted wrongly', async () => {
  const messages = [{ type: 'hello' }];
  const whole = { kind: 'invitation', id: 'a', from: 'b', messages };
  assert.deepEqual({ ...(await Letter.read(await pack(whole), 'invitation')) }, whole);
  for (const value of [
    null,
    {},
    { ...whole, kind: 'other' },
    { ...whole, id: 1 },
    { ...whole, from: '<b>' },
    { ...whole, messages: 'hello' },
    { ...whole, messages: [] },
    { ...whole, messages: [{ type: 'description' }] },
    { ...whole, messages: [...messages, null] },
    { ...whole, messages: [...messages, { type: 'bye' }] },
    { ...whole, messages: Array(129).fill(messages[0]) },
    { ...whole, more: 'a'.repeat(70000) },
  ])
    await assert.rejects(Letter.read(await pack(value), 'invitation'), { code: 'EPROTO' });
  const text = await pack(whole);
  for (const wrong of ['', 'hello', text.slice(8), text.slice(0, -9), `${text}!`, 'towline:AAAA'])
    await assert.rejects(Letter.read(wrong, 'invitation'), {
      name: 'TowlineError',
      code: 'EPROTO',
      message: 'this is no invitation',
    });
  const long = `towline:${'A'.repeat(65537)}`;
  await assert.rejects(Letter.read(long, 'invitation'), { code: 'EPROTO' });
});
