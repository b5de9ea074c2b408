/**
 * The contract, the same on every host: each scenario of tests/contract is played over each transport, and what the
 * protocol hears is the same line by line.
 */
import { hosts } from './adapters.js';
import { play } from './contract/suite.js';

/** @typedef {import('./traces/format.js').Scenario} Scenario */

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

play('contract', hosts, isFor);
