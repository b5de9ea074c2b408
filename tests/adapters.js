/**
 * Everything that can run a scenario: this library on each host and in each build. An adapter is asked for one scenario
 * at a time; it hands over raw lines as they come and answers an exit status (0 done, 77 cannot run this one).
 */
import { spawn } from 'node:child_process';
import { closeSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { load } from '../js/node.js';
import { openBrowser } from './browser.js';
import { doors } from './peer/doors.js';
import { channelsIn } from './peer/page-channel.js';
import { Peer } from './peer/peer.js';
import { descriptorOf } from './peer/pipe.js';
import { join, joinFrom } from './peer/signalling.js';
import { Trace } from './peer/trace.js';
import { OFFERS, webrtcDoor } from './peer/webrtc.js';
import { runTrace } from './runner.js';
import { workerHosts } from './worker-hosts.js';

/**
 * @typedef {import('./traces/format.js').Line} Line
 * @typedef {import('./traces/format.js').Scenario} Scenario
 * @typedef {import('./peer/data-channel.js').Open} OpenChannel
 * @typedef {import('./peer/doors.js').OpenDoor} OpenDoor
 * @typedef {import('./peer/doors.js').Transport} Transport
 * @typedef {import('./peer/webrtc.js').WebRTC} WebRTC
 */

/**
 * @typedef {object} Task
 * @property {Scenario} scenario
 * @property {string} [spec] where the peer is, if there is one
 * @property {(line: Line) => void} print
 */

/**
 * @typedef {object} Adapter
 * @property {(task: Task) => Promise<number>} run
 * @property {() => Promise<void>} [open] before the first
 * @property {() => Promise<void>} [close] after the last
 * @property {OpenDoor} [door] its peer's, if that is not in Node
 */

/**
 * An adapter on one transport.
 * @typedef {object} Details
 * @property {string} name
 * @property {Transport} [transport] none: it plays the peer itself
 * @property {string} [on] what scenarios call that, if not 'memory'
 * @property {boolean | 'either'} halfClose whether its connections have one
 * @property {boolean} [isSlow] what its peer gets goes a long way: nothing in bulk
 * @property {boolean} [holdsBack] false: a peer that does not read takes all that comes nevertheless
 * @typedef {Adapter & Details} Host
 */

/** @param {string} path from the project's root */
export const fromRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** What subprocess scenarios run. */
const childProgram = fromRoot('build/child');

const LIMIT = 30_000;

/**
 * Runs tow-trace; rejects when it dies of a signal or takes too long.
 * @param {string[]} parameters
 * @param {Record<string, string>} environment
 * @param {(line: Line) => void} print
 * @param {string} [input]
 * @param {number[]} [descriptors] what it is to have as 3, 4 ...; ours no longer
 * @returns {Promise<number>}
 */
export async function towTrace(parameters, environment, print, input = '', descriptors = []) {
  const program = process.env.TOW_TRACE ?? fromRoot('build/sanitize/tow-trace');
  const options = { env: { ...process.env, ...environment }, timeout: LIMIT };
  /** @type {import('node:child_process').StdioOptions} */
  const stdio = ['pipe', 'pipe', 'pipe', ...descriptors];
  const child = /** @type {import('node:child_process').ChildProcessWithoutNullStreams} */ (
    spawn(program, parameters, { ...options, stdio })
  );
  for (const descriptor of descriptors) closeSync(descriptor);
  child.stdin.end(input);
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  createInterface({ input: child.stdout }).on('line', (text) => print(JSON.parse(text)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      const isFine = status === 0 || status === 77;
      if (isFine) resolve(status);
      else reject(new Error(`tow-trace ended with ${signal ?? status}: ${complaint}`));
    });
  });
}

/** @type {Adapter} */
const libuv = {
  run({ scenario, spec = '', print }) {
    const isPipe = spec.startsWith('fd:');
    const environment = { ORACLE_PEER: isPipe ? 'fd:3' : spec, ORACLE_CHILD: childProgram };
    const descriptors = isPipe ? [descriptorOf(spec)] : [];
    return towTrace(['-'], environment, print, JSON.stringify(scenario), descriptors);
  },
};

/** @type {Adapter} */
const memory = {
  run: ({ scenario, print }) => towTrace(['--memory', '-'], {}, print, JSON.stringify(scenario)),
};

/** @type {Adapter} */
const framedMemory = {
  run: ({ scenario, print }) =>
    towTrace(['--memory', '--layer', 'framing', '-'], {}, print, JSON.stringify(scenario)),
};

/** Both builds' code. @type {Map<string, Buffer<ArrayBuffer>>} */
const codes = new Map();

/** @param {string} build */
function codeOf(build) {
  const code = codes.get(build) ?? readFileSync(fromRoot(`build/${build}/trace.wasm`));
  codes.set(build, code);
  return code;
}

/** In this process. @type {(build: string, framed?: boolean) => Adapter} */
const node = (build, framed) => ({
  async run(task) {
    const stage = {
      load,
      code: codeOf(build),
      framed,
      child: childProgram,
      signalling: join,
      ...task,
    };
    const status = await runTrace(stage);
    const isLeft = status === 77 && task.spec?.startsWith('fd:');
    if (isLeft && task.spec) closeSync(descriptorOf(task.spec));
    return status;
  },
});

