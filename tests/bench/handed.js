/** Loads whose connections are opened here: sockets are handed to a C program as its descriptors from 3 on. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { onCore, program } from './server.js';

/** @typedef {import('node:net').Socket} Socket */

/**
 * Runs a program on the other core; the numbers that it prints.
 * @param {Socket[]} sockets they are its own from then on
 * @param {string} name
 * @param {...(string | number)} args
 */
export async function loadOn(sockets, name, ...args) {
  const [file, ...rest] = onCore(1, [program(name), ...args.map(String)]);
  const load = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe', ...sockets] });
  const ended = once(load, 'exit');
  for (const socket of sockets) socket.destroy();
  const [said, complaint, [code]] = await Promise.all([
    text(/** @type {import('node:stream').Readable} */ (load.stdout)),
    text(/** @type {import('node:stream').Readable} */ (load.stderr)),
    ended,
  ]);
  if (code !== 0) throw new Error(complaint.trim() || `${name} ended with ${code}`);
  return said.trim().split(/\s+/).map(Number);
}

/** Sockets that come to a server, as many as are wanted. @param {net.Server} server @param {number} count */
export function accept(server, count) {
  return new Promise((/** @type {(sockets: Socket[]) => void} */ resolve) => {
    /** @type {Socket[]} */
    const sockets = [];
    server.on('connection', (socket) => {
      if (sockets.push(socket) === count) resolve(sockets);
    });
  });
}

/** A server whose sockets are not read here. */
export async function serve() {
  const server = net.createServer({ pauseOnConnect: true, noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  return { server, port };
}

/**
 * A server that tells 'opening' of a WebSocket: its socket, and what the opening is to be answered with. Nothing comes before
 * that, so that all is left to who gets the socket.
 */
export async function serveWebSockets() {
  const server = http.createServer().listen(0, '127.0.0.1');
  server.on('upgrade', ({ headers }, socket) => {
    const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    server.emit('opening', socket, createHash('sha1').update(key).digest('base64'));
  });
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  return { server, port };
}

/**
 * Starts a program in Node on a core of its own, does something with it, and ends it.
 * @template T
 * @param {string[]} command
 * @param {(subject: {pid: string, line: () => Promise<string>, ask: () => Promise<any>}) => Promise<T>} use `line` is the
 *   next that it prints; `ask` tells it that all was sent, for what it has measured of itself
 */
export async function withSubject(command, use) {
  const [file, ...args] = onCore(0, [process.execPath, ...command]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const gone = ended.then(() => Promise.reject(new Error(`${command.join(' ')} has ended`)));
  const line = async () => (await lines.next()).value;
  const ask = async () => {
    child.stdin.end();
    return JSON.parse(await line());
  };
  try {
    return await Promise.race([use({ pid: String(child.pid), line, ask }), gone]);
  } finally {
    gone.catch(() => {});
    child.kill('SIGKILL');
    await ended;
  }
}
