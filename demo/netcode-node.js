#!/usr/bin/env node
/** The netcode in Node: over UDP, as build/netcode, or over WebRTC, with the pages of a room. */
import { setTimeout as after } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { load } from '../js/node.js';
import { loadNetcode, roomOf } from './netcode.js';

const SECOND = 1000;

const help = `Usage: node demo/netcode-node.js PAGE             meet the others in the room of a page
       node demo/netcode-node.js udp://HOST:PORT  send to the one who listens there

Moves a point on a path, sends its position 60 times a second, and prints every second and for each peer: packets
received a second, round trip, loss of what was sent, jitter, and where it was a tenth of a second ago.

PAGE is the address of the demo's page, with the room: http://127.0.0.1:8080/demo/?room=lobby. For that the package
node-datachannel is needed.

  --seconds N   leave after so long
  --name NAME   what the others call this one; 16 characters of ASCII
  --help
`;

/** What it takes to be in a page's room: an address, and who carries it. @param {string} page */
async function meet(page) {
  const { webrtc, rendezvous } = await import('../js/webrtc/index.js');
  const { rendezvous: url, room } = roomOf(page);
  const carrier = webrtc({ signalling: rendezvous(url) });
  return { address: `webrtc:${room}`, transports: { webrtc: carrier } };
}

/** @param {number} value @param {number} digits */
const figure = (value, digits) => (value < 0 ? '-' : value.toFixed(digits));

/** @param {import('./netcode.js').Peer} peer */
function print({ name, rate, roundTrip, loss, jitter, x, y }) {
  const figures = [
    `received ${figure(rate, 1)} packets/s`,
    `round trip ${figure(roundTrip, 2)} ms`,
    `loss ${figure(loss * 100, 1)} %`,
    `jitter ${figure(jitter, 2)} ms`,
    `at ${x.toFixed(1)} ${y.toFixed(1)}`,
  ];
  console.log([name, ...figures].join('  '));
}

/** @param {string} where @param {string} name @param {number} seconds */
async function run(where, name, seconds) {
  const met = /^https?:/.test(where) ? await meet(where) : { address: where, transports: {} };
  const source = new URL('../build/wasi/netcode.wasm', import.meta.url);
  const netcode = await loadNetcode(load, source, { transports: met.transports });
  const leaving = new AbortController();
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.once(signal, () => leaving.abort());
  let heard = false;
  try {
    const player = await netcode.join(met.address, { name, signal: leaving.signal });
    console.log(`joined ${met.address}`);
    for (let i = 0; i < seconds && !leaving.signal.aborted; i++) {
      await after(SECOND, undefined, { signal: leaving.signal }).catch(() => {});
      const peers = player.look()?.peers ?? [];
      heard ||= peers.length > 0;
      peers.forEach(print);
    }
    player.leave();
    await player.closed;
  } finally {
    await netcode.close();
  }
  if (!heard && !leaving.signal.aborted) throw new Error(`${where}: nobody was heard`);
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string', default: 'node' },
      seconds: { type: 'string', default: 'Infinity' },
      help: { type: 'boolean' },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error(`${values.seconds}: not a number of seconds`);
  if (!values.help && positionals.length !== 1) throw new Error('one address is needed');
  return { ...values, seconds, where: positionals[0] };
}

/** @param {unknown} error @param {number} status @param {string} more */
function fail(error, status, more = '') {
  console.error(`netcode-node.js: ${/** @type {Error} */ (error).message}${more}`);
  process.exitCode = status;
}

async function main() {
  let given;
  try {
    given = readArguments();
  } catch (error) {
    return fail(error, 2, '\nTry `node demo/netcode-node.js --help`.');
  }
  if (given.help) process.stdout.write(help);
  else await run(given.where, given.name, given.seconds).catch((error) => fail(error, 1));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