/** @param {string} build */
function chromium(build) {
  /** @type {Awaited<ReturnType<typeof openBrowser>> | undefined} */
  let browser;
  return {
    async open() {
      browser = await openBrowser();
      await joinFrom(browser.page);
    },
    close: async () => browser?.close(),
    run: async (/** @type {Task} */ { scenario, spec, print }) =>
      browser?.run(build, scenario, spec, print) ?? 77,
    /** Another page. */
    async page() {
      const page = await browser?.page.context().browser()?.newPage();
      if (!browser || !page) throw new Error('the browser has gone');
      await page.goto(browser.page.url());
      return page;
    },
  };
}

/** Two pages, the peer's data channel in one of them. @type {(build: string, transport: WebRTC) => Adapter} */
function twoPages(build, transport) {
  const one = chromium(build);
  /** @type {OpenChannel} */
  let openChannel;
  return {
    ...one,
    async open() {
      await one.open();
      openChannel = await channelsIn(await one.page());
    },
    door: async () => webrtcDoor(transport, openChannel, OFFERS),
  };
}

/** Beside connected streams. @type {Details[]} */
const others = [
  { name: 'udp', transport: 'udp', halfClose: 'either' },
  { name: 'bound udp', transport: 'udp-bound', halfClose: 'either' },
  { name: 'read pipe', transport: 'pipe_r', halfClose: 'either' },
  { name: 'write pipe', transport: 'pipe_w', halfClose: 'either' },
  { name: 'child', transport: 'child', halfClose: 'either' },
];

/** Over data channels. @type {(Details & {transport: WebRTC})[]} */
const channels = [
  { name: 'webrtc stream', transport: 'webrtc-stream', halfClose: false, holdsBack: false },
  { name: 'webrtc stream, framed', transport: 'framed-webrtc-stream', halfClose: true },
  { name: 'webrtc datagrams', transport: 'webrtc', halfClose: 'either' },
  { name: 'webrtc bound', transport: 'webrtc-bound', halfClose: 'either' },
];

/** @type {(build: string) => Host[]} */
const wasmHosts = (build) => [
  { ...node(build), name: `memory, ${build}`, halfClose: 'either' },
  { ...node(build), name: `Node tcp, ${build}`, transport: 'tcp', halfClose: true },
  { ...node(build), name: `Node unix, ${build}`, transport: 'unix', halfClose: true },
  { ...node(build), name: `Node tcp server, ${build}`, transport: 'tcp-server', halfClose: true },
  { ...node(build), name: `Node ws, ${build}`, transport: 'ws', halfClose: false },
  ...others.map((one) => ({
    ...node(build),
    ...one,
    name: `Node ${one.name}, ${build}`,
  })),
  { ...chromium(build), name: `Chromium ws, ${build}`, transport: 'ws', halfClose: false },
  {
    ...node(build, true),
    name: `memory, framed, ${build}`,
    on: 'framed-memory',
    halfClose: true,
  },
  { ...node(build), name: `Node tcp, framed, ${build}`, transport: 'framed-tcp', halfClose: true },
  { ...node(build), name: `Node ws, framed, ${build}`, transport: 'framed-ws', halfClose: true },
  {
    ...chromium(build),
    name: `Chromium ws, framed, ${build}`,
    transport: 'framed-ws',
    halfClose: true,
  },
  ...channels.flatMap((one) => [
    { ...node(build), ...one, name: `Node ${one.name}, ${build}` },
    { ...chromium(build), ...one, name: `Chromium ${one.name}, ${build}` },
  ]),
  ...channels
    .filter(({ holdsBack }) => holdsBack !== false) // frames and datagrams
    .filter(({ halfClose }) => build === 'emscripten' || halfClose === 'either') // frames take long: once
    .map((one) => ({
      ...twoPages(build, one.transport),
      ...one,
      isSlow: true,
      name: `Chromium to Chromium ${one.name}, ${build}`,
    })),
];

export const builds = ['wasi', 'emscripten'];

/** @type {(scenario: Scenario, print: (line: Line) => void, build: string) => Promise<number>} */
export const runInModule = (scenario, print, build) => node(build).run({ scenario, print });

/** @type {Host[]} */
export const hosts = [
  { ...memory, name: 'memory', halfClose: 'either' },
  { ...libuv, name: 'libuv tcp', transport: 'tcp', halfClose: true },
  { ...libuv, name: 'libuv unix', transport: 'unix', halfClose: true },
  { ...libuv, name: 'libuv tcp server', transport: 'tcp-server', halfClose: true },
  { ...libuv, name: 'libuv tcp, framed', transport: 'framed-tcp', halfClose: true },
  { ...framedMemory, name: 'memory, framed', on: 'framed-memory', halfClose: true },
  ...others.map((one) => ({ ...libuv, ...one, name: `libuv ${one.name}` })),
  ...builds.flatMap(wasmHosts),
  ...builds.flatMap(workerHosts),
];

/**
 * Runs one scenario with its peer beside it.
 * @param {Adapter} adapter
 * @param {Scenario} scenario
 * @param {Transport} [transport] none: the adapter needs no peer
 * @returns {Promise<Line[] | null>} the raw lines, the peer's last; null when the adapter cannot run this one
 */
export async function record(adapter, scenario, transport) {
  const trace = new Trace();
  const door = transport && (adapter.door ?? doors[transport]);
  const peer = door && (await Peer.open(scenario, door, trace));
  try {
    const playing = peer?.play();
    const print = trace.push.bind(trace);
    const status = await adapter.run({ scenario, spec: peer?.spec, print });
    if (status === 77) return null;
    await playing;
    return [...trace.lines, ...(peer?.report() ?? [])];
  } finally {
    await peer?.close();
  }
}
