import { SET_LIMITS } from './connection.js';
import { TowlineError } from './errors.js';
import { Request } from './request.js';

/** @import { Instance } from './instance.js' */
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

/** `tow_framing` of towline.h. @type {unknown[]} */
const framings = ['offered', 'demanded', 'refused'];

/** TOW_OPTIONS_DEFAULT of towline.h, but for what only Node's transports look at. @type {any} */
const defaults = { timeout: 30_000, inbox: 16 << 20, subprotocols: '', framing: 'offered' };

/** Options from nothing to what C can hold, and a timer wait. */
const amounts = ['timeout', 'high', 'low', 'inbox', 'backlog'];
const MOST = 0x7fffffff;

/** What is wrong with them; undefined: nothing. @param {any} options */
function wrongIn(options) {
  const { signal, framing, high, low } = options;
  for (const name of amounts) {
    const value = options[name] ?? 0;
    if (!(value >= 0 && value <= MOST)) return `${name} is from 0 to ${MOST}, not ${value}`;
  }
  if (low > (high ?? MOST / 4)) return 'low is above high';
  if (signal && !signal.addEventListener) return 'signal is an AbortSignal';
  if (!framings.includes(framing)) return `framing is one of ${framings}`;
}

/**
 * A request of JavaScript's own: a promise, which an AbortSignal, a time-out or the module's end may cut short [O1]. The
 * module knows nothing of it before the connection is open: then it is asked for its protocol, and no earlier.
 * @internal
 * @param {Instance} instance
 * @param {import('./request.js').Verb} verb
 * @param {string} address
 * @param {Options} given
 * @returns {Promise<{thing: any, protocol: number}>} a connection and its protocol, or a listener
 */
export const open = (instance, verb, address, given) =>
  new Promise((resolve, reject) => {
    const options = /** @type {any} */ ({ ...given });
    for (const name in defaults) options[name] ??= defaults[name];
    if (options.timeout === Number.POSITIVE_INFINITY) options.timeout = 0;
    const { protocol: factory, timeout, signal, high, low } = options;

    const fail = (
      /** @type {string} */ code,
      /** @type {string} */ message,
      /** @type {ErrorOptions & {native?: number} | undefined} */ more = undefined,
    ) => reject(new TowlineError(code, `${address}: ${message}`, more));
    const lacks = (/** @type {string} */ name) => typeof instance.exports[name] !== 'function';
    const wrong = wrongIn(options);
    if (instance.dead) return reject(instance.dead);
    if (wrong) return fail('EINVAL', wrong);
    if (lacks(factory)) return fail('EINVAL', `the module exports no constructor ${factory}`);
    if ((high ?? low) !== undefined && lacks(SET_LIMITS))
      return fail('ENOTSUP', `the module exports no ${SET_LIMITS}`);

    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const giveUp = (/** @type {Parameters<typeof fail>} */ ...why) => {
      request.cancel();
      fail(...why);
    };
    const abort = () => giveUp('ECANCELED', 'cancelled', { cause: signal.reason });
    const request = new Request(instance, {
      forget() {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      },
      opened(thing) {
        let protocol = 0;
        try {
          protocol = thing.open(options);
        } catch (trap) {
          reject(trap);
          throw trap;
        }
        if (thing.transport === 0) {
          if (protocol) fail('EINVAL', 'its protocol is of another kind');
          else fail('ENOMEM', 'no protocol was made');
          return false;
        }
        resolve({ thing, protocol }); // told after this turn: after connection_made
        return true;
      },
      failed: (code, native, message) => fail(code, message, { native }),
      abandoned: reject,
    });
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort);
    if (timeout > 0) timer = setTimeout(giveUp, timeout, 'ETIMEDOUT', 'timed out');
    request.begin(verb, address, options);
  });
