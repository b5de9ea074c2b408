import { sizeAndBytes, tell } from './call.js';
import { METHODS } from './callbacks.js';

/** @import { Call, Listener } from './call.js' */

/** How many were watched. */
let count = 0;

/**
 * The same protocol, in JavaScript, of whose calls somebody is told. Callbacks that it leaves out are not called, so not told.
 * @template {object} P
 * @param {P} protocol
 * @param {Listener} listener
 * @returns {P}
 */
export function watched(protocol, listener) {
  const connection = ++count;
  let depth = 0;
  /** @type {any} */
  let transport;
  /** @type {Uint8Array | undefined} */
  let buffer;

  /** @param {string} name @param {any[]} values @returns {Partial<Call>} */
  const told = (name, values) => {
    const [first, second] = values;
    const bytes = values.find((value) => value instanceof Uint8Array);
    if (name === 'CM') transport = first;
    if (name === 'GB') return { hint: first };
    if (name === 'BU')
      return sizeAndBytes((buffer ?? new Uint8Array(0)).subarray(0, first), listener.keep);
    if (name === 'CL') return { error: first };
    if (name === 'EE') return { error: first, ...(second && { peer: second }) };
    if (name === 'PJ') return { peer: first };
    if (name === 'DG') return { ...sizeAndBytes(first, listener.keep), peer: second };
    if (name === 'PL') return { fd: first, error: second };
    return {
      ...(name === 'PD' && { fd: first }),
      ...(bytes && sizeAndBytes(bytes, listener.keep)),
    };
  };
  const level = () => transport?.getWriteBufferSize?.();

  return new Proxy(protocol, {
    get(target, property) {
      const method = Reflect.get(target, property);
      const name = typeof property === 'string' ? METHODS[property] : undefined;
      if (typeof method !== 'function' || !name) return method;
      return (/** @type {any[]} */ ...values) => {
        const time = performance.now();
        /** @type {Call} */
        const call = {
          name,
          time,
          connection,
          depth: depth++,
          ...told(name, values),
          level: level(),
        };
        tell(listener.oncall, call);
        try {
          const answer = method.apply(target, values);
          if (name === 'GB') {
            buffer = answer;
            call.size = answer?.length;
          }
          return answer;
        } finally {
          depth--;
          call.duration = performance.now() - time;
          if (name !== 'CL') call.levelAfter = level();
          tell(listener.onreturn, call);
        }
      };
    },
  });
}
