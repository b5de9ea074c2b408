import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { Connection } from '../connection.js';
import { TowlineError } from '../errors.js';
import { fromNode } from './node-error.js';
import { ReadPipe, WritePipe } from './node-pipe.js';
import { Landing } from './node-socket.js';
import { socketPair } from './node-socket-pair.js';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {import('node:net').Socket} Socket */
/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('../request.js').Carrier} Carrier */
/** @typedef {import('../request.js').Request} Request */

/**
 * What a descriptor of a child is: a pipe to the protocol, nothing, this program's own, or (standard error only) wherever
 * standard output goes.
 * @typedef {'pipe' | 'null' | 'inherit' | 'stdout'} Stdio
 *
 * `tow_spawn_options` of towline.h.
 * @typedef {object} SpawnOptions
 * @property {string[]} [arguments] after the program's name
 * @property {Record<string, string>} [environment] this program's own unless given
 * @property {string} [directory] this program's own unless given
 * @property {[Stdio, Stdio, Stdio]} [stdio] three pipes unless given
 */

/** `tow_stdio`. @type {Stdio[]} */
const kinds = ['pipe', 'null', 'inherit', 'stdout'];

/** Our end of a pipe. @typedef {{socket: Socket, landing: Landing | null}} End */

/**
 * A child. Its pipes are socket pairs of our own, not Node's: those can be given to two descriptors at once, tell when
 * the child closes its standard input, and stay paused when it has ended.
 */
class Subprocess extends Connection {
  /** @param {Instance} instance @param {ChildProcess} child @param {(End | undefined)[]} ends */
  constructor(instance, child, ends) {
    super(instance, 0);
    this.child = child;
    this.ends = ends;
    child.on('exit', (code, signal) => {
      const returncode = code ?? -constants.signals[/** @type {NodeJS.Signals} */ (signal)];
      instance.turn(() => {
        if (this.live) instance.call('tow_host_exited', this.transport, returncode);
      });
    });
    child.on('error', () => {}); // of signals: `kill` has answered
  }

  /** @override @param {number} request */
  create(request) {
    const { instance, id, child } = this;
    const transport =
      request === 0
        ? instance.call('tow_wasm_open_process', instance.loop, id, child.pid)
        : instance.call('tow_wasm_spawned', request, id, child.pid);
    for (const [fd, end] of transport === 0 ? [] : this.ends.entries())
      if (end) this.#openPipe(transport, fd, end);
    return transport;
  }

  /** @param {number} transport @param {number} fd @param {End} end */
  #openPipe(transport, fd, { socket, landing }) {
    const { instance } = this;
    const pipe =
      fd === 0 ? new WritePipe(instance, socket) : new ReadPipe(instance, socket, landing);
    pipe.transport = instance.call('tow_wasm_pipe', transport, fd, pipe.id, pipe.abilities);
    if (pipe.transport !== 0) return;
    pipe.abandon(new TowlineError('ENOMEM', 'no memory for a pipe of a subprocess'));
    instance.call('tow_transport_close', transport);
  }

  get #runs() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** @param {number} signal POSIX's number */
  kill(signal) {
    if (!this.#runs) return 0;
    try {
      process.kill(/** @type {number} */ (this.child.pid), signal);
      return 0;
    } catch (error) {
      const { code } = fromNode(error);
      return code === 'ESRCH' ? 0 : this.instance.code(code);
    }
  }

  /** @override */
  destroy() {
    if (this.#runs) this.child.kill('SIGKILL');
    for (const end of this.ends) end?.socket.destroy();
  }
}

/** A list of strings that ends with NULL. @param {import('../memory.js').Memory} memory @param {number} list */
function strings(memory, list) {
  const texts = [];
  for (let at = list; memory.word(at) !== 0; at += 4) texts.push(memory.string(memory.word(at)));
  return texts;
}

/** What the import `spawn` was told. @param {Instance} instance @param {number[]} words @returns {SpawnOptions} */
function readOptions({ memory }, [list, environment, directory, ...stdio]) {
  const pairs = environment === 0 ? undefined : strings(memory, environment);
  return {
    arguments: list === 0 ? [] : strings(memory, list),
    environment:
      pairs &&
      Object.fromEntries(
        pairs.map((pair) => {
          const [name, ...value] = pair.split('=');
          return [name, value.join('=')];
        }),
      ),
    directory: directory === 0 ? undefined : memory.string(directory),
    stdio: /** @type {any} */ (stdio.map((kind) => kinds[kind])),
  };
}

/**
 * Starts a child; throws why it cannot be.
 * @param {string} program
 * @param {SpawnOptions} options
 * @param {any[]} stdio
 */
async function start(program, { arguments: list, environment, directory }, stdio) {
  const child = spawn(program, list ?? [], { cwd: directory, env: environment, stdio });
  if (child.pid !== undefined) return child;
  const [error] = await once(child, 'error');
  throw error;
}

/**
 * @param {Request} request
 * @param {string} program
 * @param {SpawnOptions} options
 */
async function open(request, program, options) {
  const { instance } = request;
  const { stdio = ['pipe', 'pipe', 'pipe'] } = options;
  let isCancelled = false;
  request.oncancel = () => {
    isCancelled = true;
  };
  /** @type {(End | undefined)[]} */
  const ends = [];
  /** @type {Socket[]} */
  const theirs = [];
  /** @type {any[]} */
  const forChild = [];
  try {
    for (const [fd, kind] of stdio.entries()) {
      if (kind === 'pipe') {
        const lands = fd > 0 && instance.memory.growsInPlace;
        const landing = lands ? new Landing(instance) : null;
        const pair = await socketPair(landing ? { onread: landing.onread } : {});
        if (fd === 0) pair.ours.resume(); // or its end might be seen after what the child does next
        ends[fd] = { socket: pair.ours, landing };
        theirs.push(pair.theirs);
        forChild.push(pair.theirs);
      } else {
        forChild.push(kind === 'null' ? 'ignore' : kind === 'inherit' ? fd : forChild[1]);
      }
    }
    if (isCancelled) throw new Error('cancelled');
    const child = await start(program, options, forChild);
    request.opened(new Subprocess(instance, child, ends));
  } catch (error) {
    for (const end of ends) end?.socket.destroy();
    throw error;
  } finally {
    for (const socket of theirs) socket.destroy();
  }
}

/** @type {Carrier} */
export const nodeChildProcess = {
  spawn(request, address, given) {
    const { instance } = request;
    const program = /^exec:(?!\/\/)(.+)$/s.exec(address)?.[1];
    if (!program) return request.failed('EADDRESS', 0, 'no program');
    if (!instance.exports.tow_host_exited)
      return request.failed('ENOTSUP', 0, 'the module has no protocols of subprocesses');
    const options = 'words' in given ? readOptions(instance, given.words) : given;
    const { stdio = [], directory } = options;
    if (
      stdio.some(
        (/** @type {Stdio} */ kind, /** @type {number} */ fd) =>
          !kinds.includes(kind) || (kind === 'stdout' && fd !== 2),
      )
    )
      return request.failed(
        'EINVAL',
        0,
        'stdio is pipe, null or inherit; for standard error stdout, too',
      );
    open(request, program, options).catch((error) => {
      const { code, native, message } = fromNode(error);
      const where = directory === undefined ? '' : ` in ${directory}`;
      request.failed(
        code.startsWith('ERR_') ? 'EINVAL' : code,
        native,
        `${program}${where}: ${message}`,
      );
    });
  },
};
