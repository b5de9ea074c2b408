/**
 * The other end of a scenario: plays its `peer_steps` on a real socket or WebSocket. It knows nothing of Towline, and
 * waits for events only (but for the scenario's own sleeps).
 */
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { pattern } from './traces/format.js';

/**
 * @typedef {import('./traces/format.js').Line} Line
 * @typedef {import('./traces/format.js').Scenario} Scenario
 */

const PATIENCE = 20_000;

/** The raw lines of a trace as they come, for a peer that waits for some of them. */
export class Trace extends EventEmitter {
  /** @type {Line[]} */
  lines = [];

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  /** @param {Line} line */
  push(line) {
    this.lines.push(line);
    this.emit('line');
  }

  /**
   * The first line that is so.
   * @param {(line: Line) => boolean} isIt
   * @param {AbortSignal} signal
   * @returns {Promise<Line>}
   */
  async find(isIt, signal) {
    for (;;) {
      const found = this.lines.find(isIt);
      if (found) return found;
      await once(this, 'line', { signal });
    }
  }
}

/**
 * A connection of the peer's. It reads only while somebody waits in `read`, so that a peer that does not read holds
 * the other end back.
 * @typedef {object} Wire
 * @property {() => Promise<Buffer | null>} read null at the end
 * @property {(bytes: Buffer) => Promise<void>} send until the system has taken all
 * @property {() => Promise<void>} shutdown sends no more
 * @property {() => void} close
 * @property {() => void} reset
 * @property {'open' | 'eof' | 'reset'} end
 */

/** What has come, and whoever waits for it. */
class Inbox {
  /** @type {Buffer[]} */
  #chunks = [];
  /** @type {(() => void) | undefined} */
  #wake;
  /** @type {'open' | 'eof' | 'reset'} */
  end = 'open';

