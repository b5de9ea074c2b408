/** What a page does in the benchmark of the browser: with Towline, or by hand. */

/** Milliseconds. @param {number} time */
const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** How much a page that is written by hand lets wait in its WebSocket: what Towline does at most. */
const WINDOW = 4 << 20;

/**
 * Counts what comes, until it ends. Answers how many bytes, and how many in a second of the stretch that is measured.
 * @param {number} seconds
 * @param {() => number} received so far
 * @param {Promise<unknown>} closed
 */
async function count(seconds, received, closed) {
  while (received() === 0) await wait(5);
  await wait(200 * seconds);
  const [begun, before] = [performance.now(), received()];
  await wait(1000 * seconds);
  const rate = (1000 * (received() - before)) / (performance.now() - begun);
  await closed;
  return { rate, bytes: received() };
}

/** A module of programs/protocols.c, connected. @param {string} url @param {string} protocol @param {number} context */
async function connect(url, protocol, context) {
  const { load } = await import('../../../js/index.js');
  const module = await load(new URL('../../../build/wasi/bench.wasm', import.meta.url));
  const { transport } = await module.connect(url, { protocol, context });
  return { module, transport };
}

/** A WebSocket, open. @param {string} url */
async function open(url) {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  return { socket, closed };
}

/** By hand. @param {string} url @param {number} seconds @param {(data: ArrayBuffer) => void} take */
async function receive(url, seconds, take) {
  const { socket, closed } = await open(url);
  let received = 0;
  socket.onmessage = ({ data }) => {
    take(data);
    received += data.byteLength;
  };
  return count(seconds, () => received, closed);
}

/** @type {Record<string, Record<string, (url: string, seconds: number, size: number) => Promise<unknown>>>} */
const ways = {
  towline: {
    /** @param {string} url @param {number} seconds */
    async receive(url, seconds) {
      const { module, transport } = await connect(url, 'sink_new', 1 << 18);
      return count(seconds, () => module.exports.received_bytes(), transport.closed);
    },
    /** @param {string} url @param {number} seconds @param {number} size */
    async send(url, seconds, size) {
      const { transport } = await connect(url, 'source_new', size);
      await wait(1000 * seconds);
      transport.close();
      await transport.closed;
    },
  },
  kept: {
    /** @param {string} url @param {number} seconds @param {number} size */
    receive(url, seconds, size) {
      const memory = new Uint8Array(size);
      return receive(url, seconds, (data) => memory.set(new Uint8Array(data)));
    },
  },
  hand: {
    /** @param {string} url @param {number} seconds */
    receive: (url, seconds) => receive(url, seconds, () => {}),
    /** @param {string} url @param {number} seconds @param {number} size */
    async send(url, seconds, size) {
      const { socket, closed } = await open(url);
      const message = new Uint8Array(size).fill(116);
      const until = performance.now() + 1000 * seconds;
      const pump = () => {
        if (performance.now() > until) return socket.close(1000);
        while (socket.bufferedAmount < WINDOW) socket.send(message);
        setTimeout(pump);
      };
      pump();
      await closed;
    },
  },
};

/**
 * @param {'towline' | 'kept' | 'hand'} way
 * @param {'receive' | 'send'} what
 * @param {string} url
 * @param {number} seconds
 * @param {number} size of a message
 */
export const run = (way, what, url, seconds, size) => ways[way][what](url, seconds, size);
