/**
 * The contract, the same on every host: each scenario of tests/contract is played over each transport, and what the
 * protocol hears is the same line by line.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fromRoot, hosts, record } from './adapters.js';
import { show } from './contract/show.js';

/** @typedef {import('./traces/format.js').Scenario} Scenario */

const folder = fromRoot('tests/contract');
/** @type {Scenario[]} */
const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));

const plain = ['memory', 'tcp', 'tcp-server', 'unix', 'ws', 'webrtc-stream'];
const framed = ['framed-memory', 'framed-tcp', 'framed-ws', 'framed-webrtc-stream'];
const streams = [...plain, ...framed];

/** @type {Record<string, string[]>} */
const transports = {
  stream: streams,
  buffered: streams,
  datagram: ['memory', 'udp', 'webrtc'],
  subprocess: ['child', 'worker', 'script'],
};

/** @type {(scenario: Scenario) => string[]} */
const transportsOf = ({ kind, transport, transports: some }) =>
  some ?? (transport ? ['memory', transport] : transports[kind]);

/**
 * @param {Scenario} scenario
 * @param {import('./adapters.js').Host} host
 */
function isFor(scenario, host) {
  const { transport, on = transport ?? 'memory', halfClose, holdsBack = true, isSlow } = host;
  const isOver = transportsOf(scenario).includes(on) && (holdsBack || !scenario.holds_back);
  const isFit = isOver && !(isSlow && scenario.bulk);
  return isFit && (halfClose === 'either' || [undefined, halfClose].includes(scenario.half_close));
}

for (const host of hosts) {
  describe(`contract on ${host.name}`, () => {
    before(() => host.open?.());
    after(() => host.close?.());
    for (const scenario of scenarios) {
      if (!isFor(scenario, host)) continue;
      test(`${scenario.rule}: ${scenario.about} (${scenario.kind})`, async () => {
        const raw = await record(host, { transport: host.transport, ...scenario }, host.transport);
        assert(raw, 'it could not be run');
        assert.deepEqual(show(raw, scenario), scenario.expect);
      });
    }
  });
}
