import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { Rendezvous } from '../../js/rendezvous.js';
import { Participant } from '../../js/rendezvous-participant.js';

/** @typedef {import('node:test').TestContext} TestContext */

/** @param {TestContext} t @param {import('../../js/rendezvous.js').Options} [options] */
async function open(t, options) {
  const rendezvous = new Rendezvous(options);
  t.after(() => rendezvous.close());
  return { rendezvous, address: await rendezvous.listening };
}

/** A client that says just what it is told to. */
class Client {
  /** @type {string[]} */
  #texts = [];
  #wake = () => {};

  /** @param {string} address @param {object} [options] */
  constructor(address, options) {
    this.socket = new WebSocket(address, options);
    this.socket.on('error', () => {});
    this.socket.on('message', (data) => {
      this.#texts.push(data.toString());
      this.#wake();
    });
    /** What it was closed with. @type {Promise<[number, string]>} */
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve([code, reason.toString()]));
    });
    /** The status that it was refused with. @type {Promise<number | undefined>} */
    this.refused = new Promise((resolve) => {
      this.socket.on('unexpected-response', (_request, response) => {
        response.destroy();
        resolve(response.statusCode);
      });
    });
  }

  /** @param {string | object} message */
  send(message) {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  async next() {
    while (this.#texts.length === 0)
      await new Promise((resolve) => {
        this.#wake = () => resolve(0);
      });
    return JSON.parse(/** @type {string} */ (this.#texts.shift()));
  }

  /** All that was sent has been taken. */
  async settled() {
    this.socket.ping();
    await once(this.socket, 'pong');
  }

  /** One that says who it is. @param {string} address @param {string} name */
  static async join(address, name) {
    const client = new Client(address);
    await once(client.socket, 'open');
    client.send({ from: name, type: 'hello' });
    return client;
  }

  /** Some that know of each other. @param {string} address @param {string[]} names */
  static async all(address, ...names) {
    /** @type {Client[]} */
    const clients = [];
    for (const name of names) {
      const client = await Client.join(address, name);
      await client.settled();
      for (const other of clients) assert.equal((await other.next()).from, name);
      clients.push(client);
    }
    return clients;
  }
}

test('a room relays to all others, or to the one that is named', async (t) => {
  const { address } = await open(t);
  const [a, b, c] = await Client.all(`${address}room`, 'a', 'b', 'c');
  const [elsewhere] = await Client.all(`${address}other`, 'd');
  a.send({ from: 'a', to: 'c', type: 'description', sdp: 'v=0' });
  a.send({ from: 'a', to: 'd', type: 'description', sdp: 'nobody here' });
  a.send({ from: 'a', type: 'bye' });
  assert.deepEqual(await b.next(), { from: 'a', type: 'bye' });
  assert.deepEqual(await c.next(), { from: 'a', to: 'c', type: 'description', sdp: 'v=0' });
  assert.deepEqual(await c.next(), { from: 'a', type: 'bye' });
  const other = await Client.join(`${address}other`, 'e');
  assert.deepEqual(await elsewhere.next(), { from: 'e', type: 'hello' });
  other.socket.terminate();
  assert.deepEqual(await elsewhere.next(), { from: 'e', type: 'left' });
});

test('who leaves is told of, and its name is free again', async (t) => {
  const { address } = await open(t);
  const [a, b] = await Client.all(`${address}room`, 'a', 'b');
  b.socket.close();
  assert.deepEqual(await a.next(), { from: 'b', type: 'left' });
  await Client.join(`${address}room`, 'b');
  assert.deepEqual(await a.next(), { from: 'b', type: 'hello' });
});

test('a name is written once: what is relayed is written anew', async (t) => {
  const { address } = await open(t);
  const [a, b] = await Client.all(`${address}room`, 'a', 'b');
  /** @type {Promise<string>} */
  const raw = new Promise((resolve) => a.socket.once('message', (data) => resolve(`${data}`)));
  b.send('{"from": "x",  "type":"hello", "from":"b"}');
  assert.equal(await raw, '{"from":"b","type":"hello"}');
});

for (const [what, message, code, reason] of /** @type {[string, string, number, string][]} */ ([
  ['no JSON', 'hello', 1008, 'not a message'],
  ['null', 'null', 1008, 'not a message'],
  ['a list', '[]', 1008, 'not a message'],
  ['no sender', '{"type":"hello"}', 1008, 'not a message'],
  ['a sender that is no name', '{"from":"<b>","type":"hello"}', 1008, 'not a message'],
  ['a receiver that is no name', '{"from":"a","to":7,"type":"hello"}', 1008, 'not a message'],
  ['no type', '{"from":"a"}', 1008, 'not a message'],
  ['a type that is none', '{"from":"a","type":"__proto__"}', 1008, 'not a message'],
  ['lists in lists', `{"from":"a","type":"x","y":${'['.repeat(900)}`, 1008, 'not a message'],
  ['a forged sender', '{"from":"b","type":"bye"}', 1008, 'not the name it came with'],
  ['what grows', `{"from":"a","type":"x","y":[${'1E20,'.repeat(150)}1]}`, 1009, 'too long'],
  ['what is too long', `{"from":"a","type":"x","y":"${'y'.repeat(1024)}"}`, 1009, ''],
]))
  test(`${what} closes the socket, and goes nowhere`, async (t) => {
    const { address } = await open(t, { maxMessage: 1024 });
    const [a, b] = await Client.all(`${address}room`, 'a', 'b');
    a.send(message);
    assert.deepEqual(await a.closed, [code, reason]);
    assert.deepEqual(await b.next(), { from: 'a', type: 'left' });
  });

test('bytes close the socket', async (t) => {
  const { address } = await open(t);
  const client = await Client.join(`${address}room`, 'a');
  client.socket.send(new Uint8Array(3));
  assert.deepEqual(await client.closed, [1003, 'text is expected']);
});

test('a name that is taken, a full room and one room too many are refused for now', async (t) => {
  const { address } = await open(t, { maxParticipants: 2, maxRooms: 1 });
  const [a, b] = await Client.all(`${address}room`, 'a', 'b');
  for (const [room, name, reason] of [
    ['room', 'a', 'the name is taken'],
    ['room', 'c', 'the room is full'],
    ['other', 'a', 'too many rooms'],
  ]) {
    const client = await Client.join(address + room, name);
    assert.deepEqual(await client.closed, [1013, reason]);
  }
  b.socket.close();
  assert.deepEqual(await a.next(), { from: 'b', type: 'left' });
  await Client.join(`${address}room`, 'c');
  assert.deepEqual(await a.next(), { from: 'c', type: 'hello' });
});

test('a room that is empty is none', async (t) => {
  const { address } = await open(t, { maxRooms: 1 });
  const [a] = await Client.all(`${address}one`, 'a');
  a.socket.close();
  for (let isIn = false; !isIn; ) {
    const client = await Client.join(`${address}two`, 'b');
    const refused = client.closed.then(() => false);
    isIn = await Promise.race([client.settled().then(() => true), refused]);
  }
});

test('sockets are counted, in all and for each address', async (t) => {
  const inAll = await open(t, { maxSockets: 1 });
  await Client.join(`${inAll.address}room`, 'a');
  assert.equal(await new Client(`${inAll.address}room`).refused, 503);
  const each = await open(t, { maxSocketsPerAddress: 1, host: '::1' });
  await Client.join(`${each.address}room`, 'a');
  assert.equal(await new Client(`${each.address}room`).refused, 429);
});

test('an address is an IPv4 address, or 64 bits of an IPv6 one', async (t) => {
  const server = http.createServer().listen(0, '::1');
  t.after(() => server.close());
  const { address } = await open(t, { server, maxSocketsPerAddress: 1 });
  await Client.all(`${address}room`, 'a');
  /** How one from there is refused, whose request is wrong anyway. @param {string} remoteAddress */
  async function status(remoteAddress) {
    const socket = new PassThrough();
    const request = { url: '/room', method: 'GET', headers: {}, socket: { remoteAddress } };
    server.emit('upgrade', request, socket, Buffer.alloc(0));
    const [answer] = await once(socket, 'data');
    return Number(String(answer).split(' ')[1]);
  }
  assert.equal(await status('::1'), 429);
  assert.equal(await status('::2'), 429);
  assert.equal(await status('0:0:0:0:1::'), 429);
  assert.equal(await status('0:0:0:1::1'), 400);
  assert.equal(await status('fe80::1'), 400);
  assert.equal(await status('::ffff:127.0.0.1'), 400);
});

test('places are free again when their sockets are gone', async (t) => {
  const { address } = await open(t, { maxSockets: 2, maxSocketsPerAddress: 2 });
  const [a, b] = await Client.all(`${address}room`, 'a', 'b');
  b.socket.close();
  assert.deepEqual(await a.next(), { from: 'b', type: 'left' });
  await Client.join(`${address}room`, 'c');
  assert.deepEqual(await a.next(), { from: 'c', type: 'hello' });
});

test('rooms with wrong names, and other paths, are refused', async (t) => {
  const { address } = await open(t, { path: '/meet' });
  assert.match(address, /^ws:\/\/127\.0\.0\.1:\d+\/meet\/$/);
  const host = address.replace('/meet/', '');
  for (const [path, status] of /** @type {[string, number][]} */ ([
    ['/meet/', 400],
    ['/meet/a/b', 400],
    ['/meet/%41', 400],
    [`/meet/${'a'.repeat(65)}`, 400],
    ['/meet/.hidden', 400],
    ['/meet', 404],
    ['/room', 404],
  ]))
    assert.equal(await new Client(host + path).refused, status, path);
  const client = await Client.join(`${host}/meet/room?why`, 'a');
  assert.equal(client.socket.readyState, WebSocket.OPEN);
});

test('pages may come from where it was said', async (t) => {
  const none = await open(t);
  const some = await open(t, { origins: ['https://example.org'] });
  const all = await open(t, { origins: ['*'] });
  const [origin, other] = ['https://example.org', 'https://example.org.evil.example'];
  assert.equal(await new Client(`${none.address}room`, { origin }).refused, 403);
  assert.equal(await new Client(`${some.address}room`, { origin: other }).refused, 403);
  assert.equal(await new Client(`${some.address}room`, { origin: 'null' }).refused, 403);
  await once(new Client(`${some.address}room`, { origin }).socket, 'open');
  await once(new Client(`${all.address}room`, { origin: 'null' }).socket, 'open');
});

test('what is no WebSocket is told so', async (t) => {
  const { address } = await open(t);
  const response = await fetch(address.replace('ws:', 'http:'));
  assert.deepEqual([response.status, await response.text()], [426, '']);
  const { port } = new URL(address);
  const socket = net.connect(Number(port), '127.0.0.1');
  socket.end('GET /room HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n');
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 400 /);
});

test('on a server that is there already, beside others', async (t) => {
  const server = http.createServer((_request, response) => response.end('mine'));
  server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  const { rendezvous, address } = await open(t, { server, path: '/meet' });
  const [a, b] = await Client.all(`${address}room`, 'a', 'b');
  assert.equal(await new Client(address.replace('meet', 'chat')).refused, 404);
  server.on('upgrade', (request, socket) => {
    if (request.url === '/chat/') socket.end('HTTP/1.1 418 Teapot\r\n\r\n');
  });
  assert.equal(await new Client(address.replace('meet', 'chat')).refused, 418);
  await rendezvous.close();
  assert.deepEqual(await Promise.all([a.closed, b.closed]), [
    [1001, 'closing'],
    [1001, 'closing'],
  ]);
  assert.equal(await (await fetch(address.replace('ws:', 'http:'))).text(), 'mine');
});

test('close lets everybody go, tells nobody who left, and can be waited for', async (t) => {
  const { rendezvous, address } = await open(t);
  const [a, b] = await Client.all(`${address}room`, 'a', 'b');
  const told = t.mock.fn();
  for (const { socket } of [a, b]) socket.on('message', told);
  const raw = net.connect(Number(new URL(address).port), '127.0.0.1');
  await once(raw, 'connect');
  await Promise.all([rendezvous.close(), rendezvous.close(), once(raw.resume(), 'close')]);
  assert.deepEqual(await Promise.all([a.closed, b.closed]), [
    [1001, 'closing'],
    [1001, 'closing'],
  ]);
  assert.equal(told.mock.callCount(), 0);
  assert.equal(rendezvous.address, '');
  await rendezvous[Symbol.asyncDispose]();
});

test('close before it listens', async () => {
  const rendezvous = new Rendezvous();
  await rendezvous.close();
  assert.equal(rendezvous.address, '');
});

test('limits that are none', () => {
  for (const options of [
    { maxSockets: undefined },
    { maxRooms: Number.NaN },
    { maxMessage: -1 },
    { keepalive: 0 },
    { keepalive: Number.POSITIVE_INFINITY },
    { path: 'meet' },
    { origins: 'https://example.org' },
  ])
    assert.throws(() => new Rendezvous(/** @type {any} */ (options)), { code: 'EINVAL' });
});

test('why it cannot listen', async (t) => {
  const { address } = await open(t);
  const rendezvous = new Rendezvous({ port: Number(new URL(address).port) });
  await assert.rejects(rendezvous.listening, { name: 'TowlineError', code: 'EADDRINUSE' });
  await rendezvous.close();
});

// ---- What one participant may cost, on a socket that is none ----

class FakeSocket extends EventEmitter {
  bufferedAmount = 0;
  /** @type {unknown[]} */
  calls = [];
  /** @param {string} text */
  send = (text) => this.calls.push(text);
  pause = () => this.calls.push('pause');
  resume = () => this.calls.push('resume');
  ping = () => this.calls.push('ping');
  terminate = () => this.calls.push('terminate');
  /** @param {number} code @param {string} reason */
  close = (code, reason) => this.calls.push([code, reason]);
  /** @param {number} number */
  message(number) {
    this.emit('message', Buffer.from(`{"from":"a","type":"x","number":${number}}`), false);
  }
  taken() {
    return this.calls.splice(0);
  }
}

/** @param {TestContext} t @param {number} receivers of each message */
function participate(t, receivers = 0) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const socket = new FakeSocket();
  /** @type {number[]} */
  const relayed = [];
  const limits = { maxMessage: 1000, maxBacklog: 100, ratePerSecond: 4 };
  const participant = new Participant(/** @type {any} */ (socket), 'room', limits, ({ text }) => {
    relayed.push(JSON.parse(text).number);
    return receivers;
  });
  const pass = (/** @type {number} */ milliseconds) => {
    now += milliseconds;
    t.mock.timers.tick(milliseconds);
  };
  return { socket, participant, pass, taken: () => relayed.splice(0) };
}

test('rate: a second of messages at once; what comes faster is taken later, and nothing is read meanwhile', (t) => {
  const { socket, pass, taken } = participate(t);
  for (let number = 1; number <= 7; number++) socket.message(number);
  assert.deepEqual(taken(), [1, 2, 3, 4]);
  assert.deepEqual(
    socket.taken().filter((call) => call !== 'resume'),
    ['pause'],
  );
  pass(249);
  assert.deepEqual(taken(), []);
  pass(1);
  assert.deepEqual([taken(), socket.taken()], [[5], ['pause']]);
  pass(500);
  assert.deepEqual(taken(), [6, 7]);
});

test('rate: a message to many counts as many, a ping as one', (t) => {
  const { socket, pass, taken } = participate(t, 8);
  socket.emit('ping');
  socket.message(1);
  socket.message(2);
  assert.deepEqual(taken(), [1]);
  pass(1499);
  assert.deepEqual(taken(), []);
  pass(1);
  assert.deepEqual(taken(), [2]);
});

test('rate: no more than a second is saved', (t) => {
  const { socket, pass, taken } = participate(t);
  pass(3600000);
  for (let number = 1; number <= 5; number++) socket.message(number);
  assert.deepEqual(taken(), [1, 2, 3, 4]);
});

test('rate: one that has closed is forgotten with what it sent', async (t) => {
  const { socket, participant, pass, taken } = participate(t);
  for (let number = 1; number <= 7; number++) socket.message(number);
  socket.taken();
  socket.emit('close');
  await participant.closed;
  pass(60000);
  assert.deepEqual([taken(), socket.taken()], [[1, 2, 3, 4], []]);
});

test('after a refusal nothing is taken or sent', (t) => {
  const { socket, participant, pass, taken } = participate(t);
  for (let number = 1; number <= 7; number++) socket.message(number);
  taken();
  socket.taken();
  assert.equal(participant.refuse(1008, 'why'), false);
  socket.message(8);
  participant.send('text');
  pass(60000);
  assert.deepEqual([taken(), socket.taken()], [[], ['resume', [1008, 'why']]]);
});

test('a backlog over the limit drops the slow reader', (t) => {
  const { socket, participant } = participate(t);
  participant.send('a'.repeat(100));
  socket.bufferedAmount = 100;
  assert.deepEqual(socket.taken(), ['a'.repeat(100)]);
  participant.send('b');
  participant.send('c');
  assert.deepEqual(socket.taken(), ['terminate']);
});

test('a backlog over the limit: the room is told', async (t) => {
  const { address } = await open(t, { maxBacklog: 100 });
  const [a, b] = await Client.all(`${address}room`, 'a', 'b');
  a.send({ from: 'a', to: 'b', type: 'x', more: 'a'.repeat(100) });
  assert.deepEqual(await a.next(), { from: 'b', type: 'left' });
  assert.equal((await b.closed)[0], 1006);
});

test('keepalive: who answers stays, who does not is dropped', (t) => {
  const { socket, participant } = participate(t);
  participant.name = 'a';
  participant.check();
  socket.emit('pong');
  participant.check();
  assert.deepEqual(
    socket.taken().filter((call) => call !== 'resume'),
    ['ping', 'ping'],
  );
  participant.check();
  assert.deepEqual(socket.taken(), ['terminate']);
});

test('keepalive: who never says who it is is dropped', (t) => {
  const { socket, participant } = participate(t);
  participant.check();
  socket.emit('pong');
  participant.check();
  assert.deepEqual(
    socket.taken().filter((call) => call !== 'resume'),
    ['ping', 'terminate'],
  );
});

test('keepalive: a silent one is dropped from its room', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { address } = await open(t);
  const [a, b] = await Client.all(`${address}room`, 'a', 'b');
  b.socket.pause();
  for (let times = 0; times < 2; times++) {
    const asked = once(a.socket, 'ping');
    t.mock.timers.tick(15000);
    await asked;
    await a.settled();
  }
  assert.deepEqual(await a.next(), { from: 'b', type: 'left' });
  b.socket.terminate();
});
