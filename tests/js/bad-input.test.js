/** What cannot be is refused at once, with a code and words that say what can be; nothing is left of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MemoryNetwork } from '../../js/node.js';
import { broadcastChannel, webrtc } from '../../js/webrtc/index.js';
import { workers } from '../../js/worker/node.js';
import { loadProbe } from './probe.js';

const cat = fileURLToPath(new URL('../../build/wasi/programs/cat.wasm', import.meta.url));
const peers = webrtc({ signalling: broadcastChannel() });
const transports = {
  mem: new MemoryNetwork(),
  webrtc: peers,
  'webrtc-stream': peers,
  worker: workers(),
};

/** @typedef {'connect' | 'listen' | 'bind' | 'spawn'} Verb */

/** @param {import('node:test').TestContext} t */
async function refusing(t) {
  const { module, all, errors } = await loadProbe('wasi', {}, { transports });
  t.after(() => module.close());
  t.after(() => assert.deepEqual([all, errors], [[], []])); // no protocol was made, nothing else went wrong
  /** @param {Verb} verb @param {string} address @param {object} options @param {string} code @param {RegExp} [message] */
  return async (verb, address, options, code, message = /./) => {
    const what = `${verb} ${JSON.stringify(address)} ${Object.entries(options)}`;
    const opening = module[verb](address, /** @type {any} */ (options));
    const error = await opening.then(
      () => assert.fail(`${what} was taken`),
      (reason) => reason,
    );
    assert.equal(error.code, code, `${what}: ${error.stack}`);
    assert.match(error.message, message, what);
  };
}

/** By option: what it cannot be. @type {Record<string, unknown[]>} */
const numbers = {
  timeout: ['soon', Number.NaN, -1, Number.NEGATIVE_INFINITY, 2 ** 31],
  high: ['x', -1, 2 ** 31, {}],
  low: ['x', -1, 2 ** 30],
  inbox: ['x', -1, Number.NaN],
  backlog: ['x', -1],
};

test('F1, O2, options of connections and servers', async (t) => {
  const refuses = await refusing(t);
  const protocol = 'probe_stream';
  for (const verb of /** @type {const} */ (['connect', 'listen'])) {
    for (const [name, values] of Object.entries(numbers))
      for (const value of values) {
        const message = name === 'low' ? /low is/ : new RegExp(`${name} is from 0 to 2147483647`);
        await refuses(verb, 'mem:x', { protocol, [name]: value }, 'EINVAL', message);
      }
    await refuses(verb, 'mem:x', { protocol, high: 1, low: 2 }, 'EINVAL', /low is above high/);
    await refuses(verb, 'mem:x', { protocol, signal: {} }, 'EINVAL', /an AbortSignal/);
    for (const framing of ['maybe', 1, ''])
      await refuses(verb, 'mem:x', { protocol, framing }, 'EINVAL', /offered,demanded,refused/);
    const demanded = { protocol, framing: 'demanded' };
    await refuses(verb, 'mem:x', demanded, 'ENOTSUP', /no framing over mem:/);
    for (const none of [undefined, '', 'nothing', 'memory', '__proto__', 5])
      await refuses(verb, 'mem:x', { protocol: none }, 'EINVAL', /no function/);
  }
  await refuses('connect', 'ws://127.0.0.1:1/', { protocol, headers: 'none' }, 'EINVAL', /headers/);
});

test('an option that is undefined, or null, is not given', async (t) => {
  const { module } = await loadProbe('wasi', {}, { transports });
  t.after(() => module.close());
  const protocol = 'probe_stream';
  for (const none of [undefined, null]) {
    const options = /** @type {any} */ ({ protocol });
    for (const name of [...Object.keys(numbers), 'signal', 'framing', 'subprotocols', 'headers'])
      options[name] = none;
    const server = await module.listen('ws://127.0.0.1:0', options);
    const { transport } = await module.connect(server.address, options);
    assert.equal(transport.getExtraInfo('read_backpressure'), 'credit');
    server.close();
  }
});

/** By code: what no address is. @type {Record<string, [Verb, ...any[]][]>} */
const addresses = {
  EADDRESS: [
    [
      'connect',
      undefined,
      null,
      5,
      '',
      '__proto__:x',
      'tcp',
      'tcp:',
      'tcp://',
      'tcp://x',
      'tcp://127.0.0.1',
    ],
    ['connect', 'tcp://127.0.0.1:x', 'tcp://127.0.0.1:65536', 'tcp://:80', 'tcp://[::1'],
    ['listen', 'tcp://127.0.0.1:1/path', 'tcp://user@127.0.0.1:1', 'tcp://127.0.0.1:-1'],
    ['connect', 'unix:', `unix:/${'x'.repeat(300)}`, 'unix:/a\0b'],
    ['listen', 'unix:', `unix:/${'x'.repeat(300)}`, 'unix:/a\0b'],
    ['connect', 'ws:', 'ws://', 'ws://127.0.0.1:99999/', 'ws://[::1', 'ws://x y/', 'wss://'],
    ['listen', 'ws:', 'ws://127.0.0.1', 'wss://127.0.0.1:0', 'ws://127.0.0.1:99999/'],
    ['connect', 'webrtc-stream:', 'webrtc-stream:a b', 'webrtc-stream:room/a b'],
    ['listen', 'webrtc:room', 'webrtc-stream:room/peer', 'webrtc-stream:room//'],
    ['bind', 'webrtc:', 'webrtc:a b', 'webrtc-stream:room', 'webrtc:room/peer'],
    ['connect', 'udp:', 'udp://127.0.0.1', 'udp://127.0.0.1:65536', 'udp://[::1'],
    ['bind', 'udp:', 'udp://127.0.0.1:x'],
    ['spawn', 'exec:', 'worker:', ''],
  ],
  ESCHEME: [
    ['connect', 'nope:x', 'http://x/', 'fd:0', 'exec:ls', 'constructor:x'],
    ['listen', 'udp://127.0.0.1:0', 'exec:ls'],
    ['bind', 'tcp://127.0.0.1:0', 'ws://127.0.0.1:0', 'mem:x'],
    ['spawn', 'tcp://127.0.0.1:1'],
  ],
  ECONNREFUSED: [['connect', 'mem:nobody', 'mem:']],
  ENOENT: [
    ['connect', 'unix:/nowhere/at/all'],
    ['spawn', 'exec:/nowhere', 'exec:no-such-program', 'worker:/nowhere.wasm'],
  ],
};

