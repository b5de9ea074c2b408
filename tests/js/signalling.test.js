import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { Rendezvous } from '../../js/rendezvous.js';
import { broadcastChannel } from '../../js/webrtc/broadcast-channel.js';
import { rendezvous } from '../../js/webrtc/rendezvous-client.js';
import { signallingOver, TEXT_LIMIT, WAITING_LIMIT } from '../../js/webrtc/signalling.js';
import { openBrowser } from '../browser.js';

/** @typedef {import('node:test').TestContext} TestContext */
/** @typedef {import('../../js/webrtc/signalling.js').Signalling} Signalling */
/** @typedef {import('../../js/errors.js').TowlineError} TowlineError */

/** What comes of a signalling, and how it fails. @param {Signalling} signalling */
function listen(signalling) {
  /** @type {string[]} */
  const texts = [];
  /** @type {TowlineError[]} */
  const errors = [];
  let wake = () => {};
  const happened = () => new Promise((resolve) => (wake = () => resolve(undefined)));
  signalling.receive(
    (text) => {
      texts.push(text);
      wake();
    },
    (error) => {
      errors.push(error);
      wake();
    },
  );
  return {
    texts,
    errors,
    async next() {
      while (texts.length === 0) await happened();
      return /** @type {string} */ (texts.shift());
    },
    async failed() {
      while (errors.length === 0) await happened();
      return errors[0].code;
    },
  };
}

const hello = (/** @type {string} */ from) => JSON.stringify({ from, type: 'hello' });

// ---- Over a pair of byte streams ----

/** A pair whose other end a test plays. */
function pair() {
  const incoming = new TransformStream(undefined, undefined, { highWaterMark: 100 });
  const outgoing = new TransformStream(undefined, undefined, { highWaterMark: 100 });
  return {
    pair: { readable: incoming.readable, writable: outgoing.writable },
    write: incoming.writable.getWriter(),
    read: outgoing.readable.getReader(),
  };
}

const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);

test('lines: each text is one, wherever the pieces end', async () => {
  const { pair: ends, write, read } = pair();
  const signalling = signallingOver(ends);
  const heard = listen(signalling);
  const all = bytes('{"a":"é"}\n\n{"b":1}\n{"c"');
  for (const byte of all) write.write(Uint8Array.of(byte));
  assert.equal(await heard.next(), '{"a":"é"}');
  assert.equal(await heard.next(), '{"b":1}');
  write.write(bytes(':2}\n{"d":3}\n'));
  assert.equal(await heard.next(), '{"c":2}');
  assert.equal(await heard.next(), '{"d":3}');
  signalling.send('{\n"e": 4}');
  assert.deepEqual((await read.read()).value, bytes('{ "e": 4}\n'));
});

test('lines: one over the limit ends it, whole or not, and those before it were taken', async () => {
  for (const last of ['123456789\n{}\n', '123456789']) {
    const { pair: ends, write, read } = pair();
    const heard = listen(signallingOver(ends, { limit: 8 }));
    write.write(bytes(`12345678\n${last}`)).catch(() => {});
    assert.equal(await heard.failed(), 'EOVERFLOW');
    assert.deepEqual(heard.texts, ['12345678']);
    await assert.rejects(write.closed, { code: 'EOVERFLOW' });
    await assert.rejects(read.closed, { code: 'EOVERFLOW' });
  }
});

test('lines: the end, and a failure', async () => {
  for (const [code, act] of /** @type {const} */ ([
    ['ECLOSED', 'close'],
    ['EIO', 'abort'],
  ])) {
    const { pair: ends, write } = pair();
    const signalling = signallingOver(ends);
    const heard = listen(signalling);
    write[act]();
    assert.equal(await heard.failed(), code);
    signalling.send('{}');
    signalling.close?.();
  }
});

test('lines: what cannot be sent is bounded, and fails outside of send', async () => {
  const { readable } = new TransformStream();
  const writable = new WritableStream({ write: () => new Promise(() => {}) });
  const signalling = signallingOver({ readable, writable });
  const heard = listen(signalling);
  signalling.send('a'.repeat(WAITING_LIMIT - 1));
  signalling.send('');
  assert.equal(heard.errors.length, 0);
  assert.equal(await heard.failed(), 'EOVERFLOW');
  assert.match(heard.errors[0].message, /wait/);
});

