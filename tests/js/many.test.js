import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { builds, loadProbe } from './probe.js';

const COUNT = 1000;
const LARGE = 1 << 22;

for (const build of builds) {
  test(`${COUNT} WebSockets at once in one module, and its memory comes back, ${build}`, async (t) => {
    const { module, all } = await loadProbe(build, {
      made: (probe) => void probe.write('hello'),
    });
    t.after(() => module.close());
    const peer = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: COUNT });
    t.after(() => peer.close());
    await new Promise((resolve) => peer.on('listening', () => resolve(0)));
    peer.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    const { port } = /** @type {import('node:net').AddressInfo} */ (peer.address());
    const address = `ws://127.0.0.1:${port}/`;

    /** Opens and closes them all. Answers where a large block lies then: behind all that has not come back. */
    const round = async () => {
      const opened = await Promise.all(
        Array.from({ length: COUNT }, () =>
          module.connect(address, { protocol: 'probe_buffered', backlog: COUNT }),
        ),
      );
      assert.equal(module.connections, COUNT);
      const mine = all.slice(-COUNT);
      while (!mine.every(({ text }) => text.startsWith('hello'))) await new Promise(setImmediate);
      for (const { transport } of opened) transport.close();
      for (const { transport } of opened) assert.equal(await transport.closed, null);
      while (module.connections > 0) await new Promise(setImmediate);
      const block = module.call('malloc', LARGE);
      module.call('free', block);
      return block;
    };

    const first = await round();
    for (let i = 0; i < 2; i++) assert.equal(await round(), first);
  });
}
