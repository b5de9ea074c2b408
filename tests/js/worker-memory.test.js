/** A thousand processes that end in every way, and then this program holds what it held before. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { queryObjects } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { load } from '../../js/node.js';
import { workers } from '../../js/worker/node.js';
import { fromRoot } from '../adapters.js';
import { openStage } from '../programs/stage.js';

/** Megabytes that differ without a reason that matters. */
const SLACK = 4;

/** How many Workers there are, and what JavaScript and memory outside of it hold, in megabytes. */
function held() {
  const count = Number(queryObjects(Worker, { format: 'count' })); // collects garbage, too
  const { heapUsed, external } = process.memoryUsage();
  return { count, megabytes: (heapUsed + external) / 1e6 };
}

test('a thousand processes leave memory where it was', { timeout: 120_000 }, async () => {
  const { count } = held();
  const code = readFileSync(fromRoot('build/wasi/probe.wasm'));
  const programs = { end: fromRoot('build/wasi/programs/end.wasm') };
  const stage = await openStage({ load, workers, code, programs });
  /** @param {string} command @param {number} times @param {number} [signal] */
  const run = async (command, times, signal) => {
    for (let i = 0; i < times; i++) {
      const child = await stage.spawn(command);
      if (signal) child.send(signal);
      await child.closed;
    }
  };
  /** @param {number} times */
  const each = async (times) => {
    await run('end 0', 18 * times);
    await run('end trap', times);
    await run('end spin', times, 9);
  };
  await each(2);
  const before = held();
  await each(50);
  const after = held();
  assert.ok(after.count <= before.count + 2, `${after.count} Workers, ${before.count} before`);
  assert.ok(after.megabytes < before.megabytes + SLACK, JSON.stringify({ before, after }));
  await stage.module.close();
  while (held().count > count) await new Promise(setImmediate);
});
