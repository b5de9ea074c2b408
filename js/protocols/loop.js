import { TowlineError } from '../errors.js';
import { load } from '../loader.js';
import { StreamProtocol } from '../streams/stream-protocol.js';
import { callbackFailed } from './callbacks.js';
import { checkAddress, checkFunction, checkNumber, checkObject } from './checks.js';
import { kinds } from './protocol.js';
import { Script } from './script.js';

/** @typedef {import('../own-request.js').Options} ModuleOptions */
/** @typedef {import('../subprocess.js').SpawnOptions} SpawnOptions */
/** @typedef {import('../worker/carrier.js').WorkerOptions} WorkerOptions */
/** @typedef {import('../streams/stream-protocol.js').StreamConnection} StreamConnection */
/** @import { AnyProtocol, AnyStreamProtocol, DatagramProtocol, SubprocessProtocol } from './protocol.js' */

/**
 * What an endpoint can be told besides.
 * @typedef {object} BindOption
 * @property {boolean} [bind] bound to the address, and connected to none
 */

/**
 * What streams can be told besides.
 * @typedef {object} LimitOption
 * @property {number} [limit] how much a StreamReader takes before it holds the peer back, and the longest line; 65,536 unless
 *   said
 */

/**
 * Options of connections and servers: a time-out, an AbortSignal, write buffer limits, and the host's.
 * @typedef {Omit<ModuleOptions, 'protocol' | 'context'>} Options
 * @typedef {Options & BindOption} DatagramOptions
 * @typedef {Options & SpawnOptions & WorkerOptions} ChildOptions
 * @typedef {Options & LimitOption} StreamOptions
 * @typedef {Options | ChildOptions} AnyOptions
 */

/**
 * Whose failure it was.
 * @typedef {object} Context
 * @property {string} [callback] that threw: 'dataReceived', 'factory' ...
 * @property {import('./base-transport.js').BaseTransport | null} [transport] of which connection; none: it was no connection's
 * @property {AnyProtocol | null} [protocol] its protocol
 */

/**
 * @typedef {object} LoopOptions
 * @property {(error: TowlineError, context: Context) => void} [onerror] a failure that no call can return: of a callback (the
 *   error's `cause` is what it threw), or of the module; console.error unless given
 * @property {(level: number, message: string) => void} [onlog] 0: debug, 1: warning. Warnings go to console.warn unless given
 * @property {Record<string, import('../request.js').Carrier>} [transports] more schemes, or others
 * @property {import('../loader.js').Source} [script] the module, where it is not beside its loader: a bundler that leaves it
 *   behind
 */

/**
 * What opens connections for protocols in JavaScript, and calls them. The core that it is made of is a module of its own,
 * loaded when something is opened; while nothing is open, Node may exit. index.js and node.js give it what carries bytes.
 */
export class BaseLoop {
  /** @type {Promise<Script> | undefined} */
  #starting;
  /** @type {Script | undefined} */
  #script;
  #platform;
  #source;

  /**
   * @internal
   * @param {Omit<import('../platform.js').Platform<any>, 'Module'>} platform
   * @param {LoopOptions} [options]
   */
  constructor(platform, options = {}) {
    checkObject('options', options);
    const {
      onerror = (error) => console.error(error),
      onlog = (level, message) => level > 0 && console.warn(message),
      transports = {},
      script,
    } = options;
    checkFunction('onerror', onerror);
    checkFunction('onlog', onlog);
    checkObject('transports', transports);
    this.#platform = platform;
    this.#source = script;
    /** As LoopOptions has it; may be set at any time. */
    this.onerror = onerror;
    /** The same. */
    this.onlog = onlog;
    /** More schemes, or others: as they are when the loop starts. */
    this.transports = transports;
  }

