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

/** What is wrong with them; undefined: nothing. @param {Instance} instance @param {any} options */
function wrongIn({ exports }, options) {
  const { protocol, signal, framing, high, low } = options;
  const needed = (high ?? low) === undefined ? [protocol] : [protocol, SET_LIMITS];
  for (const name of needed)
    if (typeof exports[name] !== 'function') return `the module exports no function ${name}`;
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
    if (options.timeout === 1 / 0) options.timeout = 0;
    const { timeout, signal } = options;

    const failure = (
      /** @type {string} */ code,
      /** @type {string} */ message,
      /** @type {ErrorOptions & {native?: number} | undefined} */ more = undefined,
    ) => new TowlineError(code, `${address}: ${message}`, more);
    const wrong = wrongIn(instance, options);
    if (instance.dead) return reject(instance.dead);
    if (wrong) return reject(failure('EINVAL', wrong));

    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const abort = () =>
      request.abandon(failure('ECANCELED', 'cancelled', { cause: signal.reason }));
    const request = new Request(instance, {
      forget() {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      },
      opened(thing) {
        thing.lost?.then(reject); // in a trap
        const protocol = thing.open(options);
        if (thing.transport === 0)
          reject(
            protocol
              ? failure('EINVAL', 'its protocol is of another kind')
              : failure('ENOMEM', 'no protocol was made'),
          );
        resolve({ thing, protocol }); // told after this turn: after connection_made
        return thing.transport !== 0;
      },
      failed: (code, native, message) => reject(failure(code, message, { native })),
      abandoned: reject,
    });
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort);
    if (timeout > 0)
      timer = setTimeout(() => request.abandon(failure('ETIMEDOUT', 'timed out')), timeout);
    request.begin(verb, address, options);
  });
