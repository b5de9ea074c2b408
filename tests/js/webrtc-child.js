/** A player in a process of its own: what webrtc-places.js asks by messages. */
import { readFile } from 'node:fs/promises';
import { load } from '../../js/node.js';
import { webrtc } from '../../js/webrtc/index.js';
import { probeFile } from './probe.js';
import { Player } from './webrtc-player.js';

/** @type {Map<number, (text: string) => void>} */
const takers = new Map();
const send = (/** @type {object} */ message) => void (process.connected && process.send?.(message));
let last = 0;

const signalling = (/** @type {string} */ room) => {
  const place = ++last;
  send({ place, room });
  return {
    send: (/** @type {string} */ text) => send({ place, text }),
    receive: (/** @type {(text: string) => void} */ take) => void takers.set(place, take),
    close: () => send({ place, close: true }),
  };
};

const code = readFile(probeFile(process.argv[2]));
const player = new Player((options) => load(code, options), webrtc, signalling);
process.on('message', async (/** @type {any} */ { place, text, ask, name, values }) => {
  if (ask === undefined) return takers.get(place)?.(text);
  const answer = await /** @type {any} */ (player)[name](...values);
  send({ answer: ask, id: answer });
  if (name === 'stop') process.disconnect(); // then nothing keeps it
});
send({});
