/** Opens what a scenario is about, with a recorder, on a loop. */
import { Recorder } from './recorder.js';

/**
 * @typedef {import('../traces/format.js').Line} Line
 * @typedef {import('../traces/format.js').Scenario} Scenario
 */

/**
 * @typedef {object} Stage
 * @property {any} loop of index.js or node.js, its own
 * @property {Scenario} scenario
 * @property {string} spec where the peer is: tests/peer/doors.js
 * @property {string} [child] the program that a subprocess runs
 * @property {(line: Line) => void} print
 */

/** 'tcp:HOST:PORT' as an address. @param {string} spec */
const addressOf = (spec) => spec.replace(/^(tcp|udp):/, '$1://');

/** The port of an address, or a Unix socket's path. @param {string} address */
const whereOf = (address) =>
  address.startsWith('unix:')
    ? address.slice('unix:'.length)
    : Number(/:(\d+)\/?$/.exec(address)?.[1]);

let count = 0;

/** Where a server of this kind is to be. @param {string} kind */
const served = (kind) =>
  kind === 'unix'
    ? `unix:/tmp/towline-${process.pid}-${++count}`
    : `${kind}://127.0.0.1:0${kind === 'ws' ? '/' : ''}`;

/**
 * @param {Stage} stage
 * @param {Recorder} recorder
 * @param {() => any} factory
 */
async function open({ loop, scenario, spec, child = '' }, recorder, factory) {
  const { kind, timeout, cancel, transport } = scenario;
  const isWebRTC = spec.startsWith('webrtc');
  const [, rest = ''] = (isWebRTC ? /\/(.*)$/ : /^[^:]*:(.*)$/).exec(spec) ?? [];
  if (isWebRTC) recorder.other = 'nobody';
  const options = { timeout, ...(cancel ? { signal: AbortSignal.abort() } : {}) };
  if (kind === 'subprocess') {
    const program = `exec:${scenario.child_path ?? child}`;
    const { child: values, stdio } = scenario;
    return loop.spawn(program, factory, { arguments: values, stdio });
  }
  if (spec.startsWith('listen:')) {
    const server = await loop.listen(served(rest), factory);
    return recorder.print({ listening: whereOf(server.address) });
  }
  if (transport === 'pipe_w') return loop.connectWritePipe(Number(rest), factory);
  if (transport === 'pipe_r') return loop.connectReadPipe(Number(rest), factory);
  if (transport === 'udp-bound') {
    recorder.peer = rest;
    const address = isWebRTC ? spec.split('/')[0] : 'udp://127.0.0.1:0';
    const opened = await loop.datagram(address, factory, { bind: true });
    return recorder.print({ listening: whereOf(opened.transport.getExtraInfo('sockname', '')) });
  }
  recorder.peer = rest;
  if (kind === 'datagram') return loop.datagram(addressOf(spec), factory, options);
  return loop.connect(addressOf(spec), factory, options);
}

/**
 * @param {Stage} stage
 * @returns {Promise<number>} 0 done, 77 cannot run this one
 */
export async function run(stage) {
  const { loop, scenario, print } = stage;
  const recorder = new Recorder(loop, scenario, print);
  let status = 0;
  open(stage, recorder, () => recorder.protocols[0]).catch((error) => {
    const isUnknown = error.code === 'ESCHEME' || error.code === 'ENOTSUP';
    if (isUnknown) status = 77;
    if (isUnknown) recorder.end();
    else recorder.refuse(error);
  });
  await recorder.ended;
  recorder.abort();
  await loop.close();
  return status;
}
