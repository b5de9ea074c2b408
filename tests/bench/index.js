#!/usr/bin/env node
/** `make bench`: runs the benchmarks, beside their peers, and writes tests/bench/results/. */
import { readdir } from 'node:fs/promises';
import { parse, UsageError } from '../../js/cli/usage.js';
import { machine } from './machine.js';
import { Progress } from './progress.js';
import { save, writeReport } from './report.js';

/**
 * How much is done.
 * @typedef {object} Options
 * @property {'full' | 'quick' | 'smoke'} mode
 * @property {number} rounds
 * @property {number} seconds that one run of one subject is measured
 */

/**
 * A file of this folder, by its name.
 * @typedef {object} Benchmark
 * @property {string} title
 * @property {string} about what is done, the same for all
 * @property {Record<string, string>} figures what each is, with its unit: columns of the tables
 * @property {{figure: string, title: string, base: string}[]} [charts] a figure, beside one subject's
 * @property {Record<Options['mode'], number>} seconds that it takes in all, about
 * @property {(options: Options, progress: (text: string) => void) => Promise<import('./compare.js').Section[]>} run
 */

const HELP = `Usage: node tests/bench/index.js [--quick | --smoke] [--only NAME,...] [--rounds N] [--seconds S]
make bench [BENCH="--quick --only native-echo"] builds and installs what it takes, and runs it.

  --only NAME,...  some of the benchmarks
  --quick          all of them within 5 minutes: fewer and shorter rounds
  --smoke          only whether they work; nothing is judged, nothing written
  --rounds N       so often each subject is run, in turn; 15 at least to be sure
  --seconds S      that each run is measured
  --report         the tables and the chart again, of the results that are there
  --list           the benchmarks
`;

/** @type {Record<string, Options>} */
const MODES = {
  full: { mode: 'full', rounds: 30, seconds: 0.4 }, // what differs from run to run is more than what does within one
  quick: { mode: 'quick', rounds: 5, seconds: 0.2 },
  smoke: { mode: 'smoke', rounds: 1, seconds: 0.02 },
};

/** In the order of the report. */
const NAMES = [
  'native-echo',
  'native-bulk',
  'node-tcp',
  'node-websocket',
  'browser-websocket',
  'instructions',
  'memory',
  'sizes',
];

/** Those whose file is there. */
async function names() {
  const files = await readdir(new URL('.', import.meta.url));
  return NAMES.filter((name) => files.includes(`${name}.js`));
}

/** @param {string} name @returns {Promise<Benchmark>} */
const benchmark = async (name) => (await import(`./${name}.js`)).default;

/** A number that makes sense. @param {string} option @param {string | undefined} text @param {number} otherwise */
function number(option, text, otherwise) {
  if (text === undefined) return otherwise;
  if (!(Number(text) > 0)) throw new UsageError(`--${option} takes a number over 0, not '${text}'`);
  return Number(text);
}

/** @param {string[]} args */
async function main(args) {
  const { values } = parse({
    args,
    options: {
      help: { type: 'boolean', short: 'h' },
      list: { type: 'boolean' },
      report: { type: 'boolean' },
      quick: { type: 'boolean' },
      smoke: { type: 'boolean' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
    },
  });
  if (values.help) return process.stdout.write(HELP);
  const all = await names();
  if (values.list) {
    for (const name of all) console.log(`${name.padEnd(20)}${(await benchmark(name)).title}`);
    return;
  }
  const chosen = values.only?.split(',') ?? all;
  const unknown = chosen.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`no benchmark '${unknown}'; there are ${all.join(', ')}`);
  if (values.quick && values.smoke) throw new UsageError('--quick or --smoke, not both');
  const { mode, ...much } = MODES[values.smoke ? 'smoke' : values.quick ? 'quick' : 'full'];
  const options = {
    mode,
    rounds: Math.ceil(number('rounds', values.rounds, much.rounds)),
    seconds: number('seconds', values.seconds, much.seconds),
  };
  if (!values.report) await runAll(chosen, options);
  if (mode !== 'smoke') await writeReport(all);
}

/** @param {string[]} chosen @param {Options} options */
async function runAll(chosen, options) {
  const benchmarks = await Promise.all(chosen.map(benchmark));
  const progress = new Progress(benchmarks.map(({ seconds }) => seconds[options.mode]));
  for (const [i, { run, title, about, figures, charts }] of benchmarks.entries()) {
    try {
      const sections = await run(options, progress.begin(chosen[i]));
      progress.end();
      if (options.mode === 'smoke') continue;
      const measured = { title, about, figures, charts, ...options, machine: machine(), sections };
      await save(chosen[i], measured);
    } catch (error) {
      // the others run all the same
      console.error(`bench: ${chosen[i]}:`, error);
      process.exitCode = 1;
    }
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`bench: ${error.message} (--help says more)\n`);
  process.exitCode = 2;
}
