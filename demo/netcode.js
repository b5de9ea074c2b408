/**
 * The module `netcode` (netcode_wasm.c) for JavaScript, in Node and in the browser.
 *
 *     import { load } from 'towline';
 *     const netcode = await loadNetcode(load, new URL('../build/wasi/netcode.wasm', import.meta.url));
 *     const player = await netcode.join('udp://127.0.0.1:4000', { name: 'Ada' });
 *     player.steer(80, 50);
 *     for (const peer of player.look().peers) console.log(peer.name, peer.x, peer.y, peer.roundTrip);
 *     player.leave();
 *     await player.closed;
 */
import { TowlineError } from '../js/errors.js';

/** @typedef {import('../js/index.js').Module} Module */
/** @typedef {import('../js/index.js').Transport} Transport */
/** @typedef {typeof import('../js/index.js').load} Load */

/** The arena, as in netcode_packet.h. */
export const WIDTH = 160;
export const HEIGHT = 100;

/** Which room a page's address means, and where those in it find each other. @param {string | URL} page */
export function roomOf(page) {
  const { protocol, host, searchParams } = new URL(page);
  const rendezvous = `${protocol.replace('http', 'ws')}//${host}/rendezvous`;
  return { rendezvous, room: searchParams.get('room') || 'lobby' };
}

/**
 * One of the others, a tenth of a second ago. Figures that are not known yet are negative.
 * @typedef {object} Peer
 * @property {number} number of the place it came in
 * @property {number} session chosen by it at random
 * @property {string} name
 * @property {number} x
 * @property {number} y
 * @property {number} rate packets received a second
 * @property {number} roundTrip milliseconds
 * @property {number} loss of what was sent to it, from 0 to 1
 * @property {number} jitter milliseconds
 * @property {number} silence milliseconds since it was heard
 */

/** Words of 32 bits of a `look` and of a `look_peer`. */
const LOOK_WORDS = 4;
const PEER_WORDS = 10;

/** One participant: it moves by itself until it is steered. */
export class Player {
  #module;
  #game;

  /** @param {Module} module @param {number} game @param {Transport} transport */
  constructor(module, game, transport) {
    this.#module = module;
    this.#game = game;
    this.transport = transport;
    /** What ended it: null after `leave`. Never rejects. */
    this.closed = transport.closed.then((error) => {
      this.#game = 0;
      release(module, game);
      return error;
    });
  }

  /** @param {number} x @param {number} y */
  steer(x, y) {
    if (this.#game !== 0) this.#module.call('netcode_game_steer', this.#game, x, y);
  }

  /** How it is now; null when it has ended. */
  look() {
    if (this.#game === 0) return null;
    const at = this.#module.call('netcode_game_look', this.#game);
    const { memory } = this.#module;
    const count = memory.word(at + 12);
    const { buffer, byteOffset } = memory.bytes(at, 4 * (LOOK_WORDS + count * PEER_WORDS));
    const words = new Uint32Array(buffer, byteOffset);
    const floats = new Float32Array(buffer, byteOffset);
    /** @type {Peer[]} */
    const peers = [];
    for (let i = LOOK_WORDS; peers.length < count; i += PEER_WORDS) {
      const [x, y, rate, roundTrip, loss, jitter, silence] = floats.subarray(i + 3, i + PEER_WORDS);
      const name = memory.string(words[i + 2]);
      const [number, session] = [words[i], words[i + 1]];
      peers.push({ number, session, name, x, y, rate, roundTrip, loss, jitter, silence });
    }
    return { session: words[0], x: floats[1], y: floats[2], peers };
  }

  leave() {
    this.transport.close();
  }
}

/** @param {Module} module @param {number} game */
function release(module, game) {
  try {
    module.call('netcode_game_free', game);
  } catch {
    // The module has trapped, and its memory is gone with it.
  }
}

/** The loaded module. */
export class Netcode {
  /** @param {Module} module */
  constructor(module) {
    this.module = module;
  }

  /**
   * Takes part: with the one at this address, or with all who come to it.
   * @param {string} address
   * @param {{ name?: string, bind?: boolean } & Omit<import('../js/own-request.js').Options, 'protocol' | 'context'>} [settings]
   *   `bind`: be at this address for whoever comes (as `webrtc:ROOM` is, unless said)
   */
  async join(address, { name = '', bind = /^webrtc:[^/]*$/.test(address), ...options } = {}) {
    const { module } = this;
    const random = crypto.getRandomValues(new Uint32Array(2));
    const game = module.call('netcode_game_new', module.loop, ...random, name.replaceAll('\0', ''));
    if (game === 0) throw new TowlineError('ENOMEM', 'out of memory');
    const all = { ...options, protocol: 'netcode_game_protocol', context: game };
    try {
      const { transport } = await (bind ? module.bind(address, all) : module.connect(address, all));
      return new Player(module, game, transport);
    } catch (error) {
      release(module, game);
      throw error;
    }
  }

  /** Ends all that take part, and the module. */
  close() {
    return this.module.close();
  }
}

/**
 * @param {Load} load of the package, for Node or for a browser
 * @param {Parameters<Load>[0]} source where build/wasi/netcode.wasm is
 * @param {Parameters<Load>[1]} [options]
 */
export const loadNetcode = async (load, source, options) =>
  new Netcode(await load(source, options));