test('lines: what has left makes room', async () => {
  const { pair: ends, read } = pair();
  const signalling = signallingOver(ends);
  const heard = listen(signalling);
  for (let times = 0; times < 3; times++) {
    signalling.send('a'.repeat(WAITING_LIMIT - 1));
    assert.equal((await read.read()).value?.length, WAITING_LIMIT);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(heard.errors.length, 0);
});

test('lines: close sends what was said, and is silent', async () => {
  const { pair: ends, write, read } = pair();
  const signalling = signallingOver(ends);
  const heard = listen(signalling);
  signalling.send('{"type":"bye"}');
  signalling.close?.();
  signalling.close?.();
  signalling.send('{"type":"late"}');
  assert.deepEqual((await read.read()).value, bytes('{"type":"bye"}\n'));
  assert.equal((await read.read()).done, true);
  assert.equal(await write.closed.catch(() => 'nobody reads'), 'nobody reads');
  assert.deepEqual([heard.texts, heard.errors], [[], []]);
});

test('lines: over a TCP connection', async (t) => {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  const ends = /** @type {any} */ (Duplex.toWeb(net.connect(port, '127.0.0.1')));
  const signalling = signallingOver(ends);
  const heard = listen(signalling);
  signalling.send(hello('a'));
  assert.equal(await heard.next(), hello('a'));
  signalling.close?.();
});

// ---- BroadcastChannel ----

test('BroadcastChannel: all others in the room, and what was said before close', async () => {
  const [a, b, c] = ['room', 'room', 'other'].map(broadcastChannel());
  const [heardA, heardB, heardC] = [a, b, c].map(listen);
  a.send(hello('a'));
  a.send('a'.repeat(TEXT_LIMIT + 1));
  a.send('{"type":"bye"}');
  a.close?.();
  a.send('late');
  assert.equal(await heardB.next(), hello('a'));
  assert.equal(await heardB.next(), '{"type":"bye"}');
  assert.deepEqual([heardA.texts, heardC.texts], [[], []]);
  b.close?.();
  c.close?.();
});

test('what is no room is none anywhere', () => {
  for (const room of ['', '..', 'a/b', 'ä', 'a'.repeat(65)])
    for (const signalling of [broadcastChannel(), rendezvous('ws://localhost')])
      assert.throws(() => signalling(room), { name: 'TowlineError', code: 'EADDRESS' });
  for (const url of ['http://localhost', 'ws://', 'ws://a?b', 'ws://a b', 'localhost'])
    assert.throws(() => rendezvous(url), { name: 'TowlineError', code: 'EADDRESS' });
});

// ---- A rendezvous ----

test('rendezvous: two find each other, and what is sent too early waits', async (t) => {
  const server = new Rendezvous();
  t.after(() => server.close());
  const signalling = rendezvous(await server.listening);
  const a = signalling('room');
  const heardA = listen(a);
  a.send(hello('a'));
  a.send('{"from":"a","to":"a","type":"x"}');
  const b = signalling('room');
  const heardB = listen(b);
  b.send(hello('b'));
  const greeting = await Promise.race([heardA.next(), heardB.next()]);
  assert.ok([hello('a'), hello('b')].includes(greeting));
  b.send('{"from":"b","to":"a","type":"bye"}');
  b.close?.();
  while ((await heardA.next()) !== '{"from":"b","to":"a","type":"bye"}');
  assert.equal(await heardA.next(), '{"from":"b","type":"left"}');
  a.close?.();
});

test('rendezvous: one that comes back is found again', async (t) => {
  const first = new Rendezvous();
  const address = await first.listening;
  /** @type {string[]} */
  const codes = [];
  const onerror = (/** @type {TowlineError} */ { code, native }) => codes.push(`${code} ${native}`);
  const a = rendezvous(address, { firstPause: 1, longestPause: 1, onerror })('room');
  t.after(() => a.close?.());
  const heard = listen(a);
  a.send(hello('a'));
  const b = rendezvous(address, { firstPause: 1, longestPause: 1 })('room');
  t.after(() => b.close?.());
  const heardB = listen(b);
  b.send(hello('b'));
  await Promise.race([heard.next(), heardB.next()]);
  await first.close();
  const second = new Rendezvous({ port: Number(new URL(address).port) });
  t.after(() => second.close());
  await Promise.race([heard.next(), heardB.next()]);
  assert.equal(codes[0], 'ECLOSED 1001');
  assert.ok(codes.slice(1).every((code) => code === 'ECONNREFUSED 1006'));
  assert.equal(heard.errors.length, 0);
});

test('rendezvous: being at fault is the end', async (t) => {
  const server = new Rendezvous();
  t.after(() => server.close());
  /** @type {string[]} */
  const told = [];
  const onerror = (/** @type {TowlineError} */ { message }) => told.push(message);
  const a = rendezvous(await server.listening, { onerror })('room');
  const heard = listen(a);
  a.send('wrong');
  assert.equal(await heard.failed(), 'ECLOSED');
  assert.equal(heard.errors[0].native, 1008);
  assert.match(told.join(), /room: not a message$/);
  a.send('more');
  a.close?.();
});

/** A WebSocket that a test opens and closes. */
class FakeWebSocket {
  /** @type {FakeWebSocket[]} */
  static all = [];
  static get last() {
    return /** @type {FakeWebSocket} */ (FakeWebSocket.all.at(-1));
  }
  readyState = 0;
  bufferedAmount = 0;
  isClosed = false;
  /** @type {string[]} */
  sent = [];
  /** @type {any} */ onopen = null;
  /** @type {any} */ onmessage = null;
  /** @type {any} */ onclose = null;
  /** @type {any} */ onerror = null;
  constructor() {
    FakeWebSocket.all.push(this);
  }
  open() {
    this.readyState = 1;
    this.onopen({});
  }
  /** @param {number} code */
  lose(code = 1006) {
    this.readyState = 3;
    this.onerror({});
    this.onclose({ code, reason: '' });
  }
  /** @param {string} text */
  send(text) {
    assert.equal(this.readyState, 1);
    this.sent.push(text);
  }
  close() {
    this.isClosed = true;
  }
}

/** @param {TestContext} t */
function fake(t) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(Math, 'random', () => 0);
  FakeWebSocket.all = [];
  const onerror = t.mock.fn();
  const signalling = rendezvous('ws://x', {
    WebSocket: FakeWebSocket,
    onerror,
    firstPause: 10,
    longestPause: 35,
  })('room');
  return { signalling, heard: listen(signalling), onerror };
}

