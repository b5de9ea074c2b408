import { once } from 'node:events';
import { compare } from './compare.js';
import { loadOn, serveWebSockets, withSubject } from './handed.js';
import { warming } from './programs/stretch.js';
import { source } from './server.js';

/** @type {Record<string, number>} */
const SIZES = { '64 B': 64, '1 KiB': 1024, '64 KiB': 65536, '1 MiB': 1 << 20 };

/** @param {string} kind @param {number} size @param {number} seconds */
async function receive(kind, size, seconds) {
  const { server, port } = await serveWebSockets();
  const opening = once(server, 'opening');
  const command = [source('node-websocket.js'), kind, String(seconds), String(port)];
  try {
    return await withSubject(command, async ({ ask }) => {
      const [socket, answer] = await opening;
      const time = warming(seconds) + 1.2 * seconds + 0.1;
      const [sent] = await loadOn([socket], 'stream_load', 'messages', time, size, answer);
      const { bytes, cpu, received } = await ask();
      if (received !== sent) throw new Error(`${sent} bytes were sent, ${received} received`);
      return { messages: bytes / size, bytes: bytes / 1e6, cpu: cpu * size };
    });
  } finally {
    server.close();
  }
}

/** @type {import('./index.js').Benchmark} */
export default {
  title: 'WebSocket in Node: received',
  about:
    'One connection; a program in C sends prepared messages as fast as they are taken, from the other core. Both clients only ' +
    'count: Towline in a buffered protocol in wasm, `ws` in a listener for its messages.',
  figures: { messages: 'messages/s', bytes: 'MB/s', cpu: 'processor time of a message, µs' },
  charts: [
    {
      figure: 'cpu',
      title: 'WebSocket in Node: processor time, beside Towline’s',
      base: 'Towline',
    },
  ],
  seconds: { full: 340, quick: 36, smoke: 4 },
  async run({ rounds, seconds }, progress) {
    const sections = [];
    for (const [title, size] of Object.entries(SIZES))
      sections.push(
        await compare({
          title,
          subjects: {
            Towline: () => receive('towline', size, seconds),
            ws: () => receive('ws', size, seconds),
          },
          targets: [{ figure: 'messages', of: 'Towline', to: 'ws', least: 0.95 }],
          rounds,
          progress,
        }),
      );
    return sections;
  },
};
