/** A program of C that serves echoes on port 7007 until it is stopped. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { freePort } from '../mqtt/mosquitto.js';

/** As soon as it serves there. @param {number} port @param {import('node:child_process').ChildProcess} server */
async function dial(port, server) {
  while (server.exitCode === null) {
    const socket = net.connect(port, '127.0.0.1');
    if (await once(socket, 'connect').catch(() => undefined)) return socket;
  }
  throw new Error(`the server ended with ${server.exitCode}`);
}

/** @param {import('./example.js').Example} example */
export default async function serve(example) {
  const port = await freePort();
  await example.write('example.c', { 7007: String(port) });
  await example.compile(join(example.folder, 'example.c'), 'demo/echo.c');
  const server = spawn(join(example.folder, 'example'), { stdio: 'inherit' });
  example.t.after(() => server.kill());
  const socket = await dial(port, server);
  socket.end('hello');
  const [data] = await once(socket, 'data');
  assert.equal(String(data), 'hello');
}
