/**
 * The calls of protocols, as they are made: `towline/trace`.
 *
 *     import { load } from 'towline';
 *     import { traced } from 'towline/trace';
 *     const module = await traced(load, { oncall: ({ name, size }) => console.log(name, size) })('echo.wasm');
 *
 * The module needs to know nothing of it. Told are the protocols that its constructors make: not those that it puts in their
 * place, or connects by itself; and callbacks that a protocol leaves out are not called, so not told.
 */
import { Watch } from './watch.js';

/** @import { TraceOptions } from './watch.js' */

export { describe } from './describe.js';
export { watched } from './protocol.js';

/** @typedef {import('./call.js').Call} TraceCall */
/** @typedef {import('./watch.js').Fact} TraceFact */
/** @typedef {import('./watch.js').Watched} WatchedConnection */

/**
 * The same `load`, whose modules have the calls of their protocols told. It needs the module's bytes: a compiled
 * WebAssembly.Module will not do.
 * @template {(source: any, options?: any) => Promise<any>} L what `load` is
 * @param {L} load that of towline, or one that takes the same
 * @param {TraceOptions} options who is told
 * @returns {L}
 */
export const traced = (load, options) =>
  /** @type {L} */ (
    (/** @type {any} */ source, /** @type {any} */ more) =>
      load(source, { ...more, watch: new Watch(options) })
  );