test('rendezvous: pauses grow up to the longest, and begin anew when something was heard', (t) => {
  const { signalling, onerror } = fake(t);
  let times = 1;
  for (const pause of [10, 20, 35, 35]) {
    FakeWebSocket.last.lose();
    t.mock.timers.tick(pause - 1);
    assert.equal(FakeWebSocket.all.length, times);
    t.mock.timers.tick(1);
    assert.equal(FakeWebSocket.all.length, ++times);
  }
  assert.deepEqual(
    onerror.mock.calls.map(({ arguments: [{ code }] }) => code),
    Array(4).fill('ECONNREFUSED'),
  );
  FakeWebSocket.last.open();
  FakeWebSocket.last.onmessage({ data: '{}' });
  FakeWebSocket.last.lose();
  assert.equal(onerror.mock.calls[4].arguments[0].code, 'ECLOSED');
  t.mock.timers.tick(10);
  assert.equal(FakeWebSocket.all.length, 6);
  FakeWebSocket.last.lose();
  signalling.close?.();
  t.mock.timers.tick(1000);
  assert.equal(FakeWebSocket.all.length, 6);
});

test('rendezvous: the first text is said again, and what was said meanwhile after it', (t) => {
  const { signalling } = fake(t);
  for (const text of ['hello', 'more']) signalling.send(text);
  FakeWebSocket.last.open();
  signalling.send('at once');
  assert.deepEqual(FakeWebSocket.last.sent, ['hello', 'more', 'at once']);
  FakeWebSocket.last.lose();
  signalling.send('meanwhile');
  t.mock.timers.tick(10);
  FakeWebSocket.last.open();
  assert.deepEqual(FakeWebSocket.last.sent, ['hello', 'meanwhile']);
  signalling.close?.();
});

test('rendezvous: what waits is bounded, open or not', async (t) => {
  const closed = fake(t);
  for (let times = 0; times < 5; times++) closed.signalling.send('a'.repeat(WAITING_LIMIT / 4));
  assert.equal(closed.heard.errors.length, 0);
  assert.equal(await closed.heard.failed(), 'EOVERFLOW');
  assert.equal(FakeWebSocket.last.isClosed, true);
  assert.equal(closed.onerror.mock.callCount(), 1);
  t.mock.timers.reset();
  t.mock.restoreAll();
  const open = fake(t);
  FakeWebSocket.last.open();
  FakeWebSocket.last.bufferedAmount = WAITING_LIMIT + 1;
  open.signalling.send('a');
  assert.equal(await open.heard.failed(), 'EOVERFLOW');
});

test('rendezvous: only texts of a bearable length are heard, and none after close', (t) => {
  const { signalling, heard } = fake(t);
  const socket = FakeWebSocket.last;
  socket.open();
  for (const data of [new ArrayBuffer(3), 'a'.repeat(TEXT_LIMIT + 1), 'a'])
    socket.onmessage({ data });
  assert.deepEqual(heard.texts, ['a']);
  signalling.close?.();
  assert.deepEqual([socket.isClosed, socket.onmessage, socket.onclose], [true, null, null]);
  signalling.send('late');
  assert.deepEqual(socket.sent, []);
});

