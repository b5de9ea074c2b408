import { TowlineError } from '../errors.js';
import { open } from '../own-request.js';
import { Binding } from './binding.js';
import { callbacks } from './callbacks.js';
import { kindOf, kinds } from './protocol.js';
import { ScriptModule } from './script-module.js';
import { ProtocolServer } from './server.js';
import { DatagramTransport, StreamTransport, SubprocessTransport } from './transport.js';

/** @typedef {import('./protocol.js').AnyProtocol} AnyProtocol */
/** @typedef {import('./base-transport.js').BaseTransport} BaseTransport */

/**
 * What a connection or a server is to get its protocols from.
 * @typedef {object} Opening
 * @property {number} family of their kinds: a stream's, an endpoint's, a child's
 * @property {() => AnyProtocol} factory
 * @property {(transport: BaseTransport, protocol: AnyProtocol) => void} opened
 * @property {(error: unknown) => void} failed the factory has thrown
 * @property {Binding} [binding] what came of it last
 */

/** wasm/script/script.c, loaded: what stands in it for protocols and transports that are JavaScript's. */
export class Script extends ScriptModule {
  /** By the address of their `tow_protocol`. @type {Map<number, Binding>} */
  bindings = new Map();
  /** Those not lost, by address. @type {Map<number, BaseTransport>} */
  transports = new Map();
  /** @type {Map<number, Opening>} */
  openings = new Map();
  #lastOpening = 0;
  /** Calls for later, by the address of their `tow_handle`. @type {Map<number, {name: string, callback: () => void}>} */
  handles = new Map();
  /** A transport is memory of the module for as long as JavaScript has hold of it [L5]. */
  #held = new FinalizationRegistry((/** @type {number} */ address) =>
    this.call('tow_transport_unref', address),
  );

  /**
   * @param {import('./loop.js').BaseLoop} loop
   */
  constructor(loop) {
    super();
    this.loop = loop;
    /** What the module imports. */
    this.imports = callbacks(this);
  }

  /** @override @param {import('../instance.js').Instance} instance */
  start(instance) {
    if (!instance.exports.script_start)
      throw new TowlineError(
        'EABI',
        'this module is not script.wasm, which calls protocols in JavaScript',
      );
    super.start(instance);
  }

  /** The module is broken: nobody else will tell its protocols. @param {TowlineError} error */
  abandon(error) {
    for (const { address, transport, protocol } of [...this.bindings.values()]) {
      const isLast = transport?.getProtocol() === protocol;
      this.bindings.delete(address);
      if (!isLast) continue;
      try {
        protocol.connectionLost?.(error);
      } catch (thrown) {
        this.loop.reportFailure('connectionLost', thrown, { transport, protocol });
      }
      transport?.lost(error);
    }
    this.transports.clear();
    this.handles.clear();
  }

  // ---- Protocols and transports ----

  /** @template {BaseTransport} T @param {T} transport */
  hold(transport) {
    this.call('tow_transport_ref', transport.address);
    this.#held.register(transport, transport.address);
    return transport;
  }

  /** @param {BaseTransport} transport @param {AnyProtocol} protocol */
  setProtocol(transport, protocol) {
    if (this.dead) return;
    const known = transport.bindings.find((one) => one.protocol === protocol);
    const kind = kindOf(protocol, transport.family);
    const binding = known ?? this.bind(this.#newProtocol(kind), protocol, kind);
    binding.transport = transport;
    const answer = this.call('tow_transport_set_protocol', transport.address, binding.address);
    if (!known && answer >= 0) transport.bindings.push(binding);
    else if (!known) this.unbind(binding);
    this.check('setProtocol()', answer);
  }

  /** @param {number} kind */
  #newProtocol(kind) {
    const address = this.call('script_protocol', this.instance.loop, kind);
    if (address === 0) throw new TowlineError('ENOMEM', 'the module is out of memory');
    return address;
  }

  /** @param {number} address @param {AnyProtocol} protocol @param {number} kind */
  bind(address, protocol, kind) {
    const binding = new Binding(this, address, protocol, kind);
    this.bindings.set(address, binding);
    return binding;
  }

  /** @param {Binding} binding */
  unbind(binding) {
    this.bindings.delete(binding.address);
    binding.free();
  }

  /** Its transport, for a protocol's connectionMade. @param {Binding} binding @param {number} address */
  open(binding, address) {
    const { protocol, kind } = binding;
    const Transport =
      kind === kinds.datagram
        ? DatagramTransport
        : kind === kinds.subprocess
          ? SubprocessTransport
          : StreamTransport;
    const transport = this.hold(new Transport(this, address, protocol));
    binding.transport = transport;
    transport.bindings.push(binding);
    this.transports.set(address, transport);
    return transport;
  }

  // ---- Opening ----

  /**
   * @param {import('../request.js').Verb} verb
   * @param {string} address
   * @param {Opening} opening
   * @param {import('./loop.js').AnyOptions} options
   */
  #open(verb, address, opening, options) {
    const context = ++this.#lastOpening;
    this.openings.set(context, opening);
    const all = { ...options, protocol: 'script_new', context };
    return {
      opened: open(this.instance, verb, address, all),
      forget: () => this.openings.delete(context),
    };
  }

  /**
   * @param {import('../request.js').Verb} verb
   * @param {string} address
   * @param {() => AnyProtocol} factory
   * @param {import('./loop.js').AnyOptions} options
   * @param {number} family
   * @returns {Promise<any>}
   */
  async connect(verb, address, factory, options, family) {
    let result = {};
    /** @type {{error: unknown} | undefined} */
    let thrown;
    /** @type {Opening} */
    const opening = {
      family,
      factory,
      opened: (transport, protocol) => {
        result = { transport, protocol };
      },
      failed: (error) => {
        thrown = { error };
      },
    };
    const { opened, forget } = this.#open(verb, address, opening, options);
    try {
      await opened;
    } catch (error) {
      const { binding } = opening; // of another kind than the connection
      if (binding && !binding.transport && !this.dead) this.unbind(binding);
      throw thrown ? thrown.error : error;
    } finally {
      forget();
    }
    return result;
  }

  /**
   * @param {string} address
   * @param {() => AnyProtocol} factory
   * @param {import('./loop.js').AnyOptions} options
   */
  async listen(address, factory, options) {
    const failed = (/** @type {unknown} */ error) => this.loop.reportFailure('factory', error, {});
    /** @type {Opening} */
    const opening = { family: kinds.stream, factory, opened: () => {}, failed };
    const { opened, forget } = this.#open('listen', address, opening, options);
    try {
      return new ProtocolServer((await opened).thing, forget);
    } catch (error) {
      forget();
      throw error;
    }
  }

  // ---- Later ----

  /** @param {() => void} callback @param {number} [delay] milliseconds; none: soon */
  schedule(callback, delay) {
    const { loop } = this.instance;
    const handle =
      delay === undefined
        ? this.instance.call('script_call_soon', loop)
        : this.instance.call('script_call_later', loop, delay);
    if (handle === 0) throw new TowlineError('ENOMEM', 'the module is out of memory');
    const scheduled = { name: delay === undefined ? 'callSoon' : 'callLater', callback };
    this.handles.set(handle, scheduled);
    return {
      /** It is not run, if it has not been. */
      cancel: () => {
        if (this.handles.get(handle) !== scheduled || this.dead) return;
        this.handles.delete(handle);
        this.call('tow_handle_cancel', handle);
        this.free(handle);
      },
    };
  }
}
