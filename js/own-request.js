import { SET_LIMITS } from './connection.js';
import { TowlineError } from './errors.js';
import { defaults, framings, Request } from './request.js';

/** @import { Connection } from './connection.js' */
/** @import { Instance } from './instance.js' */
/** @import { Listener } from './listener.js' */
/** @import { HostOptions } from './request.js' */

/**
 * What JavaScript may say of a connection or a server.
 * @typedef {object} OwnOptions
 * @property {string} protocol the constructor that the module exports: `tow_protocol *NAME(tow_loop *, void *context)`
 * @property {number} [context] the constructor's context: an address in the module, or 0
 * @property {number} [timeout] milliseconds until it is open; 0 or Infinity: none; 30 seconds unless said
 * @property {number} [high] write buffer limits, in bytes, for a module that exports
 *   `tow_transport_set_write_buffer_limits`: above it writing is paused; of a child those of its standard input
 * @property {number} [low] what the write buffer drains to before writing is resumed; high / 4 unless given
 * @property {AbortSignal} [signal] cancels it, until it is open: ECANCELED, whose `cause` is the signal's reason
 */

/**
 * @typedef {OwnOptions & Partial<HostOptions> & Partial<import('./webrtc/carrier.js').WebRTCOptions>} Options
 */

const TIMEOUT = 30_000;

/** Options from nothing to what C can hold, and a timer wait. */
const amounts = ['timeout', 'high', 'low', 'inbox', 'backlog'];
const MOST = 0x7fffffff;

/** What is wrong with them; undefined: nothing. @param {any} options */
function wrongIn(options) {
  const { signal, framing } = options;
  for (const name of amounts) {
    const value = options[name] ?? 0;
    if (name === 'timeout' && value === Number.POSITIVE_INFINITY) continue;
    if (!(value >= 0 && value <= MOST)) return `${name} is from 0 to ${MOST}, not ${value}`;
  }
  if (options.low > (options.high ?? MOST / 4)) return 'low is above high';
  if (signal && !signal.addEventListener) return 'signal is an AbortSignal';
  if (!framings.includes(framing)) return `framing is one of ${framings}`;
}

/**
 * A request of JavaScript's own: a promise, which an AbortSignal, a time-out or the module's end may cut short [O1]. The
 * module knows nothing of it before the connection is open: then it is asked for its protocol, and no earlier.
 * @internal
 * @template T
 */
export class OwnRequest extends Request {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {(result: T) => void} */
  #resolve = () => {};
  /** @type {(error: Error) => void} */
  #reject = () => {};
  #abort = () => this.#giveUp('ECANCELED', 'cancelled', { cause: this.options.signal?.reason });

  /**
   * @param {Instance} instance
   * @param {string} address
   * @param {Options} options
   */
  constructor(instance, address, options) {
    super(instance);
    this.address = address;
    const all = /** @type {any} */ ({ ...options });
    for (const [name, value] of Object.entries(defaults)) all[name] ??= value;
    /** @type {Options & import('./request.js').HostOptions} */
    this.options = all;
    /** @type {Promise<T>} */
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** @param {import('./request.js').Verb} verb */
  start(verb) {
    const { instance, address, options } = this;
    const { protocol, signal, high, low } = options;
    const timeout = options.timeout ?? TIMEOUT;
    const lacks = (/** @type {string} */ name) => typeof instance.exports[name] !== 'function';
    const wrong = wrongIn(options);
    if (instance.dead) this.#reject(instance.dead);
    else if (wrong) this.#fail('EINVAL', wrong);
    else if (lacks(protocol)) this.#fail('EINVAL', `the module exports no constructor ${protocol}`);
    else if ((high ?? low) !== undefined && lacks(SET_LIMITS))
      this.#fail('ENOTSUP', `the module exports no ${SET_LIMITS}`);
    else if (signal?.aborted) this.#abort();
    else {
      instance.requests.set(this, this);
      signal?.addEventListener('abort', this.#abort);
      if (timeout > 0 && timeout <= MOST)
        this.#timer = setTimeout(() => this.#giveUp('ETIMEDOUT', 'timed out'), timeout);
      this.begin(verb, address, options);
    }
    return this.result;
  }

  /** @param {string} code @param {string} message @param {ErrorOptions & {native?: number}} [more] */
  #fail(code, message, more) {
    this.#reject(new TowlineError(code, `${this.address}: ${message}`, more));
  }

  /** @param {string} code @param {string} message @param {ErrorOptions} [more] */
  #giveUp(code, message, more) {
    this.cancel();
    this.#fail(code, message, more);
  }

  /** @override */
  forget() {
    clearTimeout(this.#timer);
    this.options.signal?.removeEventListener('abort', this.#abort);
    this.instance.requests.delete(this);
  }

  /** @override @param {Connection} connection */
  tellOpened(connection) {
    let protocol = 0;
    try {
      protocol = connection.open(this.options);
    } catch (trap) {
      this.#reject(/** @type {Error} */ (trap));
      throw trap;
    }
    if (connection.transport === 0) {
      if (protocol) this.#fail('EINVAL', 'its protocol is of another kind');
      else this.#fail('ENOMEM', 'no protocol was made');
      return false;
    }
    this.#resolve(/** @type {T} */ ({ connection, protocol })); // told after this turn: after connection_made
    return true;
  }

  /** @override @param {Listener} listener */
  tellListening(listener) {
    listener.own = this.options;
    this.#resolve(/** @type {T} */ (listener));
    return true;
  }

  /** @override @param {string} code @param {number} native @param {string} message */
  tellFailed(code, native, message) {
    this.#fail(code, message, { native });
  }

  /** @override @param {TowlineError} error */
  abandon(error) {
    this.cancel();
    this.#reject(error);
  }
}
