/**
 * The contract for protocols written in JavaScript: the scenarios of tests/contract, played by a recorder in JavaScript over
 * every transport that it has, heard line by line as C hears them.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fromRoot, record } from './adapters.js';
import { show } from './contract/show.js';
import { hosts } from './recorder-js/hosts.js';

/** @typedef {import('./traces/format.js').Scenario} Scenario */

const folder = fromRoot('tests/contract');
/** @type {Scenario[]} */
const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));

const streams = ['memory', 'tcp', 'tcp-server', 'unix', 'ws', 'webrtc-stream'];
const framed = ['framed-ws', 'framed-webrtc-stream'];

/** Where scenarios run that do not say it. @type {Record<string, string[]>} */
const usual = {
  stream: [...streams, ...framed],
  buffered: [...streams, ...framed],
  datagram: ['udp', 'webrtc'],
  subprocess: ['child', 'worker', 'script'],
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
 * @param {import('./adapters.js').Host} host
 */
const isFor = (scenario, { on = '', halfClose, holdsBack = true, name }) =>
  transportsOf(scenario).includes(on) &&
  (!name.includes('server') || (scenario.transports ?? ['tcp-server']).includes('tcp-server')) &&
  (holdsBack || !scenario.holds_back) &&
  (on !== 'memory' || isForMemory(scenario)) &&
  (halfClose === 'either' || [undefined, halfClose].includes(scenario.half_close));

for (const host of hosts) {
  describe(`contract for protocols in JavaScript on ${host.name}`, () => {
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

/** Only the memory host of C is stepped by hand, and fed. @type {(scenario: Scenario) => boolean} */
const isStepped = ({ kind, send_capacity }) => kind === 'feed' || send_capacity !== undefined;

test('every scenario that protocols in JavaScript can play is played', () => {
  const isPlayed = (/** @type {Scenario} */ scenario) =>
    isStepped(scenario) || hosts.some((host) => isFor(scenario, host));
  const left = scenarios.filter((scenario) => !isPlayed(scenario));
  assert.deepEqual(
    left.map(({ rule, about }) => `${rule}: ${about}`),
    [],
  );
});
