/** How a peer and the system under test find each other: a room for two, in this process or with one of them in a page. */

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('../../js/webrtc/signalling.js').Signalling} Signalling */
/** @typedef {(text: string) => void} Take */

let count = 0;
/** By name. @type {Map<string, Room>} */
const rooms = new Map();

/** What one says the other hears, a while later. */
export class Room {
  name = `room-${++count}`;
  /** The peer's, and the other's. @type {(Take | undefined)[]} */
  takers = [];

  constructor() {
    rooms.set(this.name, this);
  }

  /** @param {0 | 1} listener @param {string} text */
  say(listener, text) {
    setImmediate(() => this.takers[listener]?.(text));
  }

  close() {
    this.takers = [];
    rooms.delete(this.name);
  }
}

/** What the system under test is given. @param {string} name @returns {Signalling} */
export function join(name) {
  const room = rooms.get(name);
  return {
    send: (text) => room?.say(0, text),
    receive(take) {
      if (room) room.takers[1] = take;
    },
    close() {
      if (room) room.takers[1] = undefined;
    },
  };
}

/** The same for what runs in a page: `signalling`. @param {Page} page */
export async function joinFrom(page) {
  /** @type {Map<string, Signalling>} */
  const places = new Map();
  await page.exposeFunction('joinRoom', (/** @type {string} */ name) => {
    const place = join(name);
    places.set(name, place);
    place.receive((text) => void page.evaluate(hear, { name, text }).catch(() => {}));
  });
  await page.exposeFunction('say', (/** @type {string} */ name, /** @type {string} */ text) =>
    places.get(name)?.send(text),
  );
  await page.exposeFunction('leaveRoom', (/** @type {string} */ name) => {
    places.get(name)?.close?.();
    places.delete(name);
  });
  await page.evaluate(prepare);
}

// ---- In the page ----

/** @param {{name: string, text: string}} said */
const hear = ({ name, text }) => /** @type {any} */ (globalThis).takers.get(name)?.(text);

function prepare() {
  const page = /** @type {any} */ (globalThis);
  page.takers = new Map();
  page.signalling = async (/** @type {string} */ name) => {
    await page.joinRoom(name);
    return {
      send: (/** @type {string} */ text) => void page.say(name, text),
      receive: (/** @type {Take} */ take) => void page.takers.set(name, take),
      close() {
        page.takers.delete(name);
        page.leaveRoom(name);
      },
    };
  };
}
