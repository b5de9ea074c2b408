#!/usr/bin/env node
/** The differential fuzzer as a program. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fromRoot } from '../adapters.js';
import { parseOptions } from '../options.js';
import { describeFailure, Fuzzer } from './fuzz.js';
import { kinds } from './scenarios.js';

const usage = `usage: node tests/fuzz/main.js [--seconds N | --count N] [--seed N]
Runs random scenarios (tests/traces/README.md, drive "mem") on the native build and both wasm builds, and compares each
trace with the one that asyncio gives at that moment (tests/fuzz/reference.py says what of it is mended, by which rule).

  --seconds N   how long (60 unless said)
  --count N     how many scenarios instead
  --seed N      the first scenario's seed, the next one's is one more; by the clock unless said
  --kinds A,B   only of these kinds: stream, buffered, datagram, feed
  --keep-going  goes on after a difference

A scenario that differs is made small, printed with both traces, and kept in build/fuzz/. One seed is always the same
scenario: --seed N --count 1 shows it again. Needs Debian 12's python3 (or PYTHON= another 3.11).
Exit status: 0 no difference, 1 a difference, 2 it could not be run.
`;

const BATCH = 50;

const { values } = parseOptions('fuzz', {
  options: {
    seconds: { type: 'string' },
    count: { type: 'string' },
    seed: { type: 'string' },
    kinds: { type: 'string' },
    'keep-going': { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

/** @param {string | undefined} text @param {number} otherwise */
function number(text, otherwise) {
  if (!text) return otherwise;
  if (!/^\d+$/.test(text)) throw new Error(`not a number: ${text}`);
  return Number(text);
}

/** @param {string | undefined} text */
function kindsOf(text) {
  const chosen = text?.split(',');
  const unknown = chosen?.find((kind) => !kinds.includes(kind));
  if (unknown !== undefined) throw new Error(`no kind of scenario: ${unknown}`);
  return chosen;
}

async function main() {
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const first = number(values.seed, Date.now() % 1_000_000_000);
  const most = number(values.count, Number.POSITIVE_INFINITY);
  const end = values.count ? Number.POSITIVE_INFINITY : number(values.seconds, 60) * 1000;
  const fuzzer = new Fuzzer(kindsOf(values.kinds));
  const begun = performance.now();
  let done = 0;
  let status = 0;
  try {
    console.log(`from seed ${first}`);
    while (
      done < most &&
      performance.now() - begun < end &&
      (status === 0 || values['keep-going'])
    ) {
      const count = Math.min(BATCH, most - done);
      for (const failure of await fuzzer.run(first + done, count)) {
        status = 1;
        console.log(`${failure.scenario.name}: ${failure.side} differs; making it small ...`);
        const small = await fuzzer.shrink(failure);
        console.log(describeFailure(small));
        const file = fromRoot(`build/fuzz/${small.scenario.name}.json`);
        mkdirSync(fromRoot('build/fuzz'), { recursive: true });
        writeFileSync(file, JSON.stringify(small.scenario, null, 1));
        console.log(`kept as ${file}`);
      }
      done += count;
      const seconds = Math.round((performance.now() - begun) / 1000);
      if (process.stdout.isTTY) process.stdout.write(`\r${done} scenarios, ${seconds} s `);
      else if (done % (20 * BATCH) === 0) console.log(`${done} scenarios, ${seconds} s`);
    }
    console.log(`${done} scenarios: ${status === 0 ? 'no difference' : 'they differ'}`);
    return status;
  } finally {
    fuzzer.close();
  }
}

process.exitCode = await main().catch((error) => {
  console.error(`fuzz: ${error.message}`);
  return 2;
});
