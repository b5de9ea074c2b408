/** A module of C whose `hello_start` says hello over a WebSocket, subprotocol "hello", and ends. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { load, startServer } from '../../js/node.js';

/** @param {import('./example.js').Example} example */
export default async function sayHello(example) {
  await example.write('hello.c');
  await example.run(
    'npx',
    'towline',
    'build',
    'hello.c',
    '-o',
    'hello.wasm',
    '--export',
    'hello_start',
  );
  /** @type {(heard: string[]) => void} */
  let hear = () => {};
  const heard = new Promise((resolve) => {
    hear = resolve;
  });
  const server = await startServer(
    'ws://127.0.0.1:0/',
    async ({ reader, writer }) => {
      const text = new TextDecoder().decode(await reader.read());
      hear([text, writer.getExtraInfo('subprotocol') ?? '']);
    },
    { subprotocols: 'hello' },
  );
  example.t.after(() => server.close());
  const module = await load(join(example.folder, 'hello.wasm'));
  example.t.after(() => module.close());
  module.call('hello_start', module.loop, server.address);
  assert.deepEqual(await heard, ['hello', 'hello']);
}
