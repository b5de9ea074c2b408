/** Plays hostile modules, one a seed, and tells its parent of each; abi.js watches it. */
import { parentPort, workerData } from 'node:worker_threads';
import { load, MemoryNetwork, TowlineError } from '../../js/node.js';
import { MemoryEnd } from '../../js/transports/memory.js';
import { exported, hostileModule, imported } from './hostile.js';
import { Random } from './random.js';

const code = hostileModule();
const HOSTILE = [
  -1, 0, 1, 7, 0x7fffffff, -0x80000000, 131072, 131071, 131068, 131060, 0xfffff0, -16,
];
/** Calls of the host's that a module makes in one call of its own. */
const DEEP = 3;

/** @typedef {(...values: number[]) => number} Call */

class Hostile {
  /** @type {Record<string, Call>} */
  host = {};
  memory = new DataView(new ArrayBuffer(0));
  depth = 0;
  calls = 0;

  /** @param {number} seed */
  constructor(seed) {
    this.random = new Random(seed);
    /** How often it is honest: it must get far to do harm. */
    this.honesty = this.random.pick([0.7, 0.9, 0.98, 0.995]);
    this.app = Object.fromEntries(
      exported.map((name) => [
        name,
        (/** @type {number[]} */ ...values) => this.called(name, values),
      ]),
    );
  }

  /** @param {Record<string, any>} exports */
  start(exports) {
    this.host = Object.fromEntries(imported.map((name) => [name, exports[`towline_${name}`]]));
    this.memory = new DataView(exports.memory.buffer);
  }

  /** An address, a size, a number: mostly such as may be. */
  value() {
    const { random } = this;
    return random.chance(0.8) ? random.integer(0, 100_000) : random.pick(HOSTILE);
  }

  /** What the host is told to look at. @param {number} at @param {...number} words */
  put(at, ...words) {
    for (const [i, word] of words.entries())
      if (at >= 0 && at + 4 * i + 4 <= this.memory.byteLength)
        this.memory.setUint32(at + 4 * i, word, true);
  }

  /** @param {string} name @param {number[]} values @returns {number} */
  called(name, values) {
    const { random } = this;
    // A module that never comes to an end is its own affair.
    if (this.calls++ > 20_000) throw new Error('enough');
    if (this.depth < DEEP && random.chance(0.15)) this.callHost();
    if (random.chance(0.002)) throw new Error('a trap');
    return random.chance(this.honesty) ? this.honest(name, values) : this.value();
  }

  callHost() {
    const { random } = this;
    const name = random.pick(imported);
    const id = random.chance(0.9) ? random.integer(1, 4) : this.value();
    this.depth++;
    try {
      this.host[name]?.(id, ...random.list(8, () => this.value()));
    } finally {
      this.depth--;
    }
  }

  /** @param {string} name @param {number[]} values @returns {number} */
  honest(name, values) {
    const { random } = this;
    const size = random.integer(0, 5000);
    switch (name) {
      case 'tow_abi_version':
        return 1;
      case 'tow_error_from_name':
        return -random.integer(1, 40);
      case 'tow_error_name':
        this.memory.setUint32(64, 0x004f4945, true); // "EIO"
        return 64;
      case 'tow_loop_alloc':
        return random.integer(1000, 100_000);
      case 'tow_host_lend':
        this.put(128, random.integer(1000, 60_000), size);
        return random.chance(0.1) ? 0 : 128;
      case 'tow_wasm_received':
        this.put(values[3], random.integer(1000, 60_000), random.chance(0.5) ? 0 : size);
        return values[1];
      case 'tow_host_peek':
        this.put(values[1], random.integer(1000, 60_000), Math.min(size, values[3]));
        return random.integer(0, 1);
      case 'tow_wasm_open':
      case 'tow_wasm_opened':
      case 'tow_wasm_accepted':
        this.host.construct?.(values[0], values[1]);
        this.host.set_reading?.(values[1], 1);
        return 256;
      case 'tow_transport_close':
      case 'tow_host_close_loop':
        for (let id = 1; id < 4; id++) if (random.chance(0.5)) this.host.close?.(id, 0);
        return 0;
      case 'tow_host_run_ready':
      case 'tow_host_connections':
        return 0;
      default:
        return name.startsWith('tow_host_') ? 0 : random.integer(0, 1000);
    }
  }
}

/** @param {unknown} error @param {string} where */
function mustBeOurs(error, where) {
  if (!(error instanceof TowlineError))
    throw new Error(`${where}: not a TowlineError`, { cause: error });
}

/** One that never settles is a hang. @param {Promise<unknown>} promise @param {string} what */
async function soon(promise, what) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} does not end`)), 2000);
  });
  await Promise.race([promise, limit]);
  clearTimeout(timer);
}

const turns = () => new Promise((resolve) => setTimeout(resolve, 1));

/** @param {number} seed */
async function play(seed) {
  const hostile = new Hostile(seed);
  const { random } = hostile;
  const network = new MemoryNetwork();
  /** @type {MemoryEnd[]} */
  const ends = [];
  network.serve('peer', (end) => {
    ends.push(end);
  });
  let module;
  try {
    // Its calls while it is loaded have no exports to look at yet: those are honest.
    module = await load(/** @type {any} */ (code), {
      imports: { app: hostile.app },
      transports: { mem: network },
      onerror: (error) => mustBeOurs(error, 'onerror'),
      onlog: () => {},
      stdout: () => {},
    });
  } catch (error) {
    return mustBeOurs(error, 'load');
  }
  hostile.start(module.exports);
  /** @type {Promise<unknown>[]} */
  const opened = [];
  const attempt = async (/** @type {string} */ where, /** @type {() => any} */ run) => {
    try {
      return await run();
    } catch (error) {
      mustBeOurs(error, where);
    }
  };
  for (let i = 0; i < 6; i++) {
    const open = () => module.connect('mem:peer', { protocol: 'constructor', timeout: 50 });
    if (random.chance(0.5))
      opened.push(attempt('connect', open).then((result) => result?.transport.closed));
    if (random.chance(0.2))
      opened.push(
        attempt('listen', () =>
          module.listen(`mem:${i}`, { protocol: 'constructor', timeout: 50 }),
        ),
      );
    if (random.chance(0.3)) await turns();
    for (const end of ends) {
      if (random.chance(0.5)) end.write(new Uint8Array(random.integer(0, 9000)));
      if (random.chance(0.3)) end.read();
      if (random.chance(0.1)) end.end();
      if (random.chance(0.1)) end.close();
    }
    // The module does something by itself.
    if (random.chance(0.5))
      attempt('call', () => module.call(random.pick(exported), hostile.value()));
  }
  await turns();
  await soon(
    attempt('close', () => module.close()),
    'close',
  );
  await soon(Promise.all(opened), 'a connection');
}

const { first, count } = workerData;
let seed = first;
process.on('unhandledRejection', (error) => {
  throw error;
});
for (; seed < first + count; seed++) {
  parentPort?.postMessage({ seed });
  await play(seed);
}
parentPort?.postMessage({ done: true });
process.exit(0);
