import { TowlineError } from '../errors.js';
import { readSpawn } from '../subprocess.js';
import { MessageReader, MessageWriter } from './messages.js';
import { checkSpawn, checkWorkers } from './options.js';
import { Pool } from './pool.js';
import { WorkerProcess } from './process.js';
import { Programs } from './program.js';
import { RingReader, RingWriter, SpareRings } from './ring.js';
import { ring } from './waiting.js';

/** @import { Request } from '../request.js' */
/** @import { Source } from '../loader.js' */
/** @import { SpawnOptions, Stdio } from '../subprocess.js' */
/** @import { Platform } from './platform.js' */
/** @import { Thread } from './pool.js' */
/** @typedef {'shared' | 'suspending' | 'deferred'} PipeWay */
/** @typedef {PipeWay | 'messages'} Way */

/**
 * @typedef {object} WorkersOptions
 * @property {Record<string, Source>} [programs] programs by name: 'worker:NAME'
 * @property {number} [limit] how many processes there may be at a time, those that were killed and still spin included; 64
 * @property {number} [pool] Workers that wait for a WASI command, so that it starts sooner; 1
 * @property {number} [grace] milliseconds that a program which listens is given after SIGTERM and SIGINT; 1000
 * @property {string | URL} [shim] where `@bjorn3/browser_wasi_shim` is, to have the Worker's files run as they are, and not
 *   the one file that was made of them
 */

/**
 * What `spawn` can be told besides.
 * @typedef {object} WorkerOptions
 * @property {Source} [program] in place of the address's; the address still names it
 * @property {Record<string, string | Uint8Array> | Map<string, string | Uint8Array>} [files] the program's file system, by
 *   path. A Map is given back as the program leaves it, when that ends by itself
 * @property {number} [inbox] bytes that are held, where a program cannot be stopped from writing, nor be given more to read
 * @property {PipeWay} [isolate] the way of the pipes, for tests
 */

/** What a pipe holds; of standard output more, for those who write much. */
const CAPACITIES = [65536, 262144, 65536];

/** The ways of the pipes that this place has, the best one first. @returns {Way} */
function bestWay() {
  if (typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false)
    return 'shared';
  return 'Suspending' in WebAssembly ? 'suspending' : 'deferred';
}

/**
 * The three streams, ours and theirs.
 * @param {Stdio[]} stdio
 * @param {Way} way
 * @param {Thread} thread
 * @param {number} inbox
 * @param {SpareRings} rings
 */
function makeStreams(stdio, way, thread, inbox, rings) {
  const bell = way === 'shared' ? new SharedArrayBuffer(4) : undefined;
  const words = bell && new Int32Array(bell);
  /** @type {Map<number, import('./process.js').Stream>} */
  const streams = new Map();
  const theirs = stdio.map((kind, fd) => {
    if (kind === 'stdout') return kind;
    if (kind === 'null' || (kind === 'inherit' && fd === 0)) return null;
    if (!words) {
      const window = way === 'deferred' ? inbox : undefined;
      const stream =
        fd === 0 ? new MessageWriter(fd, thread.post, window) : new MessageReader(fd, thread.post);
      streams.set(fd, stream);
      return 'messages';
    }
    const memory = rings.take(CAPACITIES[fd]);
    const tell = () => ring(words);
    streams.set(fd, fd === 0 ? new RingWriter(memory, tell) : new RingReader(memory, tell));
    return memory;
  });
  return { bell, streams, theirs };
}

/** Prints what comes. @param {RingReader | MessageReader} stream @param {ReturnType<Platform['printer']>} printer */
function print(stream, printer) {
  stream.onchange = () => {
    for (;;) {
      stream.listen();
      const { ended } = stream;
      const bytes = stream.peek();
      if (bytes.length === 0) return ended ? printer.end() : undefined;
      printer.write(bytes.slice());
      stream.take(bytes.length);
    }
  };
  stream.onchange();
}

const encoder = new TextEncoder();

/** @param {WorkerOptions['files']} files @returns {[string, Uint8Array][]} */
const listFiles = (files = {}) =>
  (files instanceof Map ? [...files] : Object.entries(files)).map(([path, content]) => [
    path,
    typeof content === 'string' ? encoder.encode(content) : content,
  ]);

/**
 * What the Worker makes of `start`: the process, from the moment that the program runs.
 * @param {Thread} thread
 * @param {string | undefined} script
 * @param {() => WorkerProcess} make
 * @returns {Promise<WorkerProcess>}
 */
