/** @typedef {import('./instance.js').Instance} Instance */
/** @typedef {import('./listener.js').Listener} Listener */

/** `tow_verb` of boundary.h. @type {import('./request.js').Verb[]} */
const verbs = ['connect', 'listen', 'bind'];

/**
 * What a module imports that connects, serves or spawns by itself: wasm/README.md says what each is asked. (The class of
 * requests is given, so that a page loads it once, and this only for a module that asks.)
 * @param {Instance} instance
 * @param {unknown} _options
 * @param {typeof import('./request.js').Request} Request
 * @returns {Record<string, Function>}
 */
export function imports(instance, _options, Request) {
  const { memory } = instance;
  /** By their `tow_request`. @type {Map<number, import('./request.js').Request>} */
  const requests = new Map();
  /** A `tow_request`, of which the module decides when it has waited long enough. @param {number} pointer */
  const open = (pointer) => {
    const request = new Request(instance, {
      forget: () => requests.delete(pointer),
      opened: (thing) => thing.made(thing.create(pointer)),
      abandoned() {},
      failed(code, native, message) {
        const error = instance.error(code, native, message);
        instance.call('tow_host_failed_request', pointer, error);
      },
    });
    requests.set(pointer, request);
    return request;
  };
  const listener = (/** @type {number} */ id) => /** @type {Listener} */ (instance.things.get(id));
  const text = (/** @type {number} */ address) => (address === 0 ? '' : memory.string(address));

  return {
    ask: (
      /** @type {number} */ pointer,
      /** @type {number} */ verb,
      /** @type {number} */ address,
      /** @type {number[]} */ ...values
    ) => {
      const [backlog, keepalive, flags, inbox, subprotocols, headers] = values;
      open(pointer).begin(verbs[verb], memory.string(address), {
        backlog,
        keepalive,
        nodelay: (flags & 1) !== 0,
        reuseAddress: (flags & 2) !== 0,
        ipv6Only: (flags & 4) !== 0,
        refuseText: (flags & 8) !== 0,
        framing: flags & 16 ? 'demanded' : flags & 32 ? 'refused' : 'offered',
        inbox: inbox >>> 0,
        subprotocols: text(subprotocols),
        headers: text(headers),
      });
    },
    spawn: (
      /** @type {number} */ pointer,
      /** @type {number} */ address,
      /** @type {number[]} */ ...words
    ) => {
      open(pointer).begin('spawn', memory.string(address), { words });
    },
    cancel: (/** @type {number} */ _host, /** @type {number} */ pointer) =>
      requests.get(pointer)?.cancel(),
    close_server: (/** @type {number} */ _host, /** @type {number} */ id) => listener(id).abandon(),
    server_extra_info: (
      /** @type {number} */ _host,
      /** @type {number} */ id,
      /** @type {number} */ name,
      /** @type {number} */ value,
      /** @type {number} */ capacity,
    ) => instance.answer(listener(id).extraInfo(memory.string(name)), value, capacity),
  };
}
