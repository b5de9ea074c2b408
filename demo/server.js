#!/usr/bin/env node
/** The demo's server: the page, and the peers of its panels: of streams, an MQTT broker, a rendezvous for WebRTC. */
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Rendezvous } from '../js/rendezvous.js';
import { listen, MQTT_PATH, PASSWORD, portOf, startBroker, USER } from './server/broker.js';
import { compiler } from './server/compile.js';
import { Peers, STREAM_PATH } from './server/peer.js';
import { programs } from './server/programs.js';
import { isOurs, requests } from './server/requests.js';

const PAGE_PORT = 8080;
const MQTT_PORT = 1883;
const RENDEZVOUS_PATH = '/rendezvous/';
/** Where only this machine is. */
const LOCAL = ['127.0.0.1', '::1', 'localhost'];

const help = `Usage: node demo/server.js [OPTIONS]

Serves the demo's page and the peers of its panels until interrupted.

  --host ADDRESS     listen there (127.0.0.1)
  --port N           for the page and WebSockets; 0: the system chooses (${PAGE_PORT}, or another if it is taken)
  --mqtt-port N      for MQTT over TCP; 0: the system chooses (${MQTT_PORT}, or another if it is taken)
  --compile          lets the page's last panel have C files built by this machine's compiler: for sources you trust,
                     and only where nobody else can reach it
  --help
`;

/**
 * Whose pages may use what is here: this server's own. When it listens on every address, its names are not known.
 * @param {string} host
 * @param {number} port
 */
function originsOf(host, port) {
  if (['0.0.0.0', '::'].includes(host)) return ['*'];
  return [hostOf(host), 'localhost'].map((name) => `http://${name}:${port}`);
}

/** An address as it stands in an URL. @param {string} host */
const hostOf = (host) => (host.includes(':') ? `[${host}]` : host);

/**
 * Gives WebSockets to the peers of streams, and refuses those that neither the broker nor the rendezvous takes.
 * @param {import('node:http').Server} http
 * @param {Peers} peers
 * @param {() => string[]} origins
 */
function upgrade(http, peers, origins) {
  http.on('upgrade', (request, socket, head) => {
    const [path] = (request.url ?? '').split('?');
    if (path === MQTT_PATH || path.startsWith(RENDEZVOUS_PATH)) return;
    const [, name] = STREAM_PATH.exec(path) ?? [];
    socket.on('error', () => {});
    if (name && isOurs(request, origins())) peers.accept(name, request, socket, head);
    else
      socket.end(
        `HTTP/1.1 ${name ? '403 Forbidden' : '404 Not Found'}\r\nConnection: close\r\n\r\n`,
      );
  });
}

/**
 * Starts everything. The ports that are not given are the usual ones, or others if those are taken.
 * @param {{ host?: string, port?: number, mqttPort?: number, compile?: boolean }} [options]
 */
export async function startDemo({ host = '127.0.0.1', port, mqttPort, compile = false } = {}) {
  if (compile && !LOCAL.includes(host)) throw new Error(`no compiler for all that reach ${host}`);
  const builds = compile ? compiler() : undefined;
  const peers = new Peers();
  /** @type {() => string[]} */
  const origins = () => originsOf(host, portOf(http));
  const config = () => ({
    tcp,
    user: USER,
    password: PASSWORD,
    compile: builds?.token,
    programs: programs(),
  });
  const http = createServer(requests({ peers, origins, config, compile: builds?.compile }));
  upgrade(http, peers, origins);
  const broker = await startBroker(http, {
    host,
    port: mqttPort ?? MQTT_PORT,
    fallback: mqttPort === undefined,
  });
  const name = hostOf(host);
  const tcp = `tcp://${name}:${broker.port}`;
  try {
    await listen(http, { host, port: port ?? PAGE_PORT, fallback: port === undefined });
  } catch (error) {
    await Promise.all([broker.close(), peers.close()]);
    throw error;
  }
  const rendezvous = new Rendezvous({ server: http, path: RENDEZVOUS_PATH, origins: origins() });
  const base = `http://${name}:${portOf(http)}/demo/`;
  return {
    page: base,
    ws: `ws://${name}:${portOf(http)}/mqtt`,
    tcp,
    close: async () => {
      await Promise.all([broker.close(), rendezvous.close(), peers.close(), builds?.close()]);
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** @param {string} message */
function refuse(message) {
  console.error(`server.js: ${message}\nTry \`node demo/server.js --help\`.`);
  process.exit(2);
}

/** @param {string | undefined} text */
function portNumber(text) {
  if (text === undefined) return undefined;
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) refuse(`${text}: not a port`);
  return port;
}

function readArguments() {
  /** @type {import('node:util').ParseArgsConfig['options']} */
  const options = {
    host: { type: 'string' },
    port: { type: 'string' },
    'mqtt-port': { type: 'string' },
    compile: { type: 'boolean' },
    help: { type: 'boolean' },
  };
  try {
    return /** @type {Record<string, string | undefined>} */ (parseArgs({ options }).values);
  } catch (error) {
    return refuse(/** @type {Error} */ (error).message);
  }
}

async function main() {
  const values = readArguments() ?? {};
  if (values.compile && values.host && !LOCAL.includes(values.host))
    refuse(`--compile is for this machine only, not for all that reach ${values.host}`);
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const demo = await startDemo({
    host: values.host,
    port: portNumber(values.port),
    mqttPort: portNumber(values['mqtt-port']),
    compile: values.compile !== undefined,
  });
  console.log(`
  The page        ${demo.page}
  MQTT over TCP   ${demo.tcp}
  MQTT over WS    ${demo.ws}

  No name is needed, or user "${USER}" with password "${PASSWORD}". From a shell, after \`make build/mqtt\`:

      build/mqtt ${demo.tcp} sub 'demo/#' --verbose

  Ctrl-C stops it.
`);
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.once(signal, () => demo.close().then(() => process.exit(0)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  main().catch((error) => {
    console.error(`server.js: ${error.message}`);
    process.exit(1);
  });