  /** @param {Buffer} chunk */
  push(chunk) {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  /** @param {'eof' | 'reset'} end */
  finish(end) {
    if (this.end === 'open') this.end = end;
    this.#wake?.();
  }

  /**
   * @param {() => void} resume called while there is nothing
   * @returns {Promise<Buffer | null>}
   */
  async read(resume) {
    while (this.#chunks.length === 0 && this.end === 'open') {
      /** @type {Promise<void>} */
      const more = new Promise((resolve) => {
        this.#wake = resolve;
      });
      resume();
      await more;
    }
    return this.#chunks.shift() ?? null;
  }
}

/**
 * @param {net.Socket} socket
 * @returns {Wire}
 */
function socketWire(socket) {
  const inbox = new Inbox();
  socket.pause();
  socket.on('data', (/** @type {Buffer} */ chunk) => {
    socket.pause();
    inbox.push(chunk);
  });
  socket.on('end', () => inbox.finish('eof'));
  socket.on('error', () => inbox.finish('reset'));
  socket.on('close', () => inbox.finish('eof'));
  return {
    read: () => inbox.read(() => socket.resume()),
    send: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    shutdown: () => new Promise((resolve) => socket.end(() => resolve())),
    close: () => void socket.destroy(),
    // A Unix socket has no reset: closing it with bytes unread is one.
    reset: () => void (socket.remoteAddress ? socket.resetAndDestroy() : socket.destroy()),
    get end() {
      return inbox.end;
    },
  };
}

/**
 * A WebSocket has no half-close: shutting down is closing with code 1000.
 * @param {import('ws').WebSocket} socket
 * @returns {Wire}
 */
function webSocketWire(socket) {
  const inbox = new Inbox();
  socket.pause();
  socket.on('message', (/** @type {Buffer} */ data) => {
    socket.pause();
    inbox.push(data);
  });
  socket.on('error', () => inbox.finish('reset'));
  socket.on('close', (code) => inbox.finish(code === 1006 ? 'reset' : 'eof'));
  const close = () => {
    socket.resume();
    socket.close(1000);
  };
  return {
    read: () => inbox.read(() => socket.resume()),
    send: (bytes) =>
      new Promise((resolve, reject) => {
        socket.send(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    shutdown: async () => close(),
    close,
    reset: () => socket.terminate(),
    get end() {
      return inbox.end;
    },
  };
}

/**
 * What a transport's other end is made of.
 * @typedef {object} Door
 * @property {string} spec where the system under test finds it: tcp:HOST:PORT, unix:PATH, listen:tcp, ws://HOST:PORT
 * @property {() => Promise<Wire>} wire the one connection
 * @property {() => Promise<void>} close may be called twice
 * @property {() => Promise<void>} [refuse] leaves an address that nobody listens on
 * @property {() => void} [ignore] lets whoever connects wait
 */

/**
 * @param {net.Server} server
 * @param {net.ListenOptions} where
 * @param {(server: net.Server) => string} spec
 * @returns {Promise<Door>}
 */
async function listening(server, where, spec) {
  /** @type {Set<net.Socket>} */
  const sockets = new Set();
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    sockets.add(socket);
  });
  /** @type {Promise<net.Socket[]>} */
  const connection = once(server, 'connection');
  connection.catch(() => {});
  server.listen(where);
  await once(server, 'listening');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    spec: spec(server),
    wire: async () => socketWire((await connection)[0]),
    close,
    refuse: close,
  };
}

const halfOpen = { allowHalfOpen: true, pauseOnConnect: true };

/** @param {net.Server} server */
const portOf = (server) => /** @type {net.AddressInfo} */ (server.address()).port;

const doors = {
  tcp: () =>
    listening(
      net.createServer(halfOpen),
      { host: '127.0.0.1', port: 0 },
      (server) => `tcp:127.0.0.1:${portOf(server)}`,
    ),

  async unix() {
    const folder = await mkdtemp(join(tmpdir(), 'towline-'));
    const path = join(folder, 's');
    const door = await listening(net.createServer(halfOpen), { path }, () => `unix:${path}`);
    const close = async () => {
      await door.close();
      await rm(folder, { recursive: true, force: true });
    };
    // A closing server removes its socket: it is to stay, with nobody behind it.
    const refuse = async () => {
      await rename(path, `${path}.kept`);
      await door.close();
      await rename(`${path}.kept`, path);
    };
    return { ...door, close, refuse };
  },

  /** @type {(trace: Trace, signal: AbortSignal) => Promise<Door>} */
  async 'tcp-server'(trace, signal) {
    /** @type {net.Socket | undefined} */
    let socket;
    return {
      spec: 'listen:tcp',
      async wire() {
        const { listening: port } = await trace.find((line) => 'listening' in line, signal);
        socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true });
        const wire = socketWire(socket);
        await once(socket, 'connect', { signal });
        return wire;
      },
      close: async () => void socket?.destroy(),
    };
  },

  /** @returns {Promise<Door>} */
  async ws() {
    const http = createServer();
    /** @type {Set<import('node:stream').Duplex>} */
    const sockets = new Set();
    const server = new WebSocketServer({ server: http, perMessageDeflate: false });
    http.listen(0, '127.0.0.1');
    /** @type {Promise<import('ws').WebSocket>} */
    const connection = new Promise((resolve) => {
      server.once('connection', (socket) => {
        socket.pause();
        resolve(socket);
      });
    });
    await once(http, 'listening');
    const close = async () => {
      for (const socket of server.clients) socket.terminate();
      for (const socket of sockets) socket.destroy();
      http.closeAllConnections();
      if (http.listening) await new Promise((resolve) => http.close(resolve));
    };
    return {
      spec: `ws://127.0.0.1:${portOf(http)}/`,
      wire: async () => webSocketWire(await connection),
      close,
      refuse: close,
      ignore() {
        http.removeAllListeners('upgrade');
        http.on('upgrade', (_request, socket) => sockets.add(socket));
      },
    };
  },
};

/** A transport that a peer can be the other end of. @typedef {keyof typeof doors} Transport */

