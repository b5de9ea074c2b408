/** The scenarios of this folder, and how they are played on hosts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fromRoot, record } from '../adapters.js';
import { show } from './show.js';

/** @typedef {import('../traces/format.js').Scenario} Scenario */
/** @typedef {import('../adapters.js').Host} Host */

const folder = fromRoot('tests/contract');
/** @type {Scenario[]} */
export const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));

/**
 * A test for each host and each scenario that is for it: what the protocol hears is what is expected, line by line.
 * @param {string} title
 * @param {Host[]} hosts
 * @param {(scenario: Scenario, host: Host) => boolean} isFor
 */
export function play(title, hosts, isFor) {
  for (const host of hosts) {
    describe(`${title} on ${host.name}`, () => {
      before(() => host.open?.());
      after(() => host.close?.());
      for (const scenario of scenarios) {
        if (!isFor(scenario, host)) continue;
        test(`${scenario.rule}: ${scenario.about} (${scenario.kind})`, async () => {
          const raw = await record(
            host,
            { transport: host.transport, ...scenario },
            host.transport,
          );
          assert(raw, 'it could not be run');
          assert.deepEqual(show(raw, scenario), scenario.expect);
        });
      }
    });
  }
}
