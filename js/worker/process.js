import { TowlineError } from '../errors.js';
import { Subprocess } from '../subprocess.js';
import { MessageReader, MessageWriter } from './messages.js';
import { InputPipe, OutputPipe } from './pipe.js';

/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('./messages.js').Message} Message */
/** @typedef {import('./pipe.js').Reader | import('./pipe.js').Writer} Stream */

const SIGINT = 2;
const SIGABRT = 6;
const SIGKILL = 9;
const SIGTERM = 15;
/** SIGRTMAX: no signal is greater. */
const GREATEST = 64;

const TOO_MUCH_INPUT = 'more was written than can be held until the input ends';

/**
 * What a process is made of.
 * @typedef {object} Parts
 * @property {import('./pool.js').Thread} thread
 * @property {(isFree: boolean) => void} release the Worker is to go, unless it is free for another program
 * @property {() => void} recycle neither side uses the streams any more
 * @property {Map<number, Stream>} streams those that are piped or printed, by descriptor
 * @property {number[]} piped which have pipes
 * @property {string} way
 * @property {number} grace
 * @property {number} inbox
 * @property {(files: [string, Uint8Array][]) => void} onfiles
 */

/** A process: one Worker, from the moment that its program has started. It is over once, whichever way comes first. */
export class WorkerProcess extends Subprocess {
  /** @type {number | undefined} */
  #returncode;
  /** The Worker has let go of its streams. */
  #isFree = false;
  /** Signals that the program wants to hear of. @type {Set<number>} */
  #listens = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #grace;
  /** @type {Map<number, InputPipe | OutputPipe>} */
  #pipes = new Map();
  /** @type {TowlineError | null} */
  #trap = null;

  /** @param {Instance} instance @param {Parts} parts */
  constructor(instance, parts) {
    super(instance, 0);
    this.parts = parts;
    const { thread } = parts;
    thread.onmessage = (message) => this.#hear(message);
    thread.onerror = (message) => this.#trapped(message);
    thread.onexit = (code) => this.#end(code & 255);
  }

  // ---- What the Worker says, which need not be true ----

  /** @param {Message} message */
  #hear({ type, fd, ...rest }) {
    const stream = this.parts.streams.get(fd);
    if (type === 'wake') stream?.onchange();
    else if (type === 'exit') this.#exited(rest);
    else if (type === 'trap' || type === 'failed') this.#trapped(String(rest.message));
    else if (type === 'listen') this.#listens = new Set([rest.signals].flat());
    else if (stream instanceof MessageReader || stream instanceof MessageWriter) {
      stream.receive({ type, ...rest });
      if (stream instanceof MessageReader && stream.held > this.parts.inbox)
        this.#overflow(fd, `more than ${this.parts.inbox} bytes were written and not read`);
    }
  }

  /** @param {{returncode?: unknown, files?: unknown, isFree?: unknown}} message */
  #exited({ returncode, files, isFree }) {
    if (this.#returncode !== undefined) return;
    const isOurs = this.parts.way !== 'messages'; // the Worker's script, which tells the truth
    if (isOurs) this.parts.onfiles(/** @type {any} */ (files));
    this.#end(Number(returncode) & 255, isOurs && isFree === true);
  }

  /** As abort() ends a program. @param {string} message */
  #trapped(message) {
    if (this.#returncode !== undefined) return;
    this.#trap = new TowlineError('ETRAP', message);
    for (const pipe of this.#pipes.values())
      if (pipe instanceof OutputPipe) pipe.error = this.#trap;
    this.#end(-SIGABRT);
  }

  /** What is held for lack of a way to stop it has become too much. @param {number} fd @param {string} message */
  #overflow(fd, message) {
    this.instance.turn(() => this.#pipes.get(fd)?.failed('EOVERFLOW', 0, message));
    this.#end(-SIGKILL);
  }

  // ---- Its end ----

  /** It runs no more; whoever is to hear of it does in turns of their own. @param {number} returncode */
  #end(returncode, isFree = false) {
    if (this.#returncode !== undefined) return;
    this.#returncode = returncode;
    this.#isFree = isFree;
    this.#release(isFree);
    this.instance.turn(() => this.#tellExit());
    for (const stream of this.parts.streams.values()) stream.finish();
  }

  #release(isFree = false) {
    clearTimeout(this.#grace);
    this.parts.release(isFree);
  }

  #tellExit() {
    if (this.live && this.#returncode !== undefined)
      this.instance.call('tow_host_exited', this.transport, this.#returncode);
  }

  // ---- Asked by the core ----

  /** @override */
  makePipes() {
    const { instance, parts } = this;
    for (const fd of parts.piped) {
      const stream = /** @type {any} */ (parts.streams.get(fd));
      const pipe =
        fd === 0 ? new InputPipe(instance, stream) : new OutputPipe(instance, stream, parts.way);
      if (pipe instanceof OutputPipe) pipe.error = this.#trap;
      else if (parts.way === 'deferred') pipe.onfull = () => this.#overflow(fd, TOO_MUCH_INPUT);
      this.#pipes.set(fd, pipe);
    }
    return [...this.#pipes];
  }

  /** @param {number} transport @override */
  made(transport) {
    const isThere = super.made(transport);
    this.#tellExit(); // it may be over already
    return isThere;
  }

  /** @param {number} signal POSIX's number */
  kill(signal) {
    if (!(signal >= 0 && signal <= GREATEST)) return this.instance.code('EINVAL');
    if (this.#returncode !== undefined || signal === 0) return 0;
    if (signal !== SIGKILL && signal !== SIGTERM && signal !== SIGINT)
      return this.instance.code('ENOTSUP');
    if (signal === SIGKILL || !this.#listens.has(signal)) this.#end(-signal);
    else {
      this.parts.thread.post({ type: 'signal', signal });
      this.#grace ??= setTimeout(() => this.#end(-signal), this.parts.grace);
    }
    return 0;
  }

  /** Every pipe is lost. @param {TowlineError | null} error @override */
  close(error) {
    if (this.#isFree) this.parts.recycle();
    super.close(error);
  }

  /** @override */
  destroy() {
    this.#returncode ??= -SIGKILL;
    this.#release();
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'process_pipes') return this.parts.way;
    if (name === 'trap') return this.#trap?.message;
  }
}
