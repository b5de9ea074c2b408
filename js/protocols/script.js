import { TowlineError } from '../errors.js';
import { OwnRequest } from '../own-request.js';
import { Binding } from './binding.js';
import { callbacks } from './callbacks.js';
import { kindOf, kinds } from './protocol.js';
import { ProtocolServer } from './server.js';
import { DatagramTransport, StreamTransport, SubprocessTransport } from './transport.js';

/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('./protocol.js').AnyProtocol} AnyProtocol */
/** @typedef {import('./transport.js').BaseTransport} BaseTransport */

/** What is copied into the module without asking it for memory; a text or an answer, too. */
const STAGE_SIZE = 65536;
/** The size of a `tow_peer`. */
const PEER_SIZE = 32;
/** TOW_UNSET, and what stands for numbers that C has no room for. */
const UNSET = -0x80000000;
const MOST = 0x7fffffff;

/** @param {number | undefined} value */
const limit = (value) => (value === undefined ? UNSET : Math.max(-MOST, Math.min(value, MOST)));

/**
 * What a connection or a server is to get its protocols from.
 * @typedef {object} Opening
 * @property {() => AnyProtocol} factory
 * @property {(transport: BaseTransport, protocol: AnyProtocol) => void} opened
 * @property {(error: unknown) => void} failed the factory has thrown
 */

