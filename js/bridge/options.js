import { TowlineError } from '../errors.js';

/**
 * What a bridge tells of its connections. `client` is its address, as far as the server sees it; `target` what was asked for.
 * @typedef {object} Refused
 * @property {'refused'} type
 * @property {string} client
 * @property {string} target
 * @property {number} status HTTP's
 *
 * @typedef {object} Opened
 * @property {'opened'} type
 * @property {number} id
 * @property {string} client
 * @property {string} target
 *
 * @typedef {object} Closed
 * @property {'closed'} type
 * @property {number} id
 * @property {string} client
 * @property {string} target
 * @property {number} sent bytes to the target
 * @property {number} received bytes from it
 * @property {string} why
 *
 * @typedef {Refused | Opened | Closed} Entry
 */

/**
 * @typedef {object} BridgeOptions
 * @property {string[]} [allow] the targets, none unless named: 'tcp://host:port', 'tcp://host:*', 'udp://host:port',
 *   'unix:/path', 'NAME=tcp://host:port'
 * @property {string} [listen] 'ws://127.0.0.1:0/' unless given: a port that is free, of this machine only. 'wss://...' takes
 *   `cert` and `key`; 'unix:/path' is for a proxy before it
 * @property {string | Buffer} [cert] the certificate, as PEM
 * @property {string | Buffer} [key] its key, as PEM
 * @property {import('node:http').Server | import('node:https').Server} [server] serve on this one, which stays yours;
 *   `listen` says the path only then
 * @property {string[]} [origins] the pages that may come, as 'https://example.org', or '*' for all. Unless given: pages of the
 *   host that `listen` names; of a loopback address, all of this machine's. What is no browser says no origin, and may come
 * @property {number} [maxConnections] in all: 256
 * @property {number} [maxConnectionsPerAddress] of one IPv4 address or IPv6 network (/64): 32. Behind a proxy all have the
 *   proxy's: give `maxConnections` then, and let the proxy count
 * @property {number} [connectTimeout] milliseconds until the target is reached: 10,000
 * @property {number} [idle] milliseconds without a byte either way, after which a connection ends: 600,000; 0: none
 * @property {number} [buffer] bytes that may wait in each direction before who sends them is held back: 65,536
 * @property {number} [maxMessage] of a WebSocket, in bytes: 1,048,576
 * @property {number} [grace] milliseconds that connections get to end when the bridge closes: 5,000
 * @property {(entry: Entry) => void} [onlog] is told what happens
 */

const defaults = {
  allow: /** @type {string[]} */ ([]),
  listen: 'ws://127.0.0.1:0/',
  maxConnections: 256,
  maxConnectionsPerAddress: 32,
  connectTimeout: 10_000,
  idle: 600_000,
  buffer: 65536,
  maxMessage: 1 << 20,
  grace: 5000,
  onlog: /** @type {(entry: Entry) => void} */ (() => {}),
};

/** What a timer can wait at most, and what a count or a size may be. */
const MOST = 2 ** 31 - 1;

/** @param {string} what */
const wrong = (what) => new TowlineError('EINVAL', `a bridge with ${what}`);

/**
 * A limit that is none would be no limit.
 * @internal
 * @param {BridgeOptions} options
 * @returns {BridgeOptions & typeof defaults}
 */
export function checked(options) {
  const all = /** @type {any} */ ({ ...defaults });
  for (const [name, value] of Object.entries(options)) if (value !== undefined) all[name] = value;
  for (const [name, otherwise] of Object.entries(defaults))
    if (
      typeof all[name] !== typeof otherwise ||
      (typeof otherwise === 'number' && !(all[name] >= 0 && all[name] <= MOST))
    )
      throw wrong(`${name} ${all[name]}`);
  if (all.maxMessage < 1) throw wrong('maxMessage 0'); // which would be any size
  return all;
}

/**
 * Where to listen: 'ws://host:port/path', 'wss://host:port/path' or 'unix:/path'.
 * @internal
 * @param {string} listen
 */
export function place(listen) {
  const unix = /^unix:(.+)$/.exec(listen);
  if (unix) return { where: { path: unix[1] }, isSecure: false, host: '', prefix: '/' };
  const url = URL.canParse(listen) ? new URL(listen) : undefined;
  if (!url || !/^wss?:$/.test(url.protocol) || url.search || url.hash || url.username)
    throw new TowlineError('EADDRESS', `no place to listen: ${listen}`);
  const isSecure = url.protocol === 'wss:';
  return {
    where: {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || (isSecure ? 443 : 80)),
    },
    isSecure,
    host: url.hostname,
    prefix: url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`,
  };
}

/** @param {string} host as a URL has it */
const isLoopback = (host) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);

/**
 * Whether a page is of the host that is listened on. What the request says of its host is not asked: a page may have the name
 * of that host looked up anew, and then find this machine under its own.
 * @internal
 * @param {string} host
 */
export const ofHost = (host) => (/** @type {string} */ origin) => {
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  return hostname !== '' && (hostname === host || (isLoopback(host) && isLoopback(hostname)));
};
