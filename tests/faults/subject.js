/** The tests' side of the subject (subject/subject.h): a process on one of the hosts, told what to do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const file = (/** @type {string} */ name) =>
  fileURLToPath(new URL(`../../${name}`, import.meta.url));

const node = [process.execPath, file('tests/faults/node.js'), file('build/wasi/faults.wasm')];

/** How the subject is run; where memory is measured, without sanitizers. @type {Record<string, string[]>} */
export const hosts = { native: [file('build/sanitize/faults')], Node: node };
/** @type {Record<string, string[]>} */
export const plainHosts = { native: [file('build/faults')], Node: node };

const portOf = (/** @type {string} */ name) => name.slice(name.lastIndexOf(':') + 1);

/**
 * A line of the subject's.
 * @typedef {{event: string, id?: number} & Record<string, any>} Event
 */

export class Subject {
  /** What it has told, of each connection or child; 0: of none. @type {Map<number, Event[]>} */
  #told = new Map();
  /** Connections by their ports, the peer's first. @type {Map<string, number>} */
  #ids = new Map();
  /** @type {Set<{id: number, matches: (event: Event) => boolean, resolve: (event: Event) => void, reject: (error: Error) => void}>} */
  #waiting = new Set();
  /** @type {Error | undefined} */
  #over;

  /**
   * Starts one, for the length of a test.
   * @param {import('node:test').TestContext} t
   * @param {string[]} command
   */
  static async start(t, [program, ...values]) {
    const self = new Subject(spawn(program, values, { stdio: ['pipe', 'pipe', 'inherit'] }));
    t.after(() => self.#process.kill('SIGKILL'));
    await self.when(0, 'ready');
    return self;
  }

  #process;

  /** @param {import('node:child_process').ChildProcessByStdio<import('node:stream').Writable, import('node:stream').Readable, null>} child */
  constructor(child) {
    this.#process = child;
    this.ended = once(child, 'close');
    child.stdin.on('error', () => {});
    createInterface(child.stdout).on('line', (line) => this.#tell(JSON.parse(line)));
    this.ended.then(([status, signal]) => {
      this.#over = new Error(`the subject ended: ${status ?? signal}`);
      for (const { reject } of this.#waiting) reject(this.#over);
    });
  }

  /** @param {Event} event */
  #tell(event) {
    const { id = 0 } = event;
    if (event.event === 'misunderstood') throw new Error(`${event.verb} ${id} is not understood`);
    const told = this.#told.get(id);
    if (event.event === 'made' && event.peer)
      this.#ids.set(`${portOf(event.peer)} ${portOf(event.own)}`, id);
    if (told) told.push(event);
    else this.#told.set(id, [event]);
    for (const wait of this.#waiting) {
      if (wait.id !== id || !wait.matches(event)) continue;
      this.#waiting.delete(wait);
      wait.resolve(event);
    }
  }

  /** What was told of one, in order; data left out. @param {number} id */
  calls(id) {
    const told = this.#told.get(id) ?? [];
    return told.map(({ event }) => event).filter((name) => name !== 'data' && name !== 'state');
  }

  /** @param {string} text */
  send(text) {
    this.#process.stdin.write(`${text}\n`);
  }

  /**
   * Answers the first such event, told already or yet to come.
   * @param {number} id
   * @param {string} name
   * @param {(event: Event) => boolean} [suits]
   * @param {number} [from] looks not at those before
   * @returns {Promise<Event>}
   */
  when(id, name, suits = () => true, from = 0) {
    const matches = (/** @type {Event} */ event) => event.event === name && suits(event);
    const found = this.#told.get(id)?.slice(from).find(matches);
    if (found) return Promise.resolve(found);
    if (this.#over) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      this.#waiting.add({ id, matches, resolve, reject });
    });
  }

  /** The answer to a command. @param {string} text @param {number} id @param {string} name */
  ask(text, id, name) {
    const from = this.#told.get(id)?.length ?? 0;
    this.send(text);
    return this.when(id, name, () => true, from);
  }

  stats() {
    return this.ask('stats', 0, 'stats');
  }

  /** @param {number} id */
  state(id) {
    return this.ask(`state ${id}`, id, 'state');
  }

  /** @param {number} id @param {number} size */
  received(id, size) {
    return this.when(id, 'data', ({ received }) => received >= size);
  }

  /** The connection whose other end is this socket. @param {net.Socket} socket */
  async idOf({ localPort, remotePort }) {
    for (;;) {
      const id = this.#ids.get(`${localPort} ${remotePort}`);
      if (id !== undefined) return id;
      await new Promise(setImmediate);
    }
  }

  /** How many connections it was told of. */
  get made() {
    return this.#ids.size;
  }

  /** Forgets what it was told. */
  forget() {
    this.#told.clear();
    this.#ids.clear();
  }

  /** Everything that was open is lost, and the memory is back. Answers how it ended. */
  async end() {
    this.#process.stdin.end();
    const { memory } = await this.when(0, 'end');
    const [status] = await this.ended;
    return { memory, status };
  }

  get pid() {
    return /** @type {number} */ (this.#process.pid);
  }

  get descriptors() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** What it has used at most, in KiB. */
  get peak() {
    const status = readFileSync(`/proc/${this.pid}/status`, 'latin1');
    return Number(/VmHWM:\s*(\d+)/.exec(status)?.[1]);
  }
}

const PERIOD = 251;
const patterns = Buffer.from(Array.from({ length: (1 << 20) + PERIOD }, (_, i) => i % PERIOD));

/** The pattern's bytes from `at` on, a mebibyte at most. @param {number} at @param {number} size */
export const pattern = (at, size) => patterns.subarray(at % PERIOD, (at % PERIOD) + size);

/**
 * A server of the test's own: its address, and its sockets one after another.
 * @param {import('node:test').TestContext} t
 */
export async function serve(t) {
  /** Those that nobody has asked for yet. @type {net.Socket[]} */
  const sockets = [];
  /** Those who ask. @type {((socket: net.Socket) => void)[]} */
  const asking = [];
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    const take = asking.shift();
    if (take) take(socket);
    else sockets.push(socket);
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1', 1000);
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  /** @returns {Promise<net.Socket>} */
  const next = () =>
    new Promise((resolve) => {
      const socket = sockets.shift();
      if (socket) resolve(socket);
      else asking.push(resolve);
    });
  return { address: `tcp://127.0.0.1:${port}`, next };
}

/**
 * A socket to a server of the subject's.
 * @param {import('node:test').TestContext} t
 * @param {string} address
 * @param {Partial<net.NetConnectOpts>} [options]
 */
export async function dial(t, address, options) {
  const port = Number(new URL(address).port);
  const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true, ...options });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.pause();
  return socket;
}