/** wasm/script/script.c, loaded: the way into the module for protocols and transports that are JavaScript's. */
export class Script {
  /** Once started; before, nothing is called. */
  #instance = /** @type {Instance} */ (/** @type {unknown} */ (undefined));
  #stage = 0;
  #isStaged = false;
  #peer = 0;
  /** By the address of their `tow_protocol`. @type {Map<number, Binding>} */
  bindings = new Map();
  /** Those not lost, by address. @type {Map<number, BaseTransport>} */
  transports = new Map();
  /** @type {Map<number, Opening>} */
  openings = new Map();
  #lastOpening = 0;
  /** Calls for later, by the address of their `tow_handle`. @type {Map<number, () => void>} */
  handles = new Map();
  /** A transport is memory of the module for as long as JavaScript has hold of it [L5]. */
  #held = new FinalizationRegistry((/** @type {number} */ address) =>
    this.call('tow_transport_unref', address),
  );

  /**
   * @param {import('./loop.js').BaseLoop} loop
   */
  constructor(loop) {
    this.loop = loop;
    /** What the module imports. */
    this.imports = callbacks(this);
  }

  /** @param {Instance} instance */
  start(instance) {
    this.#instance = instance;
    this.#stage = this.allocate(STAGE_SIZE);
    this.#peer = this.allocate(PEER_SIZE);
    instance.call('script_start', instance.loop);
  }

  /** Whether the module is closed, or broken. */
  get dead() {
    return this.#instance.dead !== undefined;
  }

  close() {
    return this.#instance.close();
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
  }

  // ---- Calls ----

  /** 0 when the module is gone. @param {string} name @param {...number} values @returns {number} */
  call(name, ...values) {
    return this.dead ? 0 : this.#instance.call(name, ...values);
  }

  /** Throws what a call has answered, if it is an error. @param {string} what @param {number} answer */
  check(what, answer) {
    if (answer >= 0) return answer;
    const { memory } = this.#instance;
    const name = memory.string(this.call('tow_error_name', answer));
    const text = memory.string(this.call('tow_error_text', answer));
    throw new TowlineError(
      name,
      text.startsWith(what.slice(0, -2)) ? text : `${what}: ${text || name}`,
    );
  }

  /** @param {number} size */
  allocate(size) {
    const address = this.#instance.call('tow_loop_alloc', this.#instance.loop, size);
    if (address === 0) throw new TowlineError('ENOMEM', 'the module is out of memory');
    return address;
  }

  /** @param {number} address */
  free(address) {
    if (address !== 0) this.call('tow_loop_free', this.#instance.loop, address);
  }

  /**
   * A copy of bytes in the module, for the length of a call.
   * @param {Uint8Array} bytes
   * @param {(address: number) => number} use
   */
  #lend(bytes, use) {
    const isStaged = !this.#isStaged && bytes.length <= STAGE_SIZE;
    const address = isStaged ? this.#stage : this.allocate(bytes.length);
    this.#isStaged ||= isStaged;
    try {
      this.bytes(address, bytes.length).set(bytes);
      return use(address);
    } finally {
      if (isStaged) this.#isStaged = false;
      else this.free(address);
    }
  }

  /**
   * @param {string} name of an export: (transport, data, size, ...)
   * @param {number} transport
   * @param {Uint8Array} bytes
   * @param {...number} values
   */
  send(name, transport, bytes, ...values) {
    if (this.dead) return;
    const answer = this.#lend(bytes, (address) =>
      this.call(name, transport, address, bytes.length, ...values),
    );
    this.check(name === 'tow_transport_write' ? 'write()' : 'sendto()', answer);
  }

  /** @param {number} transport @param {Uint8Array} bytes @param {string} [peer] */
  sendto(transport, bytes, peer) {
    const isDropped = this.dead || this.call('tow_transport_is_closing', transport) !== 0; // [D4]
    if (isDropped) return;
    if (peer === undefined) return this.send('tow_transport_sendto', transport, bytes, 0);
    const text = this.#instance.text(peer);
    this.check('sendto()', this.call('tow_transport_parse_peer', transport, text, this.#peer));
    this.send('tow_transport_sendto', transport, bytes, this.#peer);
  }

  /** @param {number} transport @param {number} code @param {string} reason */
  reset(transport, code, reason) {
    if (!this.dead) this.call('tow_framing_reset', transport, code, this.#instance.text(reason));
  }

  /** @param {number} transport @param {number} [high] @param {number} [low] */
  setLimits(transport, high, low) {
    const name = 'tow_transport_set_write_buffer_limits';
    this.check('setWriteBufferLimits()', this.call(name, transport, limit(high), limit(low)));
  }

  /** @param {number} transport */
  limits(transport) {
    const { scratch, memory } = this.#instance;
    this.call('tow_transport_get_write_buffer_limits', transport, scratch, scratch + 4);
    return { low: memory.word(scratch), high: memory.word(scratch + 4) };
  }

  /** @param {number} transport @param {string} name */
  extraInfo(transport, name) {
    if (this.dead) return undefined;
    const text = this.#instance.text(name);
    return this.#answer((stage) =>
      this.call('tow_transport_get_extra_info', transport, text, stage, STAGE_SIZE),
    );
  }

  /** A `tow_peer` as text. @param {number} transport @param {number} peer */
  peer(transport, peer) {
    return this.#answer((stage) =>
      this.call('tow_transport_format_peer', transport, peer, stage, STAGE_SIZE),
    );
  }

  /** The text of a call as snprintf; undefined for an error. @param {(stage: number) => number} call */
  #answer(call) {
    const length = call(this.#stage);
    if (length < 0) return undefined;
    return this.#instance.memory.string(this.#stage, Math.min(length, STAGE_SIZE - 1));
  }

  /** @param {number} transport */
  returncode(transport) {
    const { scratch, memory } = this.#instance;
    const hasEnded = this.call('tow_transport_get_returncode', transport, scratch) !== 0;
    return hasEnded ? memory.word(scratch) | 0 : null;
  }

  /** @template {BaseTransport} T @param {T} transport */
  hold(transport) {
    this.call('tow_transport_ref', transport.address);
    this.#held.register(transport, transport.address);
    return transport;
  }

  /** @param {BaseTransport} transport @param {AnyProtocol} protocol */
  setProtocol(transport, protocol) {
    if (this.dead) return;
    const known = [...this.bindings.values()].find(
      (one) => one.transport === transport && one.protocol === protocol,
    );
    const kind = kindOf(protocol);
    const binding = known ?? this.bind(this.#newProtocol(kind), protocol);
    binding.transport = transport;
    const answer = this.call('tow_transport_set_protocol', transport.address, binding.address);
    const isUnused = !known && (answer < 0 || !this.transports.has(transport.address));
    if (isUnused) this.unbind(binding);
    this.check('setProtocol()', answer);
  }

  /** @param {number} kind */
  #newProtocol(kind) {
    const address = this.call('script_protocol', this.#instance.loop, kind);
    if (address === 0) throw new TowlineError('ENOMEM', 'the module is out of memory');
    return address;
  }

  /** @param {number} address @param {AnyProtocol} protocol */
  bind(address, protocol) {
    const binding = new Binding(this, address, protocol);
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
    const { protocol } = binding;
    const kind = kindOf(protocol);
    const Transport =
      kind === kinds.datagram
        ? DatagramTransport
        : kind === kinds.subprocess
          ? SubprocessTransport
          : StreamTransport;
    const transport = this.hold(new Transport(this, address, protocol));
    binding.transport = transport;
    this.transports.set(address, transport);
    return transport;
  }

  // ---- Values that cross ----

  /** A view. @param {number} address @param {number} size */
  bytes(address, size) {
    return this.#instance.memory.bytes(address, size);
  }

  /** @param {number} address @param {...number} words */
  setWords(address, ...words) {
    this.#instance.memory.setWords(address, ...words);
  }

  /** @param {number} address */
  string(address) {
    return this.#instance.memory.string(address);
  }

  /** Null for a null pointer. @param {number} address */
  error(address) {
    return this.#instance.readError(address);
  }

  // ---- Opening ----

  /** @param {Opening} opening @param {import('./loop.js').AnyOptions} options @param {string} address */
  #request(opening, options, address) {
    const context = ++this.#lastOpening;
    this.openings.set(context, opening);
    /** @type {OwnRequest<any>} */
    const request = new OwnRequest(this.#instance, address, {
      ...options,
      protocol: 'script_new',
      context,
    });
    return { request, forget: () => this.openings.delete(context) };
  }

  /**
   * @param {import('../request.js').Verb} verb
   * @param {string} address
   * @param {() => AnyProtocol} factory
   * @param {import('./loop.js').AnyOptions} options
   * @returns {Promise<any>}
   */
  async connect(verb, address, factory, options) {
    let result = {};
    /** @type {{error: unknown} | undefined} */
    let thrown;
    /** @type {Opening} */
    const opening = {
      factory,
      opened: (transport, protocol) => {
        result = { transport, protocol };
      },
      failed: (error) => {
        thrown = { error };
      },
    };
    const { request, forget } = this.#request(opening, options, address);
    try {
      await request.start(verb);
    } catch (error) {
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
    const opening = { factory, opened: () => {}, failed };
    const { request, forget } = this.#request(opening, options, address);
    try {
      return new ProtocolServer(await request.start('listen'), forget);
    } catch (error) {
      forget();
      throw error;
    }
  }

  // ---- Later ----

  /** @param {() => void} callback @param {number} [delay] milliseconds; none: soon */
  schedule(callback, delay) {
    const { loop } = this.#instance;
    const handle =
      delay === undefined
        ? this.#instance.call('script_call_soon', loop)
        : this.#instance.call('script_call_later', loop, delay);
    if (handle === 0) throw new TowlineError('ENOMEM', 'the module is out of memory');
    this.handles.set(handle, callback);
    return {
      cancel: () => {
        if (this.handles.get(handle) !== callback || this.dead) return;
        this.handles.delete(handle);
        this.call('tow_handle_cancel', handle);
        this.free(handle);
      },
    };
  }
}
