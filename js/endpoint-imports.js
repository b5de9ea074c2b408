/**
 * What a module imports for endpoints and subprocesses: wasm/README.md says what each is asked.
 * @param {import('./instance.js').Instance} instance
 * @returns {Record<string, Function>}
 */
export function imports(instance) {
  const thing = (/** @type {number} */ id) => /** @type {any} */ (instance.things.get(id));
  return {
    sendto: (/** @type {number} */ id, /** @type {number[]} */ ...values) =>
      thing(id).sendto(...values),
    parse_peer: (/** @type {number} */ id, /** @type {number[]} */ ...values) =>
      thing(id).parsePeer(...values),
    format_peer: (/** @type {number} */ id, /** @type {number[]} */ ...values) =>
      thing(id).formatPeer(...values),
    kill: (/** @type {number} */ id, /** @type {number} */ signal) => thing(id).kill(signal),
  };
}
