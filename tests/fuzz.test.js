/** A few hundred random scenarios, always the same ones, against asyncio (tests/fuzz/); `make fuzz` runs others. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { fromRoot } from './adapters.js';
import { fuzzAbi } from './fuzz/abi.js';
import { describeFailure, Fuzzer } from './fuzz/fuzz.js';
import { Random } from './fuzz/random.js';
import { kinds } from './fuzz/scenarios.js';
import { openAsyncio } from './fuzz/traces.js';
import { matches, normalise, show, violations } from './traces/format.js';

const SEED = 1;
const COUNT = 300;
const CALLBACKS = [
  'connection_made',
  'connection_lost',
  'pause_writing',
  'resume_writing',
  'eof_received',
  'datagram_received',
  'error_received',
  'pipe_data_received',
  'pipe_connection_lost',
  'process_exited',
];

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

/** @param {string} program @param {string[]} parameters @param {string} [input] */
function runProgram(program, parameters, input = '') {
  /** @type {Promise<{status: unknown, out: string, err: string}>} */
  const ended = new Promise((resolve) => {
    const options = { timeout: 120_000, maxBuffer: 1 << 26 };
    const child = execFile(fromRoot(program), parameters, options, (error, out, err) =>
      resolve({ status: error ? (error.code ?? error.signal) : 0, out, err }),
    );
    child.stdin?.end(input);
  });
  return ended;
}

for (const [what, program, count] of /** @type {const} */ ([
  ['the core', 'core_fuzz', 20_000],
  ['framing', 'framing_fuzz', 5_000],
]))
  test(`${what}: ${count} inputs, always the same ones`, async () => {
    const { status, err } = await runProgram(`build/fuzz/${program}`, [
      `-runs=${count}`,
      '-seed=1',
      '-max_len=400',
      '-len_control=0',
      '-verbosity=0',
      `-artifact_prefix=${fromRoot('build/fuzz/')}`,
    ]);
    assert.equal(status, 0, err.slice(0, 4000));
  });

/** A callback that may come where it may not. @param {Random} random */
function someCallback(random) {
  const cb = random.pick([...CALLBACKS, 'data_received', 'get_buffer', 'buffer_updated']);
  const n = random.integer(0, 3);
  const p = random.chance(0.3) ? 2 : undefined;
  return { cb, n, hex: '00'.repeat(n), hint: random.integer(-2, 1), ret: n, fd: n, p };
}

test('the automaton in C and the one of the traces are the same', async () => {
  const random = new Random(1);
  /** @type {{kind: string, lines: ReturnType<typeof someCallback>[]}[]} */
  const sequences = random.list(3000, () => ({
    kind: random.pick(['stream', 'subprocess']),
    lines: random.list(random.integer(1, 12), () => someCallback(random)),
  }));
  for (const { lines } of sequences) if (random.chance(0.8)) lines[0].cb = 'connection_made';
  const input = sequences.map(({ kind, lines }) =>
    [
      `begin ${Number(kind === 'subprocess')} 0 0`,
      ...lines.map(({ cb, n, hint, fd, p }) => {
        const who = cb.startsWith('pipe_') ? fd : p ? 1 : 0;
        return `${cb} ${n} ${hint} ${who}`;
      }),
      'end 0 0 0\n',
    ].join('\n'),
  );
  const { status, out } = await runProgram('build/fuzz/automaton', [], input.join(''));
  assert.equal(status, 0);
  const have = out.trimEnd().split('\n');
  for (const [i, { kind, lines }] of sequences.entries()) {
    const want = violations(lines, { kind, drive: 'mem' }).map(({ violation }) => violation);
    assert.deepEqual(have[i].trim().split(' ').filter(Boolean).sort(), want.sort());
  }
});

test('hostile modules: nothing but TowlineErrors comes of them', async () => {
  assert.equal(await fuzzAbi(1, 400), null);
});
