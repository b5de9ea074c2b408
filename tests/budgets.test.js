// What an operation of the core costs, in instructions: prints the figures beside their budgets.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { instructionsPer } from './instructions.js';

const names = /** @type {Record<string, string>} */ ({
  stream: 'a chunk to a plain protocol',
  buffered: 'a chunk to a buffered protocol',
  write: 'a write taken at once',
  timer: 'a timer armed and fired, 10,000 others armed',
  open: 'a connection opened and closed',
});

const budgets = JSON.parse(await readFile(new URL('budgets.json', import.meta.url), 'utf8'));

for (const [what, budget] of Object.entries(budgets.instructions))
  test(`budget: ${names[what]}`, async (t) => {
    const cost = Math.round(await instructionsPer('build/instructions', what));
    t.diagnostic(`${cost} instructions, budget ${budget}`);
    assert.ok(cost > 0);
    assert.ok(cost <= budget * 1.05, `${names[what]}: ${cost} instructions, budget ${budget}`);
  });
