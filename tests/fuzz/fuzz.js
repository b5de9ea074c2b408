/** Random scenarios, this library's builds against asyncio. */
import { scenarioOf } from './scenarios.js';
import { shrink } from './shrink.js';
import { difference, openAsyncio, sides } from './traces.js';

/**
 * @typedef {import('../traces/format.js').Scenario} Scenario
 * @typedef {import('./traces.js').Side} Side
 * @typedef {import('./traces.js').Trace} Trace
 *
 * @typedef {object} Failure
 * @property {string} side
 * @property {Scenario} scenario
 * @property {import('./traces.js').Difference} difference
 */

export class Fuzzer {
  #asyncio = openAsyncio();

  /** @param {string[]} [kinds] of scenarios; all unless said */
  constructor(kinds) {
    this.kinds = kinds;
  }

  /**
   * The first difference of each side in these seeds' scenarios.
   * @param {number} seed
   * @param {number} count
   * @returns {Promise<Failure[]>}
   */
  async run(seed, count) {
    const scenarios = Array.from({ length: count }, (_, i) => scenarioOf(seed + i, this.kinds));
    return this.compare(scenarios);
  }

  /** @param {Scenario[]} scenarios @returns {Promise<Failure[]>} */
  async compare(scenarios) {
    const want = await this.#asyncio.run(scenarios);
    /** @type {Failure[]} */
    const failures = [];
    for (const side of sides) {
      const have = await side.run(scenarios);
      for (const [i, scenario] of scenarios.entries()) {
        const found = difference(scenario, want[i], have[i]);
        if (!found) continue;
        failures.push({ side: side.name, scenario, difference: found });
        break;
      }
    }
    return failures;
  }

  /**
   * The same failure, of a scenario as small as can be.
   * @param {Failure} failure
   * @returns {Promise<Failure>}
   */
  async shrink(failure) {
    const side = /** @type {Side} */ (sides.find(({ name }) => name === failure.side));
    const differs = async (/** @type {Scenario} */ scenario) => {
      const [[want], [have]] = await Promise.all([
        this.#asyncio.run([scenario]),
        side.run([scenario]),
      ]);
      return difference(scenario, want, have);
    };
    // One that cannot be run at all is another failure than one that differs.
    const scenario = await shrink(failure.scenario, async (one) => {
      const found = await differs(one);
      return found !== null && found.broken === failure.difference.broken;
    });
    return { ...failure, scenario, difference: (await differs(scenario)) ?? failure.difference };
  }

  close() {
    this.#asyncio.close?.();
  }
}

/** The scenario's file and both traces, side by side where they part. @param {Failure} failure */
export function describeFailure({ side, scenario, difference: { want, have } }) {
  const text = JSON.stringify(scenario, null, 1);
  const lines = [`${scenario.name}: ${side} differs from asyncio`, text, '', '  asyncio | ours'];
  for (let i = 0; i < Math.max(want.length, have.length); i++) {
    if (want[i] === have[i]) lines.push(`  ${want[i]}`);
    else lines.push(`- ${want[i] ?? '(nothing)'}`, `+ ${have[i] ?? '(nothing)'}`);
  }
  return lines.join('\n');
}