test('O1, addresses of every scheme', async (t) => {
  const refuses = await refusing(t);
  for (const [code, calls] of Object.entries(addresses))
    for (const [verb, ...list] of calls)
      for (const address of list) {
        const isDatagram = verb === 'bind' || /^(udp|webrtc):/.test(address);
        const kind = verb === 'spawn' ? 'child' : isDatagram ? 'datagram' : 'stream';
        await refuses(verb, address, { protocol: `probe_${kind}` }, code);
      }
});

/** By option of `spawn`. @type {Record<string, unknown[]>} */
const children = {
  arguments: ['x', {}, 5, [5], [null], ['a\0b']],
  environment: ['x', 5, { A: 5 }, { A: 'x\0' }, { 'A=B': 'c' }, { '': 'c' }],
  directory: [5, {}, 'a\0b'],
  stdio: ['pipe', {}, 5, [], ['pipe', 'pipe'], ['x', 'pipe', 'pipe'], ['stdout', 'pipe', 'pipe']],
  timeout: ['x'],
  signal: [{}],
};

test('X9, options of children', async (t) => {
  const refuses = await refusing(t);
  const protocol = 'probe_child';
  for (const address of ['exec:cat', `worker:${cat}`])
    for (const [name, values] of Object.entries(children))
      for (const value of values)
        await refuses('spawn', address, { protocol, [name]: value }, 'EINVAL', new RegExp(name));
  for (const program of [5, true, new Uint8Array(3), {}])
    await refuses('spawn', 'worker:x', { protocol, program }, 'EINVAL');
});

/** By option of `webrtc`. @type {Record<string, unknown[]>} */
const webrtcOptions = {
  signalling: [5, {}, 'rendezvous'],
  iceServers: [5, 'stun:x', [{}], [null], [{ urls: 'x' }], [{ urls: ['stun:x', 5] }]],
  ordered: ['x', 1],
  maxRetransmits: [-1, 'x', Number.NaN, 1.5, 70_000],
  maxPacketLifeTime: [-1, 'x', 70_000],
  maxPeers: ['x', 0, Number.NaN],
  opening: ['x', Number.NaN, -1, Number.POSITIVE_INFINITY],
  patience: ['x', -1],
  RTCPeerConnection: [5, {}],
};

test('options of WebRTC', async (t) => {
  const refuses = await refusing(t);
  const protocol = 'probe_datagram';
  for (const [name, values] of Object.entries(webrtcOptions))
    for (const value of values) {
      const options = { [name]: value };
      const wrong = { code: 'EINVAL', message: new RegExp(`^${name} is `) };
      assert.throws(() => webrtc(/** @type {any} */ (options)), wrong);
      await refuses('bind', 'webrtc:room', { protocol, ...options }, 'EINVAL');
    }
  for (const name of ['', 'a b', 5, 'x'.repeat(32)])
    await refuses('bind', 'webrtc:room', { protocol, name }, 'EINVAL', /not a name/);
  for (const answer of [null, undefined, 5, {}]) {
    const signalling = () => answer;
    await refuses('bind', 'webrtc:room', { protocol, signalling }, 'EINVAL', /no send/);
  }
  const signalling = () => Promise.reject(new Error('mine'));
  await refuses('bind', 'webrtc:room', { protocol, signalling }, 'EUNKNOWN', /mine/);
});

/** By option of `workers`, and of `spawn` with it. @type {Record<string, unknown[]>} */
const workersOptions = {
  programs: [5, 'x'],
  limit: ['x', 0, -1, Number.NaN, 1.5],
  pool: ['x', -1, Number.NaN, Number.POSITIVE_INFINITY],
  grace: ['x', -1, Number.NaN, 2 ** 31],
};
/** @type {Record<string, unknown[]>} */
const ofPrograms = { files: [5, 'x', { a: 5 }, new Map([['/a', 5]])], isolate: ['x', 5] };

test('options of programs in Workers', async (t) => {
  for (const [name, values] of Object.entries(workersOptions))
    for (const value of values) {
      const wrong = { code: 'EINVAL', message: new RegExp(`^${name} is `) };
      assert.throws(() => workers(/** @type {any} */ ({ [name]: value })), wrong);
    }
  const refuses = await refusing(t);
  const protocol = 'probe_child';
  for (const [name, values] of Object.entries(ofPrograms))
    for (const value of values)
      await refuses('spawn', `worker:${cat}`, { protocol, [name]: value }, 'EINVAL', /are|is one/);
});
