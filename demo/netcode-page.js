/** The netcode's page: a room, the arena, and the others' figures. */
import { load } from '../js/index.js';
import { rendezvous, webrtc } from '../js/webrtc/index.js';
import { make } from './calls.js';
import { HEIGHT, loadNetcode, roomOf, WIDTH } from './netcode.js';
import { Arena, colourOf, SILENT } from './netcode-arena.js';

/** @typedef {import('./netcode.js').Peer} Peer */
/** @typedef {import('./netcode.js').Player} Player */

/** How often the figures are written anew, in milliseconds. */
const FIGURES = 500;
/** How long the rendezvous is let be before it is tried again, at most; a failure is shown for a little longer. */
const PAUSE = 4000;
const FAILURE = 1.5 * PAUSE;
/** Units a millisecond, by the keys. */
const SPEED = 0.09;

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

const form = /** @type {HTMLFormElement} */ (byId('room'));
/** @param {string} name */
const field = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
const canvas = /** @type {HTMLCanvasElement} */ (byId('arena'));
const arena = new Arena(canvas);

// ---- The room ----

/** @type {Player | null} */
let player = null;
/** @type {{ text: string, time: number } | null} */
let failure = null;

const { rendezvous: meeting, room: wanted } = roomOf(location.href);
const carrier = webrtc({
  signalling: rendezvous(meeting, {
    longestPause: PAUSE,
    onerror: ({ message }) => {
      failure = { text: message, time: performance.now() };
    },
  }),
});
const netcode = loadNetcode(load, new URL('../build/wasi/netcode.wasm', import.meta.url), {
  transports: { webrtc: carrier },
});
netcode.catch((error) =>
  setState('failed', `The module could not be loaded: ${/** @type {Error} */ (error).message}`),
);

/** @param {'idle' | 'connecting' | 'connected' | 'failed'} state @param {string} text */
function setState(state, text) {
  const status = byId('status');
  if (status.textContent !== text) status.textContent = text;
  status.dataset.state = state;
  const isIn = state === 'connected' || player !== null;
  byId('join').toggleAttribute('disabled', isIn || state === 'connecting');
  byId('leave').toggleAttribute('disabled', !isIn);
  for (const name of ['room', 'name']) field(name).toggleAttribute('disabled', isIn);
}

async function join() {
  const room = field('room').value;
  const page = new URL(location.href);
  page.searchParams.set('room', room);
  history.replaceState(null, '', page);
  showCommand();
  failure = null;
  setState('connecting', `Joining ${room} …`);
  try {
    player = await (await netcode).join(`webrtc:${room}`, { name: field('name').value });
    showOthers();
    const error = await player.closed;
    player = null;
    showOthers();
    setState(error ? 'failed' : 'idle', error?.message ?? 'Not in a room');
  } catch (error) {
    setState('failed', /** @type {Error} */ (error).message);
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  join();
});
byId('leave').addEventListener('click', () => player?.leave());

function showCommand() {
  byId('command').textContent = `node demo/netcode-node.js '${location.href}'`;
}

// ---- The others ----

/** @param {number} value @param {number} digits @param {string} unit */
function figure(value, digits, unit) {
  if (value < 0) return make('dd', '', '–');
  return make('dd', '', value.toFixed(digits), make('small', '', ` ${unit}`));
}

/** @param {Peer} peer */
function row({ number, name, rate, roundTrip, loss, jitter, silence }) {
  /** @type {[string, HTMLElement][]} */
  const figures = [
    ['Packets', figure(rate, 0, '/s')],
    ['Round trip', figure(roundTrip, roundTrip < 10 ? 1 : 0, 'ms')],
    ['Loss', figure(loss < 0 ? loss : loss * 100, 1, '%')],
    ['Jitter', figure(jitter, 1, 'ms')],
  ];
  const list = make(
    'dl',
    '',
    ...figures.map(([label, value]) => make('div', '', make('dt', '', label), value)),
  );
  const item = make('li', '', make('div', 'name', name), list);
  item.style.setProperty('--peer', colourOf(number));
  item.toggleAttribute('data-silent', silence > SILENT);
  return item;
}

/** @param {number} others */
const company = (others) =>
  others === 0 ? 'alone' : `with ${others} ${others === 1 ? 'other' : 'others'}`;

function showOthers() {
  const peers = player?.look()?.peers ?? [];
  byId('others').replaceChildren(...peers.map(row));
  if (!player) return;
  if (peers.length === 0 && failure && performance.now() - failure.time < FAILURE)
    setState('failed', failure.text);
  else setState('connected', `In ${field('room').value} ${company(peers.length)}`);
}
setInterval(showOthers, FIGURES);

// ---- Moving ----

/** Which way each key goes. @type {Record<string, [number, number]>} */
const ways = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** @type {Set<string>} */
const pressed = new Set();
/** Where the body is to go; null: wherever it likes. @type {{ x: number, y: number } | null} */
let target = null;

/** @param {{ x: number, y: number }} to */
function steer({ x, y }) {
  target = { x: Math.min(Math.max(x, 0), WIDTH), y: Math.min(Math.max(y, 0), HEIGHT) };
  player?.steer(target.x, target.y);
}

canvas.addEventListener('pointermove', (event) => steer(arena.place(event)));
canvas.addEventListener('pointerdown', (event) => steer(arena.place(event)));
canvas.addEventListener('keydown', (event) => {
  if (!(event.key in ways)) return;
  event.preventDefault();
  pressed.add(event.key);
});
canvas.addEventListener('keyup', ({ key }) => pressed.delete(key));
canvas.addEventListener('blur', () => pressed.clear());

let last = performance.now();
/** @param {number} time */
function frame(time) {
  const look = player?.look() ?? null;
  if (look && pressed.size > 0) {
    const from = target ?? look;
    const way = [...pressed].reduce(([x, y], key) => [x + ways[key][0], y + ways[key][1]], [0, 0]);
    const step = SPEED * Math.min(time - last, 100);
    steer({ x: from.x + way[0] * step, y: from.y + way[1] * step });
  }
  last = time;
  arena.draw(look, time);
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);

field('room').value = wanted;
field('name').value = `guest ${100 + Math.floor(Math.random() * 900)}`;
showCommand();
setState('idle', 'Not in a room');
if (new URL(location.href).searchParams.has('room')) join();
