/**
 * The contract for protocols written in JavaScript: the scenarios of tests/contract, played by a recorder in JavaScript over
 * every transport that it has, heard line by line as C hears them.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Loop } from '../js/node.js';
import { webrtc } from '../js/webrtc/index.js';
import { fromRoot, record } from './adapters.js';
import { openBrowser } from './browser.js';
import { show } from './contract/show.js';
import { descriptorOf } from './peer/pipe.js';
import { join } from './peer/signalling.js';
import { memoryDoor } from './recorder-js/memory-door.js';
import { run } from './recorder-js/open.js';

/** @typedef {import('./adapters.js').Adapter} Adapter */
/** @typedef {import('./peer/doors.js').Transport} Transport */
/** @typedef {import('./traces/format.js').Scenario} Scenario */

const folder = fromRoot('tests/contract');
const child = fromRoot('build/child');
/** @type {Scenario[]} */
const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));

const channelStreams = ['webrtc-stream', 'framed-webrtc-stream'];
const streams = ['memory', 'tcp', 'tcp-server', 'unix', 'ws', 'framed-ws', ...channelStreams];

/** Where scenarios run that do not say it. @type {Record<string, string[]>} */
const usual = {
  stream: streams,
  buffered: streams,
  datagram: ['udp', 'webrtc'],
  subprocess: ['child'],
};

/** @type {(scenario: Scenario) => string[]} */
const transportsOf = ({ kind, transport, transports: some }) =>
  some ?? (transport ? [transport] : (usual[kind] ?? []));

/** @param {Scenario} scenario @param {string} step of a peer */
const has = ({ peer_steps = [] }, step) =>
  peer_steps.some((/** @type {import('./traces/format.js').Line} */ { peer }) => peer === step);

/** What two ends in memory have not: nobody resets them, and they carry no datagrams. @param {Scenario} scenario */
const isForMemory = (scenario) =>
  usual[scenario.kind]?.includes('memory') && !has(scenario, 'reset');

/**
 * @param {Scenario} scenario
 * @param {string} on
 * @param {boolean | 'either'} halfClose
 */
const isFor = (scenario, on, halfClose) =>
  transportsOf(scenario).includes(on) &&
  !(on === 'webrtc-stream' && scenario.holds_back) &&
  (on !== 'memory' || isForMemory(scenario)) &&
  (halfClose === 'either' || [undefined, halfClose].includes(scenario.half_close));

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

/** @returns {Adapter} */
function chromium() {
  /** @type {Awaited<ReturnType<typeof openBrowser>> | undefined} */
  let browser;
  /** @type {import('./adapters.js').Task['print']} */
  let print = () => {};
  return {
    async open() {
      browser = await openBrowser();
      await browser.page.exposeFunction('printLine', (/** @type {any} */ line) => print(line));
    },
    close: async () => browser?.close(),
    run: async ({ scenario, spec = '', print: onLine }) => {
      print = onLine;
      return (
        browser?.page.evaluate(
          async ([scenario, spec]) => {
            const { Loop } = await import(new URL('/js/index.js', location.href).href);
            const { run } = await import(new URL('/tests/recorder-js/open.js', location.href).href);
            /** @type {Promise<void>[]} */
            const printed = [];
            const print = (/** @type {any} */ line) =>
              void printed.push(/** @type {any} */ (globalThis).printLine(line));
            const status = await run({ loop: new Loop(), scenario, spec, print });
            await Promise.all(printed);
            return status;
          },
          /** @type {[Scenario, string]} */ ([scenario, spec]),
        ) ?? 77
      );
    },
  };
}

const either = /** @type {const} */ ('either');

/** @type {{name: string, adapter: Adapter, on: string, transport: Transport, halfClose: boolean | 'either'}[]} */
const hosts = [
  { name: 'memory', adapter: memory(), on: 'memory', transport: 'tcp', halfClose: true },
  ...['tcp', 'tcp-server', 'unix', 'framed-ws'].map((on) => ({
    name: `Node ${on}`,
    adapter: node,
    on,
    transport: /** @type {Transport} */ (on),
    halfClose: true,
  })),
  { name: 'Node ws', adapter: node, on: 'ws', transport: 'ws', halfClose: false },
  ...['udp', 'udp-bound', 'child', 'pipe_r', 'pipe_w'].map((on) => ({
    name: `Node ${on}`,
    adapter: node,
    on,
    transport: /** @type {Transport} */ (on),
    halfClose: either,
  })),
  ...[...channelStreams, 'webrtc', 'webrtc-bound'].map((on) => ({
    name: `Node ${on}`,
    adapter: channels,
    on,
    transport: /** @type {Transport} */ (on),
    halfClose: on.startsWith('webrtc-s') ? false : on.startsWith('framed') || either,
  })),
  { name: 'Chromium ws', adapter: chromium(), on: 'ws', transport: 'ws', halfClose: false },
  {
    name: 'Chromium framed-ws',
    adapter: chromium(),
    on: 'framed-ws',
    transport: 'framed-ws',
    halfClose: true,
  },
];

for (const { name, adapter, on, transport, halfClose } of hosts) {
  describe(`contract for protocols in JavaScript on ${name}`, () => {
    before(() => adapter.open?.());
    after(() => adapter.close?.());
    for (const scenario of scenarios) {
      if (!isFor(scenario, on, halfClose)) continue;
      test(`${scenario.rule}: ${scenario.about} (${scenario.kind})`, async () => {
        const raw = await record(adapter, { transport: on, ...scenario }, transport);
        assert(raw, 'it could not be run');
        assert.deepEqual(show(raw, scenario), scenario.expect);
      });
    }
  });
}
