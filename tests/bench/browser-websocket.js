import { once } from 'node:events';
import { openBrowser } from '../browser.js';
import { compare } from './compare.js';
import { loadOn, serveWebSockets } from './handed.js';
import { openUnwatchedPage } from './unwatched-page.js';

/** @type {Record<string, number>} */
const SIZES = { '1 KiB': 1024, '256 KiB': 262144 };
const PROGRAM = '/tests/bench/programs/browser-websocket.js';
/** @typedef {'towline' | 'kept' | 'hand'} Way */
/** @typedef {'receive' | 'send'} What */

/**
 * One run, on a page of its own.
 * @param {Awaited<ReturnType<typeof openUnwatchedPage>>} page
 * @param {Way} way
 * @param {What} what
 * @param {number} size
 * @param {number} seconds
 */
async function measure(page, way, what, size, seconds) {
  const { server, port } = await serveWebSockets();
  const opening = once(server, 'opening');
  try {
    await page.load();
    const ran = page.call(PROGRAM, 'run', way, what, `ws://127.0.0.1:${port}/`, seconds, size);
    ran.catch(() => {});
    const [socket, answer] = await Promise.race([
      opening,
      ran.then(() => Promise.reject(new Error('not opened'))),
    ]);
    const before = await page.busy();
    const begun = performance.now();
    const args = what === 'send' ? ['receive'] : ['messages', 1.4 * seconds + 0.1, size];
    const [bytes] = await loadOn([socket], 'stream_load', ...args, answer);
    const took = (performance.now() - begun) / 1000;
    const result = await ran;
    const cpu = ((await page.busy()) - before) / bytes;
    if (result && result.bytes !== bytes)
      throw new Error(`${bytes} bytes were sent, ${result.bytes} received`);
    const rate = result?.rate ?? bytes / took;
    return { bytes: rate / 1e6, cpu: cpu * 1e12 };
  } finally {
    server.close();
  }
}

/** @type {import('./index.js').Benchmark} */
export default {
  title: 'WebSocket in Chromium',
  about:
    'One connection between a page and a program in C, which sends prepared messages as fast as they are taken, or counts what ' +
    'comes. Received: Towline in a buffered protocol in wasm, by hand in `onmessage`, which only looks how long a message is, or ' +
    '(kept) copies it into memory of its own, as a buffered protocol has it. Sent: a protocol in wasm that writes so much at a time ' +
    'whenever it may; by hand `send` while less than 4 MiB wait, as Towline at most, looked at by `setTimeout`. Small writes of a ' +
    'protocol leave together as one message; by hand each is one. A browser’s processes share the cores as they like, and rates ' +
    'vary much: in full there are twice as many rounds.',
  figures: { bytes: 'MB/s', cpu: 'processor time of the page’s thread for a megabyte, µs' },
  seconds: { full: 900, quick: 45, smoke: 8 },
  async run({ mode, rounds, seconds }, progress) {
    const browser = await openBrowser();
    try {
      const page = await openUnwatchedPage(browser.page);
      const sections = [];
      for (const what of /** @type {What[]} */ (['receive', 'send']))
        for (const [title, size] of Object.entries(SIZES))
          sections.push(
            await compare({
              title: `${what} ${title}`,
              subjects: {
                Towline: () => measure(page, 'towline', what, size, seconds),
                'by hand, kept':
                  what === 'receive' ? () => measure(page, 'kept', what, size, seconds) : undefined,
                'by hand': () => measure(page, 'hand', what, size, seconds),
              },
              targets: [{ figure: 'bytes', of: 'Towline', to: 'by hand', least: 0.95 }],
              rounds: mode === 'full' ? 2 * rounds : rounds,
              progress,
            }),
          );
      return sections;
    } finally {
      await browser.close();
    }
  },
};
