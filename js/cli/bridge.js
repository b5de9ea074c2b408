/** `towline bridge`: the bridge of js/bridge for the shell. */
import { readFile } from 'node:fs/promises';
import { bridge } from '../bridge/node.js';
import { TowlineError } from '../errors.js';
import { printable, wholeNumber } from './text.js';
import { fileFailure, parse, UsageError } from './usage.js';

/** @import { BridgeOptions, Entry } from '../bridge/options.js' */

export const summary = 'lets pages reach TCP, UDP and Unix sockets, those that are named';
export const help = `Usage: towline bridge --allow TARGET... [OPTIONS]

A gateway: each WebSocket that it accepts is one connection to one target. A page asks for
    ws://127.0.0.1:7000/?to=tcp://127.0.0.1:6379
or lets towline/bridge do it: load(url, { transports: bridged('ws://127.0.0.1:7000/') }).

  --allow TARGET         may be connected to; may be repeated. Nothing else may. TARGET is
                           tcp://HOST:PORT   tcp://HOST:*   unix:/PATH
                           udp://HOST:PORT   udp://HOST:*   one datagram a message
                           NAME=TARGET       asked for as ws://127.0.0.1:7000/NAME, and in no other way
  --listen ADDRESS       ws://127.0.0.1:7000/ unless given; port 0: one that is free. wss://... takes --cert and --key,
                         unix:/PATH is for a proxy before it
  --cert FILE, --key FILE
  --origin ORIGIN        pages that may come, https://example.org, or * for all; may be repeated. Unless given: those of
                         the host that is listened on (of this machine, if that is 127.0.0.1). What is no browser
                         names no origin, and may come
  --connections N        at once, in all: 256
  --per-address N        from one IPv4 address or IPv6 network: 32
  --timeout SECONDS      until a target is reached: 10
  --idle SECONDS         ends a connection on which nothing comes either way: 600; 0: never
  --buffer BYTES         may wait in each direction before who sends them is held back: 65536
  --max-message BYTES    of a WebSocket: 1048576
  --grace SECONDS        that connections get to end after SIGINT or SIGTERM: 5; a second signal ends them at once
  -q, --quiet            says nothing of connections
  -v, --verbose          tells of those that were refused, too
`;

const options = /** @type {const} */ ({
  allow: { type: 'string', multiple: true },
  listen: { type: 'string', default: 'ws://127.0.0.1:7000/' },
  cert: { type: 'string' },
  key: { type: 'string' },
  origin: { type: 'string', multiple: true },
  connections: { type: 'string' },
  'per-address': { type: 'string' },
  timeout: { type: 'string' },
  idle: { type: 'string' },
  buffer: { type: 'string' },
  'max-message': { type: 'string' },
  grace: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
  verbose: { type: 'boolean', short: 'v' },
});

/** @param {string | undefined} path */
const read = async (path) => {
  if (path === undefined) return undefined;
  return readFile(path).catch((error) => {
    throw fileFailure(path, error);
  });
};

/**
 * A line of the log. What clients have asked for is shown as a text that cannot be mistaken for one.
 * @param {Entry} entry
 */
function line(entry) {
  const way = `${entry.client} -> ${printable(entry.target, 200)}`;
  if (entry.type === 'refused') return `refused ${way}: ${entry.status}`;
  if (entry.type === 'opened') return `${entry.id} opened ${way}`;
  return `${entry.id} closed ${way}: ${entry.sent} bytes there, ${entry.received} back, ${entry.why}`;
}

/** @param {string} text */
const say = (text) => process.stderr.write(`${text}\n`);

/** A wrong option, as a bridge finds it. @param {BridgeOptions} settings */
async function open(settings) {
  try {
    return await bridge(settings);
  } catch (error) {
    if (error instanceof TowlineError && ['EINVAL', 'EADDRESS'].includes(error.code))
      throw new UsageError(error.message);
    throw error;
  }
}

/** @param {string[]} args */
export async function run(args) {
  const { values } = parse({ args, options });
  const { allow, listen, origin: origins, quiet, verbose } = values;
  if (!allow) throw new UsageError('--allow TARGET is missing: nothing could be connected to');
  const number = (/** @type {keyof typeof values} */ name, scale = 1) =>
    wholeNumber(`--${name}`, /** @type {string | undefined} */ (values[name]), scale);
  const [cert, key] = await Promise.all([read(values.cert), read(values.key)]);
  const gateway = await open({
    allow,
    listen,
    origins,
    cert,
    key,
    maxConnections: number('connections'),
    maxConnectionsPerAddress: number('per-address'),
    connectTimeout: number('timeout', 1000),
    idle: number('idle', 1000),
    buffer: number('buffer'),
    maxMessage: number('max-message'),
    grace: number('grace', 1000),
    onlog: (entry) => {
      if (!quiet && (verbose || entry.type !== 'refused')) say(line(entry));
    },
  });
  say(`listening on ${gateway.address}`);
  await ending(gateway, !quiet);
  return 0;
}

/** @param {Awaited<ReturnType<typeof bridge>>} gateway @param {boolean} isTold */
async function ending(gateway, isTold) {
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => {
    let isClosing = false;
    const close = () => {
      if (isTold && !isClosing && gateway.connections > 0)
        say(`closing; ${gateway.connections} connections may still end by themselves`);
      gateway.close(isClosing ? 0 : undefined).then(resolve);
      isClosing = true;
    };
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, close);
  });
  await ended;
}
