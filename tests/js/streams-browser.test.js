import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Loop, StreamProtocol } from '../../js/node.js';
import { openBrowser } from '../browser.js';

/** What the page does, given an address: a text, for Node 20 cannot read `await using`. */
const program = `async (address) => {
  const { connect, openConnection } = await import(new URL('/js/index.js', location.href).href);
  const results = [];
  {
    await using connection = await openConnection(address);
    const { reader, writer } = connection;
    await writer.write('a line\\n');
    results.push(new TextDecoder().decode(await reader.readLine()));
  }
  const { transport } = await connect(address);
  const size = 3_000_000;
  const source = new Blob([new Uint8Array(size).fill(7)]).stream();
  const [, received] = await Promise.all([
    source.pipeTo(transport.writable),
    new Response(transport.readable).arrayBuffer(),
  ]);
  results.push(received.byteLength === size && new Uint8Array(received).every((byte) => byte === 7));
  results.push(await transport.closed);
  return results;
}`;

test('streams in a page: await using, lines, and both Web Streams over a WebSocket with framing', async (t) => {
  const loop = new Loop();
  t.after(() => loop.close());
  const serve = (/** @type {import('../../js/node.js').StreamConnection} */ connection) =>
    connection.readable.pipeTo(connection.writable);
  const server = await loop.listen('ws://127.0.0.1:0/', () => new StreamProtocol({ serve }));
  t.after(() => server.close());
  const browser = await openBrowser();
  t.after(() => browser.close());
  const call = `(${program})(${JSON.stringify(server.address)})`;
  assert.deepEqual(await browser.page.evaluate(call), ['a line\n', true, null]);
});
