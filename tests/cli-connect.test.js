// `towline connect`: netcat for every address, a module's protocol, and their calls.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { run as connect } from '../js/cli/connect.js';
import { Rendezvous } from '../js/rendezvous.js';
import { openBridge, openTarget, untilEnd } from './bridge/stage.js';
import { run, start } from './cli/command.js';

/** @typedef {import('node:test').TestContext} TestContext */

/** What was traced, without its times. @param {string[]} lines */
const calls = (lines) =>
  lines.filter((line) => /^ *\d+\.\d /.test(line)).map((line) => line.replace(/^ *\d+\.\d /, ''));

/** @param {TestContext} t @param {...string} args */
async function listen(t, ...args) {
  const command = start(t, 'connect', '--listen', ...args);
  const [, address] = await command.line(/^listening on (\S+)$/);
  return { ...command, address };
}

describe('netcat', () => {
  test('E2: the end of standard input is a half-close, and the answer comes', async (t) => {
    const target = await openTarget(t);
    const running = run(t, ['connect', target.address], 'question');
    const socket = await target.client();
    assert.equal(String(await untilEnd(socket)), 'question');
    socket.end('answer');
    assert.deepEqual(await running, { out: 'answer', code: 0, err: '' });
  });

  test('much, to and fro, as it was', async (t) => {
    const target = await openTarget(t);
    const input = Buffer.from(Array.from({ length: 20_000_000 / 4 }, (_, i) => i % 9973).join(' '));
    const running = run(t, ['connect', target.address], input);
    const socket = await target.client();
    socket.pipe(socket);
    const { out, code } = await running;
    assert.equal(code, 0);
    assert.ok(out === input.toString());
  });

  test('F2: a peer that does not read holds standard input back', async (t) => {
    const target = await openTarget(t, { pauseOnConnect: true });
    const { child, code } = start(t, 'connect', target.address);
    const socket = await target.client();
    const piece = Buffer.alloc(65536, 'towline');
    let taken = 0;
    const writeOn = () => {
      if (taken === 64 << 20) return child.stdin.end();
      child.stdin.write(piece, () => {
        taken += piece.length;
        writeOn();
      });
    };
    writeOn();
    for (let i = 0; i < 2; i++) await run(t, ['--version']); // time enough to take all
    assert.ok(taken < 32 << 20, `${taken} bytes were taken`);
    let received = 0;
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    await once(socket.resume(), 'end');
    socket.end();
    assert.equal(received, 64 << 20);
    assert.equal(await code(), 0);
  });

  test('R1: who does not read standard output holds the peer back', async (t) => {
    const target = await openTarget(t);
    const { child } = start(t, 'connect', target.address);
    const socket = await target.client();
    const piece = Buffer.alloc(65536, 'towline');
    let sent = 0;
    const writeOn = () => {
      while (sent < 64 << 20) {
        sent += piece.length;
        if (!socket.write(piece)) return socket.once('drain', writeOn);
      }
      socket.end();
    };
    writeOn();
    for (let i = 0; i < 2; i++) await run(t, ['--version']);
    assert.ok(sent < 32 << 20, `${sent} bytes were sent`);
    let received = 0;
    for await (const bytes of child.stdout) received += bytes.length;
    assert.equal(received, 64 << 20);
  });

  test('--listen: for the first who comes; --keep-open: until both have ended', async (t) => {
    const server = await listen(t, 'tcp://127.0.0.1:0', '--keep-open');
    const { port } = new URL(server.address.replace('tcp', 'http'));
    server.child.stdin.end('from here');
    const socket = net.connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    const [piece] = await once(socket, 'data');
    assert.equal(String(piece), 'from here');
    const there = once(server.child.stdout, 'data');
    socket.end('from there');
    assert.equal(String(await there), 'from there');
    assert.equal(await server.code(), 0);
  });

  test('a WebSocket with framing, and one without', async (t) => {
    const server = await listen(t, 'ws://127.0.0.1:0/', '--keep-open');
    server.child.stdin.end('answer');
    const there = once(server.child.stdout, 'data');
    const framed = ['connect', server.address, '--framing', 'demanded', '--keep-open'];
    const { out, code } = await run(t, framed, 'question');
    assert.deepEqual({ out, code }, { out: 'answer', code: 0 });
    assert.equal(String(await there), 'question');
    assert.equal(await server.code(), 0);

    const plain = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(plain, 'listening');
    t.after(() => plain.close());
    plain.on('connection', (socket, { headers }) => {
      socket.on('message', (data) => {
        socket.send(`${headers['x-who']}: ${data}`);
        socket.close(3000, 'enough');
      });
    });
    const { port } = /** @type {net.AddressInfo} */ (plain.address());
    const options = ['--keep-open', '--header', 'X-Who: me'];
    const ended = await run(t, ['connect', `ws://127.0.0.1:${port}/`, ...options], 'hi');
    assert.equal(ended.out, 'me: hi');
    assert.equal(ended.code, 1);
    assert.match(ended.err, /enough$/);
  });

  test('datagrams, bound and connected', async (t) => {
    const server = await listen(t, 'udp://127.0.0.1:0');
    const client = start(t, 'connect', server.address);
    client.child.stdin.write('to');
    assert.equal(String((await once(server.child.stdout, 'data'))[0]), 'to');
    server.child.stdin.write('fro');
    assert.equal(String((await once(client.child.stdout, 'data'))[0]), 'fro');
    client.child.stdin.end();
    server.child.stdin.end();
    assert.deepEqual([await client.code(), await server.code()], [0, 0]);

    const nobody = createSocket('udp4').bind(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address();
    nobody.close();
    const lost = start(t, 'connect', `udp://127.0.0.1:${port}`);
    lost.child.stdin.write('x');
    assert.equal(await lost.code(), 1);
    assert.match(lost.lines[0], /ECONNREFUSED/);
  });

  test('children: their code, their signal, their arguments', async (t) => {
    const cat = await run(t, ['connect', 'exec:cat', '--', '-n'], 'a\nb\n');
    assert.deepEqual(cat, { out: '     1\ta\n     2\tb\n', code: 0, err: '' });
    const code = (/** @type {string} */ script) =>
      run(t, ['connect', 'exec:sh', '--', '-c', script]);
    assert.deepEqual(await code('echo told >&2; exit 7'), { out: '', code: 7, err: 'told' });
    assert.equal((await code('kill -9 $$')).code, 137);
    const none = await run(t, ['connect', 'exec:/nonexistent/program']);
    assert.equal(none.code, 1);
    assert.match(none.err, /ENOENT$/);
  });

  test('a WASI command in a Worker', async (t) => {
    const cat = await run(t, ['connect', 'worker:build/wasi/programs/cat.wasm'], 'hello');
    assert.deepEqual(cat, { out: 'hello', code: 0, err: '' });
  });

  test('a room of WebRTC', async (t) => {
    const rendezvous = new Rendezvous();
    t.after(() => rendezvous.close());
    const room = ['webrtc-stream:room', '--keep-open', '--rendezvous', await rendezvous.listening];
    const server = await listen(t, ...room);
    server.child.stdin.end('answer');
    const there = once(server.child.stdout, 'data');
    const { out, code } = await run(t, ['connect', ...room], 'question');
    assert.deepEqual({ out, code }, { out: 'answer', code: 0 });
    assert.equal(String(await there), 'question');
    assert.equal(await server.code(), 0);
  });

  test('through a bridge', async (t) => {
    const target = await openTarget(t);
    const { address } = await openBridge(t, { allow: [target.address] });
    const running = run(t, ['connect', target.address, '--bridge', address], 'question');
    const socket = await target.client();
    socket.end(`no ${await untilEnd(socket)}`);
    assert.deepEqual(await running, { out: 'no question', code: 0, err: '' });
    const refused = await run(t, ['connect', 'tcp://127.0.0.1:1', '--bridge', address]);
    assert.deepEqual([refused.code, /does not allow/.test(refused.err)], [1, true]);
  });

  test('a connection that breaks is an error, of one line', async (t) => {
    const target = await openTarget(t);
    const { child, code, lines } = start(t, 'connect', target.address);
    const socket = await target.client();
    socket.write('there');
    await once(child.stdout, 'data');
    socket.resetAndDestroy();
    assert.equal(await code(), 1);
    assert.match(lines.join('\n'), /^towline connect: .*ECONNRESET$/);
    child.stdin.destroy();
  });
});

describe('--trace', () => {
  test('of netcat', async (t) => {
    const target = await openTarget(t);
    const running = run(t, ['connect', target.address, '--trace', '--bytes', '4'], 'question');
    const socket = await target.client();
    await untilEnd(socket);
    socket.end('a"\n\u0000bc');
    const { err } = await running;
    assert.deepEqual(calls(err.split('\n')), ['CM', 'DR 6 "a\\"\\n\\x00"...', 'ER', 'CL none']);
  });

  for (const build of ['wasi', 'emscripten'])
    test(`${build}: of a module's protocol, as its calls are made`, async (t) => {
      const module = ['--module', `build/${build}/echo.wasm`, '--trace'];
      const server = await listen(t, 'tcp://127.0.0.1:0', ...module);
      for (const text of ['hello', 'again'])
        assert.equal((await run(t, ['connect', server.address], text)).out, text);
      await server.line(/#2 CL/);
      server.child.kill('SIGTERM');
      assert.equal(await server.code(), 0);
      const expected = (/** @type {number} */ number, /** @type {string} */ text) => [
        `#${number} CM`,
        `#${number} GB 5`,
        `#${number} BU 5 "${text}"`,
        `#${number} CL none`,
      ];
      assert.deepEqual(calls(server.lines), [...expected(1, 'hello'), ...expected(2, 'again')]);
    });

  test('F2: pauses and resumptions; and an end with an error', async (t) => {
    const target = await openTarget(t);
    const { lines, line, code, child } = start(
      t,
      ...['connect', target.address, '--module', 'build/wasi/echo.wasm', '--trace'],
    );
    const socket = await target.client();
    socket.pause();
    // It echoes, and nobody takes that: so in the end it is told to stop, and reads no more.
    const piece = Buffer.alloc(1 << 20, 'towline');
    const flood = () => socket.write(piece, (error) => error || flood());
    flood();
    await line(/ PW$/);
    socket.resume();
    await line(/ RW$/);
    socket.resetAndDestroy();
    assert.equal(await code(), 1);
    assert.match(calls(lines).at(-1) ?? '', /^CL (ECONNRESET|EPIPE) \(\d+\): /);
    child.stdin.destroy();
  });

  test('a module that imports what nobody supplies', async (t) => {
    const probe = 'build/wasi/resp.wasm';
    const { code, err } = await run(t, [
      'connect',
      'tcp://127.0.0.1:1',
      '--module',
      probe,
      '--trace',
    ]);
    assert.equal(code, 1);
    assert.match(err, /the module imports resp.checked, which nobody supplies$/);
  });
});

test('what is wrong is said in a line', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'connect-'));
  t.after(() => rm(folder, { recursive: true }));
  const text = join(folder, 'text.wasm');
  await writeFile(text, 'no wasm');
  const to = 'tcp://127.0.0.1:1';
  const echo = 'build/wasi/echo.wasm';
  const cases = /** @type {[string[], number, RegExp][]} */ ([
    [[], 2, /ADDRESS is missing/],
    [['here'], 2, /here is no address/],
    [[to, to], 2, /one ADDRESS only/],
    [[to, '--wrong'], 2, /'--wrong'/],
    [[to, '--', 'x'], 2, /arguments are for exec:/],
    [['exec:cat', '--listen'], 2, /nobody connects to exec:/],
    [[to, '--protocol', 'x'], 2, /--protocol is of a --module/],
    [[to, '--framing', 'x'], 2, /offered, demanded or refused/],
    [[to, '--header', 'x\r\ny: z'], 2, /'NAME: VALUE'/],
    [[to, '--timeout', '-1'], 2, /--timeout/],
    [['webrtc:room'], 2, /--rendezvous/],
    [[to, '--module', join(folder, 'none')], 1, /no such file/],
    [[to, '--module', text], 1, /text.wasm: not a wasm file/],
    [[to, '--module', echo, '--protocol', 'other'], 2, /no protocol other: there are echo_new/],
    [[to, '--module', 'build/wasi/child.wasm'], 2, /there are none/],
    [[to], 1, /ECONNREFUSED/],
    [[to, '--module', echo, '--trace'], 1, /ECONNREFUSED/],
    [['tcp://127.0.0.1'], 1, /not an address/],
    [['nonsense:x'], 1, /cannot connect to nonsense:/],
    [[to, '--bridge', 'http://h/'], 1, /not where a bridge can be/],
  ]);
  for (const [args, expected, message] of cases) {
    const name = expected === 2 ? 'UsageError' : /^(Failure|TowlineError)$/;
    await assert.rejects(async () => connect(args), { name, message }, `${args}`);
  }
  const { code, err } = await run(t, ['connect', to]);
  assert.deepEqual([code, err.split('\n').length], [1, 1]);
  assert.equal((await run(t, ['connect', 'here'])).code, 2);
});
