import { once } from 'node:events';
import net from 'node:net';
import { compare } from './compare.js';
import { accept, loadOn, serve, withSubject } from './handed.js';
import { warming } from './programs/stretch.js';
import { source } from './server.js';

/** @type {Record<string, string>} */
const KINDS = { Towline: 'towline', 'node:net': 'net' };
const CONNECTIONS = 10;

/** @param {string[]} command @param {number} count @param {(sockets: net.Socket[], subject: any) => Promise<any>} use */
async function asClient(command, count, use) {
  const { server, port } = await serve();
  const come = accept(server, count);
  try {
    return await withSubject([...command, String(port)], async (subject) =>
      use(await come, subject),
    );
  } finally {
    server.close();
  }
}

/** @param {string[]} command @param {number} count @param {(sockets: net.Socket[], subject: any) => Promise<any>} use */
const asServer = (command, count, use) =>
  withSubject(command, async (subject) => {
    const port = Number(await subject.line());
    const sockets = Array.from({ length: count }, () => net.connect(port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket.setNoDelay(), 'connect')));
    return use(sockets, subject);
  });

const ROLES = { client: asClient, server: asServer };
/** @typedef {keyof typeof ROLES} Role */

/** @param {string} kind @param {Role} role @param {number} seconds */
const bulk = (kind, role, seconds) =>
  ROLES[role](
    [source('node-tcp.js'), kind, 'sink', String(seconds)],
    1,
    async (sockets, subject) => {
      const [sent] = await loadOn(sockets, 'stream_load', 'send', 1.4 * seconds + 0.1);
      const { bytes, cpu, received } = await subject.ask();
      if (received !== sent) throw new Error(`${sent} bytes were sent, ${received} received`);
      return { bytes: bytes / 1e6, cpu: cpu * 1e6 };
    },
  );

/** @param {string} kind @param {Role} role @param {number} size @param {number} seconds */
const echo = (kind, role, size, seconds) =>
  ROLES[role]([source('node-tcp.js'), kind, 'echo', '0'], CONNECTIONS, async (sockets, { pid }) => {
    const [messages, took, cpu] = await loadOn(
      sockets,
      'echo_load',
      0,
      pid,
      CONNECTIONS,
      size,
      `${seconds}s`,
      warming(seconds),
    );
    return { messages: messages / took, cpu: (cpu / messages) * 1e6 };
  });

/** @template T @param {(kind: string) => Promise<T>} run */
const both = (run) =>
  Object.fromEntries(Object.entries(KINDS).map(([name, kind]) => [name, () => run(kind)]));

/** @param {string} figure @param {number} least @returns {import('./compare.js').Target[]} */
const target = (figure, least) => [{ figure, of: 'Towline', to: 'node:net', least }];

/** What is to be reached at least, by role. @type {[title: string, size: number, least: Record<Role, number>][]} */
const ECHOES = [
  ['1 KiB', 1024, { client: 1, server: 1 }],
  ['100 KiB', 100 * 1024, { client: 1.5, server: 1.5 }],
];
/** @type {Record<Role, number>} */
const BULK = { client: 1.4, server: 1 };

/** @type {import('./index.js').Benchmark} */
export default {
  title: 'TCP in Node',
  about:
    "Bulk: one connection, to a program that only counts: a buffered protocol in wasm, or `socket.on('data')`; the sender’s kernel " +
    'hands on pages without copying them, so that the receiver is what is slow. Echo: 10 connections, one message at a time on ' +
    "each, every byte checked: a buffered protocol in wasm, or `socket.on('data', (data) => socket.write(data))`. The load has a " +
    'core, Node the other.',
  figures: {
    bytes: 'MB/s',
    messages: 'messages/s',
    cpu: 'processor time of a message, of a megabyte, µs',
  },
  charts: [
    { figure: 'cpu', title: 'TCP in Node: processor time, beside Towline’s', base: 'Towline' },
  ],
  seconds: { full: 450, quick: 73, smoke: 9 },
  async run({ rounds, seconds }, progress) {
    const sections = [];
    for (const role of /** @type {Role[]} */ (['client', 'server'])) {
      const subjects = both((kind) => bulk(kind, role, seconds));
      const targets = target('bytes', BULK[role]);
      sections.push(await compare({ title: `bulk, ${role}`, subjects, targets, rounds, progress }));
      for (const [name, size, least] of ECHOES) {
        const title = `echo of ${name}, ${role}`;
        const subjects = both((kind) => echo(kind, role, size, seconds));
        const targets = target('messages', least[role]);
        sections.push(await compare({ title, subjects, targets, rounds, progress }));
      }
    }
    return sections;
  },
};
