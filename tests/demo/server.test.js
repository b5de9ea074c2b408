// What the demo's server gives, and to whom.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { wrongIn } from '../../demo/server/peer.js';
import { startDemo } from '../../demo/server.js';

/** @type {Awaited<ReturnType<typeof startDemo>>} */
let demo;
before(async () => {
  demo = await startDemo({ port: 0, mqttPort: 0, compile: true });
});
after(() => demo?.close());

/**
 * @param {string} path
 * @param {{method?: string, headers?: Record<string, string>, body?: string}} [what]
 * @returns {Promise<import('node:http').IncomingMessage>}
 */
const ask = (path, { method = 'GET', headers = {}, body } = {}) =>
  new Promise((resolve, reject) => {
    const asked = request(new URL(path, demo.page), { method, headers, agent: false });
    asked.on('response', resolve).on('error', reject).end(body);
  });

const JSON_TYPE = { 'Content-Type': 'application/json' };
/** Another server of this machine. */
const origin = 'http://127.0.0.1';

/** @param {string} name @param {Record<string, string>} [headers] */
function socket(name, headers) {
  const url = new URL(`/stream/${name}`, demo.page);
  url.protocol = 'ws:';
  return new WebSocket(url, ['towline.0', 'towline.1'], { headers });
}

/** @param {WebSocket} webSocket @returns {Promise<string>} */
const outcome = (webSocket) =>
  new Promise((resolve) => {
    webSocket.on('open', () => resolve('open'));
    webSocket.on('unexpected-response', (_request, { statusCode }) => resolve(`${statusCode}`));
    webSocket.on('error', (error) => resolve(error.message));
  });

test('a page may run no script but its own, may be framed by nobody, and may share memory with its Workers', async () => {
  const { headers } = (await ask('/demo/')).resume();
  const policy = String(headers['content-security-policy']);
  for (const rule of [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "frame-ancestors 'none'",
  ])
    assert.ok(policy.includes(rule), rule);
  assert.doesNotMatch(policy, /script-src[^;]*'unsafe-(inline|eval)'/);
  assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
  assert.equal(headers['cross-origin-embedder-policy'], 'require-corp');
  assert.equal(headers['x-content-type-options'], 'nosniff');
});

test("orders come from this server's pages only", async () => {
  const own = new URL(demo.page).origin;
  const open = socket('a-stream-of-ours', { origin: own });
  assert.equal(await outcome(open), 'open');
  const order = (/** @type {Record<string, string>} */ headers, body = '{"rate":1000}') =>
    ask('/stream/a-stream-of-ours', { method: 'POST', headers, body });
  assert.deepEqual(await json(await order({ ...JSON_TYPE, Origin: own })), {
    received: 0,
    sent: 0,
    waiting: 0,
  });
  for (const headers of [
    { ...JSON_TYPE, Origin: 'http://elsewhere.example' },
    { ...JSON_TYPE, Origin: origin },
    { ...JSON_TYPE, Origin: 'null' },
    { ...JSON_TYPE, Host: 'made-to-lead-here.example' },
  ]) {
    const { statusCode } = (await order(headers)).resume();
    assert.equal(statusCode, 403, JSON.stringify(headers));
  }
  for (const [headers, body] of /** @type {[Record<string, string>, string][]} */ ([
    [{ 'Content-Type': 'text/plain' }, '{}'],
    [JSON_TYPE, 'no JSON'],
    [JSON_TYPE, `"${'x'.repeat(5000)}"`],
    [JSON_TYPE, '{"rate":-1}'],
  ])) {
    const answer = await order(headers, body);
    assert.equal(answer.statusCode, 400);
    assert.ok(/** @type {any} */ (await json(answer)).error);
  }
  assert.equal((await ask('/stream/not-there-at-all')).resume().statusCode, 404);
  assert.equal(await outcome(socket('a-stream-of-ours')), '503', 'the name is taken');
  assert.equal(await outcome(socket('another-stream', { origin })), '403');
  assert.equal(await outcome(socket('no')), '404');
  open.terminate();
});

test('what may be ordered', () => {
  for (const orders of [{}, { rate: 0 }, { send: 1024, echo: true }, { reset: true }])
    assert.equal(wrongIn(orders), undefined);
  for (const orders of [
    null,
    [],
    1,
    { rate: 0.5 },
    { send: 1e12 },
    { rate: '1' },
    { echo: 1 },
    { x: 1 },
  ])
    assert.ok(wrongIn(orders), JSON.stringify(orders));
});

test('the compiler wants its token, proper names, and not much; without --compile there is none', async () => {
  const config = /** @type {any} */ (await json(await ask('/demo/config.json')));
  const compile = (/** @type {Record<string, string>} */ headers, /** @type {unknown} */ body) =>
    ask('/compile', {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body: JSON.stringify(body),
    });
  const token = { 'X-Towline-Token': config.compile };
  const files = [{ name: 'a.c', text: 'int x;' }];
  assert.equal((await compile({}, { files })).resume().statusCode, 403);
  assert.equal(
    (await compile({ 'X-Towline-Token': 'a guess' }, { files })).resume().statusCode,
    403,
  );
  assert.equal((await compile({ ...token, Origin: origin }, { files })).resume().statusCode, 403);
  for (const wrong of [
    {},
    { files: [] },
    { files: [null] },
    { files: [{ name: '../a.c', text: '' }] },
    { files: [{ name: '-o.c', text: '' }] },
    { files: [{ name: 'a.h', text: '' }] },
    { files: [{ name: 'a.c' }] },
    { files: [...files, ...files] },
    { files: [{ name: 'a.c', text: 'x'.repeat(2 << 20) }] },
  ])
    assert.equal((await compile(token, wrong)).resume().statusCode, 400);
  assert.match(await text(await compile(token, { files })), /no constructor was found/);
  const plain = await startDemo({ port: 0, mqttPort: 0 });
  try {
    const there = await fetch(new URL('config.json', plain.page));
    assert.equal((await there.json()).compile, undefined);
    const asked = await fetch(new URL('/compile', plain.page), {
      method: 'POST',
      headers: JSON_TYPE,
    });
    assert.equal(asked.status, 405);
  } finally {
    await plain.close();
  }
  await assert.rejects(startDemo({ host: '0.0.0.0', compile: true }), /no compiler for all/);
});

test('a server that is closed while it compiles leaves nothing behind', async (t) => {
  const { TMPDIR } = process.env;
  const folder = await mkdtemp(join(tmpdir(), 'towline-server-test-'));
  t.after(() => rm(folder, { recursive: true }));
  process.env.TMPDIR = folder;
  const busy = await startDemo({ port: 0, mqttPort: 0, compile: true });
  const { compile } = /** @type {any} */ (await (await fetch(`${busy.page}config.json`)).json());
  const asked = fetch(new URL('/compile', busy.page), {
    method: 'POST',
    headers: { ...JSON_TYPE, 'X-Towline-Token': compile },
    body: JSON.stringify({ files: [{ name: 'a.c', text: 'int x;' }] }),
  }).then(
    ({ status }) => status,
    () => 'cut off',
  );
  while ((await readdir(folder)).length === 0) await setImmediate();
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  await busy.close();
  assert.deepEqual(await readdir(folder), []);
  assert.ok([422, 'cut off'].includes(await asked));
});
