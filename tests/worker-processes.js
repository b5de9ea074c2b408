/** Subprocesses of scenarios in Workers, in place of the system's. */

/**
 * @typedef {import('./traces/format.js').Scenario} Scenario
 * @typedef {import('./runner.js').Stage['load']} Load
 */

/** What child.c can do for a scenario when it is a WASI command. @param {Scenario} scenario */
export const canBeWasi = ({ child = [] }) =>
  !child.some((/** @type {string} */ step) => /^(hold|ignore_term|raise:(?!6$))/.test(step));

/**
 * Loads modules whose children run in Workers.
 * @param {Load} load
 * @param {import('../js/request.js').Carrier} carrier
 * @returns {Load}
 */
export const loadWith = (load, carrier) => (code, options) =>
  load(code, { ...options, transports: { ...options.transports, exec: carrier } });
