/** Programs in Workers: each has a protocol of shell.c, whose page is here. */
import { load } from '../../../js/index.js';
import { traced } from '../../../js/trace/index.js';
import { workers } from '../../../js/worker/index.js';

/** @typedef {import('../../../js/index.js').Module} Module */
/** @typedef {import('../../../js/trace/watch.js').TraceOptions} TraceOptions */
/** @typedef {import('../../../js/trace/index.js').WatchedConnection} WatchedConnection */

const here = (/** @type {string} */ path) =>
  new URL(`../../../build/wasi/${path}`, import.meta.url);

/**
 * A recording's listener. The host tells of bytes that have left only if they had to wait, so what is sent is not
 * counted there: whoever writes has to.
 * @param {import('../../views/recording.js').Recording} recording
 * @returns {TraceOptions}
 */
export const listenerOf = (recording) => ({
  ...recording.listener,
  onfact: (fact) => {
    const level = fact.connection.writeBufferSize;
    if (fact.name === 'received') recording.listener.onfact?.(fact);
    else if (level !== undefined) recording.sample('level', level);
  },
});

/** POSIX's numbers. @type {Record<number, string>} */
const SIGNALS = { 2: 'SIGINT', 6: 'SIGABRT', 9: 'SIGKILL', 15: 'SIGTERM' };

/** How a program ended, in words. @param {number} returncode */
export const ending = (returncode) =>
  returncode < 0
    ? `ended by ${SIGNALS[-returncode] ?? `signal ${-returncode}`} (${returncode})`
    : `exit code ${returncode}`;

/** Ways of the pipes, as `getExtraInfo('process_pipes')` names them, in words. @type {Record<string, string>} */
export const WAYS = {
  shared: 'shared memory',
  suspending: 'messages; the program is suspended while it waits',
  deferred: 'messages; the program starts when its input has been ended',
};

/**
 * What a program is told and tells.
 * @typedef {object} Command
 * @property {string} program its name
 * @property {string[]} [arguments]
 * @property {Map<string, string | Uint8Array>} [files] given back as it leaves them
 * @property {boolean} [hasInput] false: it finds nothing to read; true unless said
 * @property {(fd: number, bytes: Uint8Array) => void} [onprint] the bytes are lent
 * @property {() => void} [onready] its standard input takes bytes again
 * @property {(returncode: number) => void} [onexit]
 */

/** A program, from the moment that it runs. */
export class Program {
  /** @type {import('../../../js/index.js').Transport | undefined} */
  #transport;
  /** @type {number | undefined} */
  returncode;

  /** @param {Module} module @param {WatchedConnection} connection @param {Command} command */
  constructor(module, connection, command) {
    this.module = module;
    this.connection = connection;
    this.command = command;
  }

  /** @param {import('../../../js/index.js').Transport} transport */
  started(transport) {
    this.#transport = transport;
    /** It has ended, and all that it wrote was read. */
    this.closed = transport.closed;
  }

  get isOpen() {
    return this.connection.transport !== 0;
  }

  /** Which way its pipes are taken. */
  get pipes() {
    return this.#transport?.getExtraInfo('process_pipes', '') ?? '';
  }

  /** What it was that trapped, if it did. */
  get trap() {
    return this.#transport?.getExtraInfo('trap');
  }

  /** @param {string} name @param {...(number | Uint8Array)} values */
  #call(name, ...values) {
    return this.isOpen ? this.module.call(name, this.connection.protocol, ...values) : 0;
  }

  /** Whether it was taken. @param {Uint8Array} bytes */
  type(bytes) {
    return this.#call('shell_type', bytes) === 1;
  }

  end() {
    this.#call('shell_end');
  }

  /** @param {number} signal */
  signal(signal) {
    this.#call('shell_signal', signal);
  }

  /** @param {boolean} isHeld */
  hold(isHeld) {
    this.#call('shell_hold', Number(isHeld));
  }

  /** @param {number} rate bytes a second; 0: as they come */
  readSlowly(rate) {
    this.#call('shell_read_slowly', rate);
  }
}

/** The module, and what it runs. */
export class Shell {
  /** @type {Promise<Module> | undefined} */
  #module;
  /** By the addresses of their protocols. @type {Map<number, Program>} */
  #programs = new Map();
  /** @type {(connection: WatchedConnection) => void} */
  #onconnection = () => {};

  /** @param {TraceOptions} listener @param {string[]} names of the programs that are there */
  constructor(listener, names) {
    this.listener = listener;
    this.names = names;
  }

  #load() {
    this.#module ??= traced(load, {
      ...this.listener,
      onconnection: (connection) => this.#onconnection(connection),
    })(here('shell.wasm'), {
      imports: { shell: this.#imports },
      transports: {
        worker: workers({
          programs: Object.fromEntries(
            this.names.map((name) => [name, here(`programs/${name}.wasm`)]),
          ),
        }),
      },
    });
    return this.#module;
  }

  /** Starts one. @param {Command} command @param {Program} [next] who reads what it writes; else `onprint` does */
  async start(command, next) {
    const module = await this.#load();
    /** @type {Program | undefined} */
    let program;
    this.#onconnection = (connection) => {
      program = new Program(module, connection, command);
      this.#programs.set(connection.protocol, program);
    };
    const { transport } = await module.spawn(`worker:${command.program}`, {
      protocol: 'shell_new',
      context: next?.connection.protocol ?? 0,
      arguments: command.arguments,
      files: command.files,
      stdio: [command.hasInput === false ? 'null' : 'pipe', 'pipe', 'pipe'],
    });
    const made = /** @type {Program} */ (/** @type {unknown} */ (program));
    made.started(transport);
    transport.closed.then(() => this.#programs.delete(made.connection.protocol));
    return made;
  }

  /** What shell.c calls. */
  get #imports() {
    return {
      print: (/** @type {number[]} */ ...[protocol, fd, data, size]) => {
        const program = this.#programs.get(protocol);
        program?.command.onprint?.(fd, program.module.memory.bytes(data, size));
      },
      ready: (/** @type {number} */ protocol) => this.#programs.get(protocol)?.command.onready?.(),
      exited: (/** @type {number} */ protocol, /** @type {number} */ returncode) => {
        const program = this.#programs.get(protocol);
        if (program) program.returncode = returncode;
        program?.command.onexit?.(returncode);
      },
    };
  }
}