  /** Loads the module, if it is not there. What opens something does that by itself. */
  async start() {
    if (this.#script?.dead) this.#script = this.#starting = undefined;
    this.#starting ??= this.#load().catch((error) => {
      this.#starting = undefined;
      throw error;
    });
    this.#script = await this.#starting;
    return this;
  }

  async #load() {
    const script = new Script(this);
    const { instance } = await load(
      { ...this.#platform, Module: Holder },
      this.#source ?? new URL('./script.wasm', import.meta.url),
      {
        imports: { towline_script: script.imports },
        transports: this.transports,
        onerror: (error) => {
          if (script.dead) script.abandon(error);
          this.report(error, {});
        },
      },
    );
    script.start(instance);
    return script;
  }

  /**
   * @internal
   * @protected
   * @template {AnyProtocol} P
   * @param {import('../request.js').Verb} verb
   * @param {string | URL} address
   * @param {() => P} factory
   * @param {AnyOptions} [options]
   * @param {number} [family]
   * @returns {Promise<{transport: any, protocol: P}>}
   */
  async open(verb, address, factory, options = {}, family = kinds.stream) {
    const asked = this.#asked(address, factory, options);
    return (await this.#started()).connect(verb, ...asked, family);
  }

  /**
   * @param {unknown} address
   * @param {() => AnyProtocol} factory
   * @param {AnyOptions} options what is in them OwnRequest looks at
   * @returns {[string, () => AnyProtocol, AnyOptions]}
   */
  #asked(address, factory, options) {
    checkFunction('the factory', factory);
    checkObject('options', options);
    return [checkAddress(address), factory, options];
  }

  async #started() {
    await this.start();
    return /** @type {Script} */ (this.#script);
  }

  /** @internal @param {TowlineError | null} error @param {Context} context */
  report(error, context) {
    try {
      if (error) this.onerror(error, context);
    } catch (thrown) {
      console.error(error, thrown);
    }
  }

  /** @internal @param {string} callback that has thrown @param {unknown} cause @param {Context} context */
  reportFailure(callback, cause, context) {
    this.report(callbackFailed(callback, cause), { callback, ...context });
  }

  /** @internal @param {number} level @param {string} message */
  log(level, message) {
    try {
      this.onlog(level, message);
    } catch (thrown) {
      console.error(thrown);
    }
  }

  /**
   * Connects: 'tcp://host:port', 'unix:/path' (Node), 'ws://host/path', 'wss://host/path' ...
   * @template {AnyStreamProtocol} [P=StreamProtocol]
   * @param {string | URL} address
   * @param {() => P} [factory] makes the protocol when the connection is open, and no earlier; none: one for
   *   `transport.readable` and `transport.writable`
   * @param {Options} [options]
   * @returns {Promise<{transport: import('./transport.js').StreamTransport, protocol: P}>} after connectionMade
   */
  async connect(address, factory, options = {}) {
    const make = factory ?? (() => /** @type {any} */ (new StreamProtocol()));
    return this.open('connect', address, make, options);
  }

  /**
   * Serves: each connection gets a protocol of the factory's. What the factory throws is told to `onerror`.
   * @param {string | URL} address 'tcp://127.0.0.1:0' lets the system choose the port: `server.address` tells it
   * @param {() => AnyStreamProtocol} factory
   * @param {Options} [options]
   * @returns {Promise<import('./server.js').ProtocolServer>}
   */
  async listen(address, factory, options = {}) {
    const asked = this.#asked(address, factory, options);
    return (await this.#started()).listen(...asked);
  }

  /**
   * An endpoint for datagrams: connected to this address, or, with `bind`, bound to it and connected to none.
   * @template {Partial<DatagramProtocol>} P
   * @param {string | URL} address 'udp://host:port' (Node); with `bind`, port 0 lets the system choose
   * @param {() => P} factory
   * @param {DatagramOptions} [options]
   * @returns {Promise<{transport: import('./transport.js').DatagramTransport, protocol: P}>}
   */
  async datagram(address, factory, options = {}) {
    const { bind } = checkObject('options', options);
    return this.open(bind ? 'bind' : 'connect', address, factory, options, kinds.datagram);
  }

  /**
   * Starts a child: 'exec:/bin/cat' or 'exec:cat' (looked up in PATH) in Node, 'worker:cat.wasm' with the carrier of
   * towline/worker.
   * @template {Partial<SubprocessProtocol>} P
   * @param {string | URL} address
   * @param {() => P} factory
   * @param {ChildOptions} [options] `high` and `low` are of its standard input
   * @returns {Promise<{transport: import('./transport.js').SubprocessTransport, protocol: P}>}
   */
  async spawn(address, factory, options = {}) {
    return this.open('spawn', address, factory, options, kinds.subprocess);
  }

  /**
   * asyncio's open_connection: `const { reader, writer } = await openConnection('tcp://...')`, or
   * `await using connection = ...`.
   * @param {string | URL} address
   * @param {StreamOptions} [options]
   * @returns {Promise<StreamConnection>}
   */
  async openConnection(address, options = {}) {
    const { limit } = checkObject('options', options);
    const protocol = new StreamProtocol({ limit });
    await this.connect(address, () => protocol, options);
    return protocol.connection;
  }

  /**
   * asyncio's start_server: `serve` is called for each connection. When its promise is fulfilled the connection is closed;
   * what it throws is told to `onerror`, and the connection is aborted.
   * @param {string | URL} address
   * @param {(connection: StreamConnection) => void | Promise<void>} serve
   * @param {StreamOptions} [options]
   */
  async startServer(address, serve, options = {}) {
    checkFunction('serve', serve);
    const { limit } = checkObject('options', options);
    if (limit !== undefined) checkNumber('limit', limit, 1);
    return this.listen(address, () => new StreamProtocol({ limit, serve }), options);
  }

  /**
   * Runs a callback in the loop's next turn, in the order of the calls [T1]. The loop must have been started.
   * @param {() => void} callback
   */
  callSoon(callback) {
    checkFunction('the callback', callback);
    return this.#running.schedule(callback);
  }

  /**
   * Runs a callback after so many milliseconds; equal times in the order of the calls [T2].
   * @param {number} delay
   * @param {() => void} callback
   */
  callLater(delay, callback) {
    checkNumber('the delay', delay);
    checkFunction('the callback', callback);
    return this.#running.schedule(callback, delay);
  }

  get #running() {
    if (this.#script && !this.#script.dead) return this.#script;
    throw new TowlineError('ENOTCONN', 'the loop has not been started');
  }

  /** Aborts everything, delivers each connectionLost and each result [T5]. What is opened afterwards starts it anew. */
  async close() {
    const script = await this.#starting?.catch(() => undefined);
    await script?.close();
  }

  /** As close, for `await using`. */
  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

/** What the loader makes of a module, here: no more than its way in. */
class Holder {
  /** @param {import('../instance.js').Instance} instance */
  constructor(instance) {
    this.instance = instance;
  }
}