/** A connection that never comes to be leaves the peer nothing to do. @param {Scenario} scenario */
const isAlone = (scenario) => Boolean(scenario.refuse || scenario.cancel || scenario.silent);

export class Peer {
  #steps;
  #trace;
  #door;
  #ending = new AbortController();
  #sent = 0;
  /** @type {Buffer[]} */
  #received = [];
  /** Read, but beyond what a step asked for. */
  #rest = Buffer.alloc(0);
  /** What a read has found. @type {Wire['end']} */
  #end = 'open';
  /** @type {string | undefined} */
  #error;

  /**
   * @param {Scenario} scenario
   * @param {Trace} trace
   * @param {Door} door
   * @param {AbortController} ending
   */
  constructor(scenario, trace, door, ending) {
    /** @type {Line[]} */
    this.#steps = scenario.peer_steps ?? [];
    this.#trace = trace;
    this.#door = door;
    this.#ending = ending;
    this.spec = door.spec;
    this.isAlone = isAlone(scenario);
  }

  /**
   * @param {Scenario} scenario
   * @param {Transport} transport
   * @param {Trace} trace
   */
  static async open(scenario, transport, trace) {
    const ending = new AbortController();
    const door = await doors[transport](trace, ending.signal);
    if (scenario.refuse) await door.refuse?.();
    if (scenario.silent) door.ignore?.();
    return new Peer(scenario, trace, door, ending);
  }

  /** Plays all steps; never rejects: what went wrong is in the report. */
  async play() {
    if (this.isAlone) return;
    const timer = setTimeout(() => this.#ending.abort(), PATIENCE);
    try {
      await Promise.race([this.#playAll(), once(this.#ending.signal, 'abort')]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #playAll() {
    try {
      const wire = await this.#door.wire();
      for (const step of this.#steps) await this.#play(wire, step);
    } catch (error) {
      this.#error = String(error);
    }
  }

  /**
   * @param {Wire} wire
   * @param {Line} step
   */
  async #play(wire, step) {
    const { signal } = this.#ending;
    switch (step.peer) {
      case 'send':
        return wire.send(this.#payload(step));
      case 'recv':
        return this.#receive(wire, step.n);
      case 'recv_eof':
        return this.#receive(wire, Infinity, step.slow_ms);
      case 'shutdown':
        return wire.shutdown();
      case 'close':
        return wire.close();
      case 'reset':
        return wire.reset();
      case 'sleep':
        return sleep(step.ms, undefined, { signal });
      case 'wait_mark':
        await this.#trace.find((line) => line.op === 'mark' && line.label === step.label, signal);
        return;
      case 'wait_cb':
        await this.#trace.find((line) => line.cb === step.cb, signal);
        return;
      default:
        throw new Error(`no such step: ${step.peer}`);
    }
  }

  /** @param {Line} step */
  #payload(step) {
    if ('text' in step) return Buffer.from(step.text);
    const bytes = pattern(this.#sent, step.n);
    this.#sent += step.n;
    return bytes;
  }

  /**
   * @param {Wire} wire
   * @param {number} size
   * @param {number} [pause] milliseconds between two reads
   */
  async #receive(wire, size, pause) {
    for (let left = size; left > 0; ) {
      const chunk = this.#rest.length ? this.#rest : await wire.read();
      if (!chunk) {
        this.#end = wire.end;
        return;
      }
      const taken = chunk.subarray(0, left);
      this.#rest = chunk.subarray(taken.length);
      this.#received.push(taken);
      left -= taken.length;
      if (pause) await sleep(pause);
    }
  }

  /**
   * What the peer has seen.
   * @returns {Line[]}
   */
  report() {
    if (this.isAlone) return [];
    const hex = Buffer.concat(this.#received).toString('hex');
    /** @type {Line[]} */
    const lines = [{ peer: 'report', hex, end: this.#end }];
    if (this.#error) lines.push({ peer: 'error', msg: this.#error });
    return lines;
  }

  async close() {
    this.#ending.abort();
    await this.#door.close();
  }
}
