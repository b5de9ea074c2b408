/**
 * TCP in Node, on Towline or on node:net alone: an echo, or a sink that tells what it measured of itself.
 * usage: node-tcp.js towline|net echo|sink SECONDS [PORT]; without a port it serves, and prints its own.
 */
import net from 'node:net';
import { load } from '../../../js/node.js';
import { BUFFER, tellWhenDone } from './stretch.js';

const [kind, what, seconds, port] = process.argv.slice(2);
const address = `tcp://127.0.0.1:${port ?? 0}`;
const many = what === 'echo' ? 10 : 1;

async function towline() {
  const module = await load(new URL('../../../build/wasi/bench.wasm', import.meta.url));
  const options = { protocol: `${what}_new`, context: BUFFER };
  if (port === undefined)
    console.log(new URL((await module.listen(address, options)).address).port);
  else for (let i = 0; i < many; i++) await module.connect(address, options);
  return () => module.exports.received_bytes();
}

function plain() {
  let received = 0;
  const use = (/** @type {net.Socket} */ socket) => {
    socket.setNoDelay();
    socket.on('error', () => {}); // the load's end, with answers under way
    const count = (/** @type {Buffer} */ data) => {
      received += data.length;
    };
    socket.on('data', what === 'echo' ? (data) => socket.write(data) : count);
  };
  const server = net.createServer(use);
  if (port === undefined)
    server.listen(0, '127.0.0.1', () => {
      console.log(/** @type {net.AddressInfo} */ (server.address()).port);
    });
  else for (let i = 0; i < many; i++) use(net.connect({ port: Number(port), host: '127.0.0.1' }));
  return () => received;
}

const received = kind === 'towline' ? await towline() : plain();
if (what === 'sink') tellWhenDone(Number(seconds), received);
