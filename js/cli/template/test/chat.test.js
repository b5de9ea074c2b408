/** Both ends of the chat, joined in memory: no sockets, no waiting, the same every time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryNetwork } from 'towline';
import { loadChat } from '../src/chat.js';

const source = new URL('../build/chat.wasm', import.meta.url);

/**
 * A room, and a way into it.
 * @param {import('node:test').TestContext} t
 * @param {(error: Error) => void} [onerror]
 */
async function open(t, onerror) {
  const chat = await loadChat(source, { transports: { mem: new MemoryNetwork() }, onerror });
  t.after(() => chat.close());
  await chat.listen('mem:room');
  return async (/** @type {string} */ name) => {
    const { lines, ...visitor } = await chat.join('mem:room', name);
    const reader = lines.getReader();
    return { ...visitor, hears: async () => (await reader.read()).value };
  };
}

test('everyone hears what one says', async (t) => {
  const enter = await open(t);
  const ada = await enter('ada');
  assert.equal(await ada.hears(), 'ada has come');
  const grace = await enter('grace');
  assert.equal(await grace.hears(), 'ada is here');
  assert.equal(await grace.hears(), 'grace has come');
  assert.equal(await ada.hears(), 'grace has come');
  grace.say('hello, ada');
  assert.equal(await ada.hears(), 'grace: hello, ada');
  assert.equal(await grace.hears(), 'grace: hello, ada');
});

test('everyone is told who leaves', async (t) => {
  const enter = await open(t);
  const ada = await enter('ada');
  assert.equal(await ada.hears(), 'ada has come');
  const grace = await enter('grace');
  assert.equal(await ada.hears(), 'grace has come');
  grace.leave();
  assert.equal(await ada.hears(), 'grace has left');
});

test('several lines may come at once', async (t) => {
  const enter = await open(t);
  const ada = await enter('ada');
  assert.equal(await ada.hears(), 'ada has come');
  ada.say('one\ntwo');
  assert.equal(await ada.hears(), 'ada: one');
  assert.equal(await ada.hears(), 'ada: two');
});

test('a name that is too long is refused', async (t) => {
  const enter = await open(t);
  const nobody = await enter('a name of more than 24 letters');
  assert.equal(await nobody.hears(), undefined);
});

test('a line without an end is a failure of its own connection', async (t) => {
  /** @type {string[]} */
  const failures = [];
  const enter = await open(t, ({ message }) => failures.push(message));
  const ada = await enter('ada');
  assert.equal(await ada.hears(), 'ada has come');
  ada.say('a'.repeat(1000));
  assert.equal(await ada.hears(), undefined);
  assert.deepEqual(failures, ['buffer_updated(): a callback failed']);
});
