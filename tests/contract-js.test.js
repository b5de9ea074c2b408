/**
 * The contract for protocols written in JavaScript: the scenarios of tests/contract, played by a recorder in JavaScript over
 * every transport that it has, heard line by line as C hears them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { play, scenarios } from './contract/suite.js';
import { hosts } from './recorder-js/hosts.js';

/** @typedef {import('./traces/format.js').Scenario} Scenario */

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

play('contract for protocols in JavaScript', hosts, isFor);

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
