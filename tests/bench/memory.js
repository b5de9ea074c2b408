import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { load as loadModule, MemoryNetwork } from '../../js/node.js';
import { allocations } from './callgrind.js';
import { judge } from './compare.js';
import { hasPython, load, PYTHON, program, source, withServer } from './server.js';

const fromRoot = (/** @type {string} */ path) =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** @type {Record<string, string[]>} */
const NATIVE = {
  Towline: [program('echo_towline'), 'plain'],
  'Towline, buffered': [program('echo_towline'), 'buffered'],
  libuv: [program('echo_libuv')],
};

/** A table of one row. @param {string} name @param {import('./compare.js').Figures} figures @param {import('./compare.js').Judged[]} judged */
const one = (name, figures, judged) => ({ title: '', subjects: { [name]: figures }, judged });

/** What the core itself allocates. @returns {import('./compare.js').Section} */
function core() {
  const bytes = Number(execFileSync(fromRoot('build/instructions'), ['bytes', '1000']));
  return one('the core, natively', { bytes }, [
    judge({ what: 'bytes of an idle stream in the core', most: 192 }, [bytes]),
  ]);
}

/**
 * Both ends of connections of a module to itself, all in one instance: how far its heap has grown for each stream.
 * @param {number} count
 * @returns {Promise<import('./compare.js').Section>}
 */
async function inWasm(count) {
  const network = new MemoryNetwork();
  const module = await loadModule(fromRoot('build/wasi/idle.wasm'), {
    transports: { mem: network },
  });
  await module.listen('mem:idle', { protocol: 'idle_new' });
  const open = () => module.connect('mem:idle', { protocol: 'idle_new' });
  for (let i = 0; i < 50; i++) await open(); // what the first ones take is not counted
  const { malloc, memory } = module.exports;
  const before = malloc(1024);
  const heap = heapUsed();
  for (let i = 0; i < count / 2; i++) await open();
  const bytes = (malloc(1024) - before - 1024) / count;
  return one(
    `${count.toLocaleString('en')} streams in one wasm instance`,
    { bytes, script: (heapUsed() - heap) / count, whole: memory.buffer.byteLength },
    [judge({ what: 'bytes of an idle stream in wasm', most: 128 }, [bytes])],
  );
}

/** What JavaScript holds on to. */
function heapUsed() {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/**
 * @param {Record<string, string[]>} commands
 * @param {number} count
 * @param {(text: string) => void} progress
 * @returns {Promise<import('./compare.js').Section>}
 */
async function nativeConnections(commands, count, progress) {
  /** @type {Record<string, import('./compare.js').Figures>} */
  const subjects = {};
  for (const [name, command] of Object.entries(commands)) {
    progress(`${count} connections: ${name}`);
    const [grown] = await withServer(command, ({ port, pid }) =>
      load('idle_load', port, pid, count),
    );
    subjects[name] = { bytes: grown / count };
  }
  return { title: `${count.toLocaleString('en')} native connections`, subjects, judged: [] };
}

/** Twice, so that what happens once is not counted. @param {string[]} command */
async function allocationsPerMessage(command) {
  const few = 200;
  const many = 1200;
  const [a, b] = await Promise.all(
    [few, many].map((messages) =>
      allocations(command, ({ port }) => load('echo_load', port, 0, 10, 1024, messages)),
    ),
  );
  return (b - a) / (many - few);
}

/** @param {(text: string) => void} progress @returns {Promise<import('./compare.js').Section>} */
async function steadyState(progress) {
  /** @type {Record<string, import('./compare.js').Figures>} */
  const subjects = {};
  for (const [name, command] of Object.entries(NATIVE)) {
    progress(`allocations of ${name}`);
    subjects[name] = { allocations: await allocationsPerMessage(command) };
  }
  const judged = ['Towline', 'Towline, buffered'].map((name) =>
    judge({ what: `allocations for a message: ${name}`, most: 0 }, [subjects[name].allocations]),
  );
  return { title: 'echo of 1 KiB', subjects, judged };
}

/** @type {import('./index.js').Benchmark} */
export default {
  title: 'Memory',
  about:
    'What an idle stream takes: in the core, as its allocator is asked; in a server’s process, as the system counts what is in memory, ' +
    'with the protocol and whatever is under it, less the kernel’s; in a module, as its heap grows. Allocations are counted by ' +
    'valgrind, libraries and all.',
  figures: {
    bytes: 'bytes of a stream',
    script: 'and of JavaScript’s heap',
    whole: 'memory of the instance',
    allocations: 'allocations for a message',
  },
  seconds: { full: 15, quick: 15, smoke: 1 },
  async run({ mode }, progress) {
    const count = mode === 'smoke' ? 100 : 10_000;
    progress('wasm');
    const sections = [core(), await inWasm(count)];
    const uvloop = (await hasPython('uvloop')) && { uvloop: [PYTHON, source('echo.py'), 'uvloop'] };
    const commands = { ...NATIVE, ...uvloop, asyncio: [PYTHON, source('echo.py'), 'asyncio'] };
    sections.push(await nativeConnections(commands, count, progress));
    if (mode !== 'smoke') sections.push(await steadyState(progress));
    return sections;
  },
};
