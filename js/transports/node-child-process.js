import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { readSpawn, Subprocess } from '../subprocess.js';
import { fromNode } from './node-error.js';
import { ReadPipe, WritePipe } from './node-pipe.js';
import { Landing } from './node-socket.js';
import { socketPair } from './node-socket-pair.js';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {import('node:net').Socket} Socket */
/** @typedef {import('../connection.js').Connection} Connection */
/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('../request.js').Carrier} Carrier */
/** @typedef {import('../request.js').Request} Request */
/** @typedef {import('../subprocess.js').SpawnOptions} SpawnOptions */
/** @typedef {import('../subprocess.js').Stdio} Stdio */

/** Our end of a pipe. @typedef {{socket: Socket, landing: Landing | null}} End */

/**
 * A child. Its pipes are socket pairs of our own, not Node's: those can be given to two descriptors at once, tell when
 * the child closes its standard input, and stay paused when it has ended.
 */
class NodeProcess extends Subprocess {
  /** @param {Instance} instance @param {ChildProcess} child @param {(End | undefined)[]} ends */
  constructor(instance, child, ends) {
    super(instance, 0);
    this.child = child;
    this.pid = /** @type {number} */ (child.pid);
    this.ends = ends;
    child.on('exit', (code, signal) => {
      const returncode = code ?? -constants.signals[/** @type {NodeJS.Signals} */ (signal)];
      instance.turn(() => {
        if (this.live) instance.call('tow_host_exited', this.transport, returncode);
      });
    });
    child.on('error', () => {}); // of signals: `kill` has answered
  }

  /** @override */
  makePipes() {
    return [...this.ends.entries()].flatMap(([fd, end]) =>
      end ? [/** @type {[number, Connection]} */ ([fd, this.#makePipe(fd, end)])] : [],
    );
  }

  /** @param {number} fd @param {End} end */
  #makePipe(fd, { socket, landing }) {
    return fd === 0
      ? new WritePipe(this.instance, socket)
      : new ReadPipe(this.instance, socket, landing);
  }

  get #runs() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** @param {number} signal POSIX's number */
  kill(signal) {
    if (!this.#runs) return 0;
    try {
      process.kill(this.pid, signal);
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
 * @param {Stdio[]} stdio
 */
async function open(request, program, options, stdio) {
  const { instance } = request;
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
    request.opened(new NodeProcess(instance, child, ends));
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
    const found = readSpawn(request, address, given);
    if (!found) return;
    const { program, options, stdio } = found;
    const { directory } = options;
    open(request, program, options, stdio).catch((error) => {
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
