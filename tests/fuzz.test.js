/** A few hundred random scenarios, always the same ones, against asyncio (tests/fuzz/); `make fuzz` runs others. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { fromRoot } from './adapters.js';
import { describeFailure, Fuzzer } from './fuzz/fuzz.js';
import { kinds } from './fuzz/scenarios.js';
import { openAsyncio } from './fuzz/traces.js';
import { matches, normalise, show } from './traces/format.js';

const SEED = 1;
const COUNT = 300;

describe('random scenarios against asyncio', () => {
  const fuzzer = new Fuzzer();
  after(() => fuzzer.close());
  for (let from = SEED; from < SEED + COUNT; from += 100)
    test(`seeds ${from} to ${from + 99}`, async () => {
      const [failure] = await fuzzer.run(from, 100);
      if (failure) assert.fail(describeFailure(await fuzzer.shrink(failure)));
    });
});

/** Every recorded trace without I/O: the reference gives the same, or its rules and theirs are not the same rules. */
test('the reference gives the recorded traces', async () => {
  const folder = fromRoot('tests/traces');
  const scenarios = readdirSync(`${folder}/scenarios`)
    .map((name) => JSON.parse(readFileSync(`${folder}/scenarios/${name}`, 'utf8')))
    .filter(({ drive, kind }) => drive === 'mem' && kinds.includes(kind));
  const asyncio = openAsyncio();
  const traces = await asyncio.run(scenarios);
  asyncio.close?.();
  assert(scenarios.length > 0);
  for (const [i, scenario] of scenarios.entries()) {
    assert.equal(traces[i].error, undefined);
    const text = readFileSync(`${folder}/expected/${scenario.name}.jsonl`, 'utf8');
    const want = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const have = normalise(traces[i].lines, scenario);
    if (!matches(want, have)) assert.deepEqual(show(have), show(want), scenario.name);
  }
});