const started = (thread, script, make) =>
  new Promise((resolve, reject) => {
    thread.onmessage = ({ type, code, message }) => {
      if (type === 'started') resolve(make());
      else if (type === 'failed') reject(new TowlineError(String(code), String(message)));
    };
    thread.onerror = (message) => reject(new TowlineError(script ? 'ENOENT' : 'ENOTSUP', message));
    thread.onexit = () => reject(new TowlineError('EINVAL', 'it ended before it had started'));
  });

/**
 * Throws what cannot be. NUL ends a string for C.
 * @param {string[]} list
 * @param {string[]} pairs
 * @param {[string, Uint8Array][]} files
 * @param {string} directory
 */
function check(list, pairs, files, directory) {
  const hasNul = [...list, ...pairs].some((text) => text.includes('\0'));
  if (hasNul) throw new TowlineError('EINVAL', 'a NUL in an argument or in the environment');
  const below = `${directory}/`.replace(/^\/*|\/+/g, '/');
  if (below !== '/' && !files.some(([path]) => `/${path}`.replace(/\/+/g, '/').startsWith(below)))
    throw new TowlineError('ENOENT', `no directory ${directory} among the files`);
}

/**
 * @internal
 * @param {Platform} platform
 * @param {WorkersOptions} [options]
 * @returns {import('../request.js').Carrier}
 */
export function makeCarrier(platform, options = {}) {
  const { programs: names = {}, limit = 64, pool: size = 1, grace = 1000, shim } = options;
  checkWorkers({ programs: names, limit, pool: size, grace });
  const programs = new Programs(names, platform.resolve, platform.read);
  const rings = new SpareRings();
  const pool = new Pool({
    start: platform.start,
    startCommand() {
      if (shim === undefined) return platform.startCommand();
      const thread = platform.startUnbundled();
      thread.post({ type: 'prepare', shim: platform.resolve(String(shim)) });
      return thread;
    },
    size,
    limit,
  });

  /**
   * @param {Request} request
   * @param {string} name
   * @param {SpawnOptions & WorkerOptions} options
   * @param {Stdio[]} stdio
   */
  async function open(request, name, options, stdio) {
    const { instance } = request;
    const { environment = platform.environment(), directory = '/', inbox = 16 << 20 } = options;
    checkSpawn(options);
    const files = listFiles(options.files);
    const list = [name, ...(options.arguments ?? [])];
    const pairs = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
    if (directory !== '/' && environment.PWD === undefined) pairs.push(`PWD=${directory}`);
    check(list, pairs, files, directory);
    let isCancelled = false;
    request.oncancel = () => {
      isCancelled = true;
    };
    pool.use(instance);
    pool.fill(); // while the program is compiled
    const program = await programs.find(name, options.program);
    if (isCancelled) return;
    const script = 'script' in program ? program.script : undefined;
    const thread = pool.take(script);
    let isGiven = false;
    const release = (isFree = false) => {
      if (!isGiven) pool.give(thread, isFree);
      isGiven = true;
    };
    request.oncancel = () => release();
    const way = script ? 'messages' : (options.isolate ?? bestWay());
    const { bell, streams, theirs } = makeStreams(stdio, way, thread, inbox, rings);
    const returned = options.files instanceof Map ? options.files : undefined;
    const process = started(thread, script, () => {
      for (const [fd, stream] of streams)
        if (stdio[fd] === 'inherit') print(/** @type {any} */ (stream), platform.printer(fd));
      return new WorkerProcess(instance, {
        thread,
        release,
        recycle: () => {
          for (const memory of theirs) if (typeof memory === 'object' && memory) rings.give(memory);
        },
        streams,
        piped: [0, 1, 2].filter((fd) => stdio[fd] === 'pipe'),
        way,
        grace,
        inbox,
        onfiles: (found) => giveBack(returned, found),
      });
    });
    thread.post({
      type: 'start',
      ...program,
      arguments: list,
      environment: script ? environment : pairs,
      files: script ? [] : files,
      returnsFiles: returned !== undefined,
      directory,
      way,
      bell,
      stdio: theirs,
    });
    try {
      request.opened(await process);
    } catch (error) {
      release();
      throw error;
    } finally {
      pool.fill();
    }
  }

  return {
    spawn(request, address, given) {
      const found = readSpawn(request, address, given);
      if (!found) return;
      const { program, options, stdio } = found;
      open(request, program, options, stdio).catch((error) =>
        request.failed(
          error instanceof TowlineError ? error.code : 'EINVAL',
          error.native ?? 0,
          `${program}: ${error.message}`,
        ),
      );
    },
  };
}

/**
 * @param {Map<string, string | Uint8Array> | undefined} files
 * @param {[string, Uint8Array][]} found
 */
function giveBack(files, found) {
  if (!files) return;
  files.clear();
  for (const [path, bytes] of found) files.set(path, bytes);
}
