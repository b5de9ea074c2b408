/** Where players are: here, in a process of their own, or in a page. Who is far is played by messages. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { load } from '../../js/node.js';
import { webrtc } from '../../js/webrtc/index.js';
import { openBrowser } from '../browser.js';
import { probeFile } from './probe.js';
import { Player } from './webrtc-player.js';

/** A signalling of rooms: who sends is heard by all others in the room. One who is gone without a word is said to be. */
export class Rooms {
  /** @type {Map<string, Set<(text: string) => void>>} */
  #rooms = new Map();
  /** @type {() => void} */
  #left = () => {};

  /** Resolves when nobody is in this room. @param {string} name */
  async empty(name) {
    while ((this.#rooms.get(name)?.size ?? 0) > 0)
      await new Promise((resolve) => {
        this.#left = () => resolve(undefined);
      });
  }

  /** @param {string} name */
  join = (name) => {
    const room = this.#rooms.get(name) ?? new Set();
    this.#rooms.set(name, room);
    let from = '';
    /** @type {(text: string) => void} */
    let take = () => {};
    const hear = (/** @type {string} */ text) => void setImmediate(() => take(text));
    const left = () => this.#left();
    const send = (/** @type {string} */ text) => {
      from = /"from":"(\w+)"/.exec(text)?.[1] ?? '';
      for (const other of room) if (other !== hear) other(text);
    };
    return {
      send,
      receive(/** @type {(text: string) => void} */ taker) {
        take = taker;
        room.add(hear);
      },
      close() {
        take = () => {};
        room.delete(hear);
        left();
      },
      vanish() {
        room.delete(hear);
        left();
        send(JSON.stringify({ from, type: 'bye' }));
      },
    };
  };
}

/** A player here. @param {Rooms} rooms @param {string} build */
export function here(rooms, build) {
  const code = readFile(probeFile(build));
  return new Player((options) => load(code, options), webrtc, rooms.join);
}

const ignore = () => {};

/** The methods of a player that is far. @param {(name: string, values: any[]) => Promise<any>} ask */
const far = (ask) =>
  /** @type {Player} */ (
    new Proxy(
      {},
      {
        get: (_, name) =>
          name === 'then'
            ? undefined
            : (/** @type {any[]} */ ...values) => ask(String(name), values),
      },
    )
  );

/** One in a process of its own, which can be killed. @param {Rooms} rooms @param {string} build */
export async function inProcess(rooms, build) {
  const child = fork(fileURLToPath(new URL('webrtc-child.js', import.meta.url)), [build], {
    serialization: 'advanced', // for Infinity
  });
  /** @type {Map<number, ReturnType<Rooms['join']>>} */
  const places = new Map();
  /** @type {Map<number, (answer: any) => void>} */
  const asked = new Map();
  let last = 0;
  child.on('message', (/** @type {any} */ { place, room, text, close, answer, id }) => {
    if (answer !== undefined) asked.get(answer)?.(id);
    else if (room !== undefined) {
      const joined = rooms.join(room);
      joined.receive((text) => void (child.connected && child.send({ place, text }, ignore)));
      places.set(place, joined);
    } else if (close) places.get(place)?.close();
    else places.get(place)?.send(text);
  });
  child.on('exit', () => {
    for (const place of places.values()) place.vanish();
  });
  await once(child, 'message');
  const player = far(
    (name, values) =>
      new Promise((resolve) => {
        asked.set(++last, resolve);
        child.send({ ask: last, name, values });
      }),
  );
  return { player, child };
}

/** Pages of one Chromium, each with as many players as are wanted. */
export class Pages {
  /** @type {Awaited<ReturnType<typeof openBrowser>> | undefined} */
  #browser;

  /** @param {Rooms} rooms */
  async open(rooms) {
    this.#browser ??= await openBrowser();
    const browser = this.#browser.page.context().browser();
    if (!browser) throw new Error('the browser has gone');
    const page = await browser.newPage();
    /** @type {ReturnType<Rooms['join']>[]} */
    const places = [];
    page.on('close', () => {
      for (const place of places) place.vanish();
    });
    await page.exposeFunction('joinRoom', (/** @type {string} */ room) => {
      const place = rooms.join(room);
      const index = places.push(place) - 1;
      place.receive((text) => void page.evaluate(hear, { index, text }).catch(() => {}));
      return index;
    });
    await page.exposeFunction('say', (/** @type {number} */ index, /** @type {string} */ text) =>
      places[index].send(text),
    );
    await page.exposeFunction('leaveRoom', (/** @type {number} */ index) => places[index].close());
    await page.goto(this.#browser.page.url());
    await page.evaluate(prepare);
    return new Page(page);
  }

  async close() {
    await this.#browser?.close();
  }
}

class Page {
  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.page = page;
  }

  /** @param {string} build */
  async player(build) {
    const index = await this.page.evaluate(
      (build) => /** @type {any} */ (globalThis).newPlayer(build),
      build,
    );
    return far((name, values) => this.page.evaluate(play, { index, name, values }));
  }

  /** As if its process had been killed. */
  close() {
    return this.page.close();
  }
}

// ---- In the page ----

/** @param {{index: number, text: string}} heard */
const hear = ({ index, text }) => /** @type {any} */ (globalThis).takers.get(index)?.(text);

/** @param {{index: number, name: string, values: any[]}} asked */
const play = ({ index, name, values }) =>
  /** @type {any} */ (globalThis).players[index][name](...values);

async function prepare() {
  const at = (/** @type {string} */ path) => import(new URL(path, location.href).href);
  const { load } = await at('/js/index.js');
  const { webrtc } = await at('/js/webrtc/index.js');
  const { Player } = await at('/tests/js/webrtc-player.js');
  const world = /** @type {any} */ (globalThis);
  world.takers = new Map();
  world.players = [];
  const signalling = async (/** @type {string} */ room) => {
    const index = await world.joinRoom(room);
    return {
      send: (/** @type {string} */ text) => void world.say(index, text),
      receive: (/** @type {(text: string) => void} */ take) => world.takers.set(index, take),
      close: () => void world.leaveRoom(index),
    };
  };
  world.newPlayer = (/** @type {string} */ build) => {
    const loadProbe = (/** @type {object} */ options) =>
      load(fetch(`/build/${build}/probe.wasm`), options);
    return world.players.push(new Player(loadProbe, webrtc, signalling)) - 1;
  };
}
