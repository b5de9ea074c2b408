/** The tests' side of the subject (subject/subject.h): a process on one of the hosts, told what to do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Events } from './events.js';

const file = (/** @type {string} */ name) =>
  fileURLToPath(new URL(`../../${name}`, import.meta.url));

const node = [process.execPath, file('tests/faults/node.js'), file('build/wasi/faults.wasm')];

/** How the subject is run; where memory is measured, without sanitizers. @type {Record<string, string[]>} */
export const hosts = { native: [file('build/sanitize/faults')], Node: node };
/** @type {Record<string, string[]>} */
export const plainHosts = { native: [file('build/faults')], Node: node };

/** In KiB: what /proc says of a process. @param {number} pid @param {string} what */
function statusOf(pid, what) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`${what}:\\s*(\\d+)`).exec(status)?.[1]);
}

/** In KiB: what a process has in memory, but for what it has of files. @param {number} pid */
export const memoryOf = (pid) => statusOf(pid, 'RssAnon') + statusOf(pid, 'RssShmem');

const portOf = (/** @type {string} */ name) => name.slice(name.lastIndexOf(':') + 1);

export class Subject extends Events {
  /** Connections by their ports, the peer's first. @type {Map<string, number>} */
  #ids = new Map();
  /** Those asked for before they are told of. @type {Map<string, {resolve: (id: number) => void, reject: (error: Error) => void}>} */
  #asked = new Map();

  /**
   * Starts one, for the length of a test.
   * @param {import('./events.js').Scope} t
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
    super();
    this.#process = child;
    this.ended = once(child, 'close');
    child.stdin.on('error', () => {});
    createInterface(child.stdout).on('line', (line) => this.tell(JSON.parse(line)));
    this.ended.then(([status, signal]) =>
      this.fail(new Error(`the subject ended: ${status ?? signal}`)),
    );
  }

  /** @param {import('./events.js').Event} event @override */
  tell(event) {
    const { id = 0 } = event;
    if (event.event === 'made' && event.peer) {
      const ports = `${portOf(event.peer)} ${portOf(event.own)}`;
      this.#ids.set(ports, id);
      this.#asked.get(ports)?.resolve(id);
      this.#asked.delete(ports);
    }
    super.tell(event);
  }

  /** @param {Error} error @override */
  fail(error) {
    super.fail(error);
    for (const { reject } of this.#asked.values()) reject(error);
  }

  /** @param {string} text @override */
  send(text) {
    this.#process.stdin.write(`${text}\n`);
  }

  /**
   * The connection whose other end is this socket.
   * @param {net.Socket} socket
   * @returns {Promise<number>}
   */
  async idOf({ localPort, remotePort }) {
    const ports = `${localPort} ${remotePort}`;
    return (
      this.#ids.get(ports) ??
      new Promise((resolve, reject) => this.#asked.set(ports, { resolve, reject }))
    );
  }

  /** How many connections it was told of. */
  get made() {
    return this.#ids.size;
  }

  /** Forgets what it was told. @override */
  forget() {
    super.forget();
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

  /** In KiB, now. */
  get memory() {
    return memoryOf(this.pid);
  }

  /** What it has used at most, in KiB. */
  get peak() {
    return statusOf(this.pid, 'VmHWM');
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
