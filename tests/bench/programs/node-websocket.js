/**
 * A WebSocket client in Node that only counts, on Towline or on the package ws alone; it tells what it measured of itself.
 * usage: node-websocket.js towline|ws SECONDS PORT
 */
import { WebSocket } from 'ws';
import { load } from '../../../js/node.js';
import { BUFFER, tellWhenDone, warming } from './stretch.js';

const [kind, time, port] = process.argv.slice(2);
const seconds = Number(time);
const address = `ws://127.0.0.1:${port}/`;

async function towline() {
  const module = await load(new URL('../../../build/wasi/bench.wasm', import.meta.url));
  await module.connect(address, {
    protocol: 'sink_new',
    context: BUFFER,
  });
  return () => module.exports.received_bytes();
}

function plain() {
  let received = 0;
  const socket = new WebSocket(address, { perMessageDeflate: false });
  socket.on('message', (/** @type {Buffer} */ data) => {
    received += data.length;
  });
  return () => received;
}

const received = kind === 'towline' ? await towline() : plain();
await tellWhenDone(seconds, received, warming(seconds));
