/** A program of JavaScript that gives back, at ws://127.0.0.1:7008/, what it is sent. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';

/** @param {import('./example.js').Example} example */
export default async function talkTo(example) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  example.t.after(() => server.close());
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const answered = once(server, 'connection').then(async ([socket]) => {
    socket.send('hello');
    const [data] = await once(socket, 'message');
    socket.close();
    return String(data);
  });
  await example.link('build/wasi/echo.wasm', 'echo.wasm');
  await example.write('example.js', { 7008: String(port) });
  await example.run(process.execPath, 'example.js');
  assert.equal(await answered, 'hello');
}
