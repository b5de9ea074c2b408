// The README's examples, as they stand there.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { WebSocketServer } from 'ws';

const run = promisify(execFile);
const readme = await readFile('README.md', 'utf8');

/** The first example in a language that has this in it. @param {string} language @param {string} part */
function example(language, part) {
  for (const [, code] of readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms')))
    if (code.includes(part)) return code;
  throw new Error(`README.md has no ${language} with ${part}`);
}

test('LAYERS.md: the layer that it shows is the one that is tested', async () => {
  const page = await readFile('LAYERS.md', 'utf8');
  const source = await readFile('tests/unit/pass_layer.c', 'utf8');
  const blocks = [...page.matchAll(/^```c\n(static.*?)^```/gms)].flatMap(([, code]) =>
    code.split(/\n\n/),
  );
  assert(blocks.length > 3);
  for (const block of blocks) assert(source.includes(block.trim()), block);
});

/** @param {import('node:test').TestContext} t */
async function folderFor(t) {
  const folder = await mkdtemp(join(tmpdir(), 'towline-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Until the server is there. @param {number} port @returns {Promise<net.Socket>} */
async function dial(port) {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1');
    const [answer] = await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'error').then(() => ['error']),
    ]);
    if (answer === 'connect') return socket;
    await new Promise((resume) => setTimeout(resume, 20));
  }
}

test('the README: a server in C', async (t) => {
  const folder = await folderFor(t);
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (probe.address());
  probe.close();
  const source = example('c', 'int main(void)').replace('7007', String(port));
  await writeFile(join(folder, 'main.c'), source);
  const program = join(folder, 'server');
  const flags = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-Iinclude'];
  const sources = [join(folder, 'main.c'), 'demo/echo.c', 'build/libtowline.a'];
  await run('cc', [...flags, ...sources, '-luv', '-lm', '-o', program]);
  const server = spawn(program);
  t.after(() => server.kill());
  const socket = await dial(port);
  socket.end('hello');
  const [data] = await once(socket, 'data');
  assert.equal(String(data), 'hello');
});

test('the README: the protocol is that of demo/echo.c', async () => {
  const code = example('c', 'get_buffer(tow_protocol');
  const have = (await readFile('demo/echo.c', 'utf8')).replace(/\s+/g, ' ');
  for (const line of code.split('\n').slice(1))
    if (/^\s+\S.*;$/.test(line)) assert.ok(have.includes(line.trim()), line);
});

test('the README: a client in JavaScript', async (t) => {
  const folder = await folderFor(t);
  const peer = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  t.after(() => peer.close());
  await once(peer, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (peer.address());
  peer.on('connection', (socket) => {
    socket.send('hello');
    socket.on('message', (data) => {
      assert.equal(String(data), 'hello');
      socket.close();
    });
  });
  await symlink(resolve('build/wasi/echo.wasm'), join(folder, 'echo.wasm'));
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  const code = example('js', 'load(').replace('7008', String(port));
  const library = new URL('../js/node.js', import.meta.url).href;
  await writeFile(join(folder, 'client.js'), code.replace("'towline'", `'${library}'`));
  await run(process.execPath, [join(folder, 'client.js')], { timeout: 20_000 });
});
