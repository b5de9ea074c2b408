/** Every transport that protocols in JavaScript have, each with what plays a scenario over it. */
import { Loop } from '../../js/node.js';
import { webrtc } from '../../js/webrtc/index.js';
import { workers } from '../../js/worker/node.js';
import { fromRoot } from '../adapters.js';
import { openBrowser } from '../browser.js';
import { descriptorOf } from '../peer/pipe.js';
import { join, joinFrom } from '../peer/signalling.js';
import { memoryDoor } from './memory-door.js';
import { run } from './open.js';
import { framedServerDoor, unixServerDoor, webSocketServerDoor } from './server-doors.js';

/** @typedef {import('../adapters.js').Adapter} Adapter */
/** @typedef {import('../adapters.js').Host} Host */
/** @typedef {import('../adapters.js').Details} Details */

const child = fromRoot('build/child');

/** @type {Adapter} */
const node = {
  run: ({ scenario, spec = '', print }) => {
    const fd = spec.startsWith('fd:') ? `fd:${descriptorOf(spec)}` : spec;
    return run({ loop: new Loop(), scenario, spec: fd, child, print });
  },
};

/** Over data channels: to this name, and nothing may get lost. @type {Adapter} */
const channels = {
  run: ({ scenario, spec = '', print }) => {
    const reliable = { ordered: true, maxRetransmits: Number.POSITIVE_INFINITY };
    const carrier = webrtc({ signalling: join, name: 'subject', ...reliable });
    const loop = new Loop({ transports: { webrtc: carrier, 'webrtc-stream': carrier } });
    return run({ loop, scenario, spec, print });
  },
};

/** With a network of its own for each scenario. @returns {Adapter} */
function memory() {
  let network = memoryDoor().network;
  return {
    door: async () => {
      const door = memoryDoor();
      network = door.network;
      return door;
    },
    run: ({ scenario, spec = '', print }) =>
      run({ loop: new Loop({ transports: { mem: network } }), scenario, spec, print }),
  };
}

/** Children in Workers. @param {string} program @returns {Adapter} */
const inWorkers = (program) => ({
  run: ({ scenario, print }) => {
    const loop = new Loop({ transports: { exec: workers() } });
    return run({ loop, scenario, spec: '', child: fromRoot(program), print });
  },
});

/**
 * @param {{program?: string, isIsolated?: boolean, isJoined?: boolean}} [options] what children run, in Workers; whether the
 *   page may share memory; whether it has peers
 * @returns {Adapter}
 */
function chromium({ program, isIsolated, isJoined } = {}) {
  /** @type {Awaited<ReturnType<typeof openBrowser>> | undefined} */
  let browser;
  /** @type {import('../adapters.js').Task['print']} */
  let print = () => {};
  return {
    async open() {
      browser = await openBrowser({ isIsolated });
      await browser.page.exposeFunction('printLine', (/** @type {any} */ line) => print(line));
      if (isJoined) await joinFrom(browser.page);
    },
    close: async () => browser?.close(),
    run: async ({ scenario, spec = '', print: onLine }) => {
      print = onLine;
      return (
        browser?.page.evaluate(
          async ([scenario, spec, child]) => {
            const page = new URL('/tests/recorder-js/page.js', location.href).href;
            const { runInPage } = await import(page);
            return runInPage(scenario, spec, child, /** @type {any} */ (globalThis).printLine);
          },
          /** @type {const} */ ([scenario, spec, program && `/${program}`]),
        ) ?? 77
      );
    },
  };
}

/** What children run in Workers: a WASI command, and a program in JavaScript. */
const command = 'build/wasi/child.wasm';
const script = 'tests/traces/child.js';

/** @type {Details[]} */
const sockets = [
  { name: 'tcp', transport: 'tcp', on: 'tcp', halfClose: true },
  { name: 'tcp server', transport: 'tcp-server', on: 'tcp-server', halfClose: true },
  { name: 'unix', transport: 'unix', on: 'unix', halfClose: true },
  { name: 'udp', transport: 'udp', on: 'udp', halfClose: 'either' },
  { name: 'bound udp', transport: 'udp-bound', on: 'udp-bound', halfClose: 'either' },
  { name: 'read pipe', transport: 'pipe_r', on: 'pipe_r', halfClose: 'either' },
  { name: 'write pipe', transport: 'pipe_w', on: 'pipe_w', halfClose: 'either' },
  { name: 'child', transport: 'child', on: 'child', halfClose: 'either' },
];

/** @type {Details[]} */
const webSockets = [
  { name: 'ws', transport: 'ws', on: 'ws', halfClose: false },
  { name: 'ws, framed', transport: 'framed-ws', on: 'framed-ws', halfClose: true },
];

/** Who is connected to, each with the peer that does that. @type {(Details & {door: import('../peer/doors.js').OpenDoor})[]} */
const servers = [
  {
    name: 'unix server',
    transport: 'unix',
    on: 'tcp-server',
    halfClose: true,
    door: unixServerDoor,
  },
  { name: 'ws server', transport: 'ws', on: 'ws', halfClose: false, door: webSocketServerDoor },
  {
    name: 'ws server, framed',
    transport: 'framed-ws',
    on: 'framed-ws',
    halfClose: true,
    door: framedServerDoor,
  },
];

/** @type {Details[]} */
const dataChannels = [
  {
    name: 'webrtc stream',
    transport: 'webrtc-stream',
    on: 'webrtc-stream',
    halfClose: false,
    holdsBack: false,
  },
  {
    name: 'webrtc stream, framed',
    transport: 'framed-webrtc-stream',
    on: 'framed-webrtc-stream',
    halfClose: true,
  },
  { name: 'webrtc datagrams', transport: 'webrtc', on: 'webrtc', halfClose: 'either' },
  { name: 'webrtc bound', transport: 'webrtc-bound', on: 'webrtc-bound', halfClose: 'either' },
];

/** @type {Omit<Details, 'name'>} */
const worker = { transport: 'child', on: 'worker', halfClose: 'either' };

/** @type {Host[]} */
export const hosts = [
  { ...memory(), name: 'memory', transport: 'tcp', on: 'memory', halfClose: true },
  ...[...sockets, ...webSockets, ...servers].map((one) => ({
    ...node,
    ...one,
    name: `Node ${one.name}`,
  })),
  ...dataChannels.map((one) => ({ ...channels, ...one, name: `Node ${one.name}` })),
  { ...inWorkers(command), ...worker, name: 'Node worker' },
  { ...inWorkers(script), ...worker, on: 'script', name: 'Node script' },
  ...webSockets.map((one) => ({ ...chromium(), ...one, name: `Chromium ${one.name}` })),
  ...dataChannels.map((one) => ({
    ...chromium({ isJoined: true }),
    ...one,
    name: `Chromium ${one.name}`,
  })),
  {
    ...chromium({ program: command, isIsolated: true }),
    ...worker,
    name: 'Chromium worker, isolated',
  },
  { ...chromium({ program: command }), ...worker, name: 'Chromium worker, plain' },
  { ...chromium({ program: script }), ...worker, on: 'script', name: 'Chromium script' },
];
