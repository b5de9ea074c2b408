// `towline bridge`: its command line, its log, and how it ends.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run as bridge } from '../js/cli/bridge.js';
import { cert, key } from './bridge/certificate.js';
import {
  openLoop,
  openTarget,
  Plain,
  Recorder,
  statusOf,
  untilEnd,
  untilEnded,
  urlOf,
} from './bridge/stage.js';
import { run, start } from './cli/command.js';

/** @param {import('node:test').TestContext} t @param {...string} args */
async function serve(t, ...args) {
  const command = start(t, 'bridge', '--listen', 'ws://127.0.0.1:0/', ...args);
  const [, address] = await command.line(/^listening on (\S+)$/);
  return { ...command, address };
}

test('serves what is named, and writes down who came and went', async (t) => {
  const target = await openTarget(t);
  const { address, child, line, code } = await serve(t, '--allow', target.address, '--verbose');
  const loop = openLoop(t, address);
  const { transport } = await loop.connect(target.address, () => new Recorder());
  const socket = await target.client();
  await line(new RegExp(`^1 opened 127.0.0.1:\\d+ -> ${target.address}$`));
  transport.write('hello');
  transport.writeEof();
  socket.end(String(await untilEnd(socket)).toUpperCase());
  transport.close();
  await line(/^1 closed .*: 5 bytes there, \d back, client closed$/);
  assert.equal(await statusOf(t, urlOf(address, 'tcp://127.0.0.1:1\u001b[2J\n')), 403);
  await line(/^refused .* -> tcp:\/\/127\.0\.0\.1:1\\u001b\[2J\\u000a: 403$/);
  child.kill('SIGTERM');
  assert.equal(await code(), 0);
});

test('the first signal lets connections end, the second ends them', async (t) => {
  const target = await openTarget(t);
  const { address, child, line, code, lines } = await serve(t, '--allow', `x=${target.address}`);
  const client = new Plain(t, `${address}x`);
  await client.refused;
  const socket = await target.client();
  await line(/^1 opened /);
  child.kill('SIGINT');
  await line(/^closing; 1 connection/);
  socket.write('still');
  assert.equal(String(await client.messages.take()), 'still');
  child.kill('SIGINT');
  assert.deepEqual(await client.closed, [1001, 'ECANCELED: the bridge closes']);
  await untilEnded(socket);
  assert.equal(await code(), 0);
  assert.match(lines.at(-1) ?? '', /^1 closed .* 0 bytes there, 5 back, the bridge closes$/);
});

test('quiet, and over TLS', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-'));
  t.after(() => rm(folder, { recursive: true }));
  const files = [join(folder, 'cert'), join(folder, 'key')];
  await Promise.all([writeFile(files[0], cert), writeFile(files[1], key)]);
  const target = await openTarget(t);
  const tls = ['--listen', 'wss://127.0.0.1:0/', '--cert', files[0], '--key', files[1]];
  const { address, child, code, lines } = await serve(
    t,
    '--allow',
    target.address,
    '--quiet',
    ...tls,
  );
  const url = urlOf(address, target.address);
  assert.equal(await statusOf(t, url, { rejectUnauthorized: false }), 101);
  child.kill('SIGTERM');
  child.kill('SIGTERM');
  assert.equal(await code(), 0);
  assert.deepEqual(lines.slice(1), []);
});

test('what is wrong is said in a line', async (t) => {
  const { address } = await serve(t, '--allow', 'tcp://127.0.0.1:1');
  const cases = /** @type {[string[], number, RegExp][]} */ ([
    [[], 2, /--allow TARGET is missing/],
    [['--allow', 'x'], 2, /not a target: x/],
    [['--allow', 'tcp://h:1', '--idle', 'soon'], 2, /--idle soon is no whole number from 0/],
    [['--allow', 'tcp://h:1', '--listen', 'here'], 2, /no place to listen: here/],
    [['--allow', 'tcp://h:1', '--listen', 'wss://127.0.0.1:0/'], 2, /certificate/],
    [['--allow', 'tcp://h:1', '--cert', '/nonexistent'], 1, /\/nonexistent: no such file/],
    [['--allow', 'tcp://h:1', '--wrong'], 2, /'--wrong'/],
    [['--allow', 'tcp://h:1', '--listen', address], 1, /EADDRINUSE/],
  ]);
  for (const [args, expected, message] of cases) {
    const name = expected === 2 ? 'UsageError' : /^(Failure|TowlineError)$/;
    await assert.rejects(async () => bridge(args), { name, message }, `${args}`);
  }
  const wrong = await run(t, ['bridge']);
  assert.deepEqual([wrong.code, wrong.out, wrong.err.split('\n').length], [2, '', 1]);
  const { code, out } = await run(t, ['bridge', '--help']);
  assert.equal(code, 0);
  assert.match(out, /--allow TARGET/);
});