for (const [code, isFinal] of /** @type {[number, boolean][]} */ ([
  [1000, false],
  [1001, false],
  [1006, false],
  [1011, false],
  [1013, false],
  [1002, true],
  [1003, true],
  [1007, true],
  [1008, true],
  [1009, true],
]))
  test(`rendezvous: closed with ${code} it ${isFinal ? 'ends' : 'tries again'}`, async (t) => {
    const { signalling, heard } = fake(t);
    FakeWebSocket.last.open();
    FakeWebSocket.last.lose(code);
    t.mock.timers.tick(10);
    assert.equal(FakeWebSocket.all.length, isFinal ? 1 : 2);
    await Promise.resolve();
    assert.equal(heard.errors.length, isFinal ? 1 : 0);
    signalling.close?.();
  });

test('rendezvous: a WebSocket that cannot be made is the end', async () => {
  class Refused {
    constructor() {
      throw new Error('not from here');
    }
  }
  const heard = listen(rendezvous('ws://x', { WebSocket: Refused })('room'));
  assert.equal(await heard.failed(), 'EADDRESS');
});

// ---- In Chromium ----

/** In a page: joins, greets, and answers what comes until `count` texts have come. */
async function play(/** @type {any} */ { file, maker, values, name, count }) {
  const make = (await import(new URL(file, location.href).href))[maker];
  /** @type {string[]} */
  const texts = [];
  const signalling = make(...values)('room');
  await new Promise((resolve) => {
    signalling.receive((/** @type {string} */ text) => {
      texts.push(text);
      const { from, to } = JSON.parse(text);
      if (to === undefined)
        signalling.send(JSON.stringify({ from: name, to: from, type: 'hello' }));
      if (texts.length === count) resolve(0);
    });
    signalling.send(JSON.stringify({ from: name, type: 'hello' }));
  });
  signalling.close();
  return texts;
}

describe('in Chromium', () => {
  /** @type {Awaited<ReturnType<typeof openBrowser>>} */
  let browser;
  /** @type {import('playwright-core').Page[]} */
  let pages;
  before(async () => {
    browser = await openBrowser();
    const popup = browser.page.waitForEvent('popup');
    await browser.page.evaluate(() => void window.open(location.href));
    pages = [browser.page, await popup];
    await pages[1].waitForLoadState();
  });
  after(() => browser?.close());

  test('BroadcastChannel between two pages', async () => {
    const task = { file: '/js/webrtc/broadcast-channel.js', maker: 'broadcastChannel', values: [] };
    const [one, two] = await Promise.all(
      pages.map((page, index) => page.evaluate(play, { ...task, name: `page${index}`, count: 1 })),
    );
    const all = [...one, ...two].map((text) => JSON.parse(text).type);
    assert.deepEqual(all, ['hello', 'hello']);
  });

  test('a rendezvous between a page and Node', async (t) => {
    const server = new Rendezvous({ origins: [new URL(browser.page.url()).origin] });
    t.after(() => server.close());
    const address = await server.listening;
    const task = { file: '/js/webrtc/rendezvous-client.js', maker: 'rendezvous', name: 'page' };
    const signalling = rendezvous(address)('room');
    t.after(() => signalling.close?.());
    const heard = listen(signalling);
    signalling.send(hello('node'));
    const texts = pages[0].evaluate(play, { ...task, values: [address], count: 1 });
    assert.equal(JSON.parse(await heard.next()).from, 'page');
    signalling.send('{"from":"node","to":"page","type":"hello"}');
    assert.equal(JSON.parse((await texts)[0]).from, 'node');
  });

  test('a page that may not come', async (t) => {
    const server = new Rendezvous();
    t.after(() => server.close());
    const code = await pages[0].evaluate(
      async (address) => {
        const file = new URL('/js/webrtc/rendezvous-client.js', location.href).href;
        const { rendezvous } = await import(file);
        /** @type {{code: string, native: number}} */
        const error = await new Promise((resolve) => {
          const signalling = rendezvous(address, {
            onerror: (/** @type {any} */ error) => {
              signalling.close();
              resolve(error);
            },
          })('room');
          signalling.receive(() => {});
        });
        return `${error.code} ${error.native}`;
      },
      await server.listening,
    );
    assert.equal(code, 'ECONNREFUSED 1006');
  });
});
