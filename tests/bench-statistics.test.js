// What the benchmarks say of their figures: medians, bounds, verdicts. And that every one of them works.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compare, judge } from './bench/compare.js';
import { bounds, median } from './bench/statistics.js';

const upTo = (/** @type {number} */ n) => Array.from({ length: n }, (_, i) => n - i);

test('median: the middle value, or the mean of two', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.throws(() => median([]), RangeError);
});

test('bounds: the ranks of the tables of the sign test', () => {
  const ranks = {
    1: [1, 1],
    5: [1, 5],
    6: [1, 6],
    9: [2, 8],
    15: [4, 12],
    20: [6, 15],
    25: [8, 18],
  };
  for (const [n, expected] of Object.entries(ranks))
    assert.deepEqual(bounds(upTo(Number(n))), expected, n);
});

test('judge: met by the bound, not certain by the median alone', () => {
  const values = upTo(15); // median 8, bounds 4 and 12
  const verdict = (/** @type {{least?: number, most?: number}} */ target) =>
    judge({ what: '', ...target }, values).verdict;
  assert.equal(verdict({ least: 4 }), 'met');
  assert.equal(verdict({ least: 5 }), 'not certain');
  assert.equal(verdict({ least: 9 }), 'not met');
  assert.equal(verdict({ most: 12 }), 'met');
  assert.equal(verdict({ most: 11 }), 'not certain');
  assert.equal(verdict({ most: 7 }), 'not met');
});

test('compare: every subject once a round, in turn; ratios within a round', async () => {
  /** @type {string[]} */
  const order = [];
  const subject = (/** @type {string} */ name, /** @type {number} */ value) => async () => {
    order.push(name);
    return { messages: value * (1 + Math.floor((order.length - 1) / 2)) };
  };
  const section = await compare({
    title: 'title',
    subjects: { a: subject('a', 4), b: subject('b', 2), gone: undefined },
    targets: [
      { figure: 'messages', of: 'a', to: 'b', least: 2 },
      { figure: 'messages', of: 'a', to: 'gone', least: 2 },
    ],
    rounds: 3,
    progress: () => {},
  });
  assert.deepEqual(order, ['a', 'b', 'b', 'a', 'a', 'b']);
  assert.deepEqual(section.subjects, { a: { messages: 8 }, b: { messages: 4 } });
  assert.deepEqual(section.judged, [
    { what: 'messages: a / b', median: 2, low: 2, high: 2, least: 2, verdict: 'met' },
  ]);
});

const index = fileURLToPath(new URL('./bench/index.js', import.meta.url));
/** @param {...string} args */
const bench = (...args) => promisify(execFile)(process.execPath, [index, ...args]);

test('index: what is wrong with the command line', async () => {
  for (const [args, message] of /** @type {[string[], RegExp][]} */ ([
    [['--only', 'none'], /^bench: no benchmark 'none'; there are .*\n$/],
    [['--rounds', 'many'], /^bench: --rounds takes a number over 0, not 'many' .*\n$/],
    [['--quick', '--smoke'], /^bench: --quick or --smoke, not both .*\n$/],
    [['--slow'], /^bench: unknown option '--slow'.*\n$/],
  ]))
    await assert.rejects(bench(...args), (/** @type {any} */ error) => {
      assert.match(error.stderr, message);
      assert.equal(error.code, 2);
      return true;
    });
});

const { stdout } = await bench('--list');
for (const name of stdout
  .trim()
  .split('\n')
  .map((line) => line.split(' ')[0]))
  test(`${name} works`, { timeout: 120_000 }, async () => {
    await bench('--smoke', '--only', name);
  });
