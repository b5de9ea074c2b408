/**
 * The two sides of the comparison: the trace that asyncio gives of a scenario at this moment, and those of this library's
 * builds; and what counts as a difference.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { load } from '../../js/node.js';
import { builds, fromRoot, towTrace } from '../adapters.js';
import { matches, normalise, show } from '../traces/format.js';

/**
 * @typedef {import('../traces/format.js').Line} Line
 * @typedef {import('../traces/format.js').Scenario} Scenario
 *
 * What came of a scenario: its raw lines, or why there are none.
 * @typedef {{lines: Line[], error?: string}} Trace
 *
 * @typedef {object} Side
 * @property {string} name
 * @property {(scenarios: Scenario[]) => Promise<Trace[]>} run
 * @property {() => void} [close]
 */

/**
 * asyncio, in a Python that runs as long as it is needed.
 * @returns {Side}
 */
export function openAsyncio(python = process.env.PYTHON ?? '/usr/bin/python3') {
  const child = spawn(python, [fromRoot('tests/fuzz/oracle.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  /** @type {{lines: Line[], resolve: (trace: Trace) => void}[]} */
  const waiting = [];
  /** @type {string | undefined} */
  let ended;
  const fail = (/** @type {string} */ why) => {
    ended = `${python}: ${why}`;
    for (const { lines, resolve } of waiting.splice(0)) resolve({ lines, error: ended });
  };
  child.on('error', (error) => fail(error.message));
  child.on('close', (status, signal) => fail(`ended with ${signal ?? status}`));
  child.stdin.on('error', () => {});
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text);
    if (line.log === 'end') {
      const { lines, resolve } = /** @type {any} */ (waiting.shift());
      resolve({ lines });
    } else {
      waiting[0].lines.push(line);
    }
  });
  /** @type {(scenario: Scenario) => Promise<Trace>} */
  const run = (scenario) =>
    new Promise((resolve) => {
      if (ended) return resolve({ lines: [], error: ended });
      waiting.push({ lines: [], resolve });
      child.stdin.write(`${JSON.stringify(scenario)}\n`);
    });
  return {
    name: 'asyncio',
    run: (scenarios) => Promise.all(scenarios.map(run)),
    close: () => child.stdin.end(),
  };
}

/** @type {(status: number) => string | undefined} */
const complaint = (status) =>
  status === 0 ? undefined : status === 77 ? 'it cannot be run' : `status ${status}`;

/** build/sanitize/tow-trace, or what TOW_TRACE names: one process for many scenarios. @type {Side} */
const native = {
  name: 'native',
  async run(scenarios) {
    const folder = await mkdtemp(join(tmpdir(), 'towline-fuzz-'));
    try {
      const files = scenarios.map((_, i) => join(folder, `${i}.json`));
      await Promise.all(files.map((file, i) => writeFile(file, JSON.stringify(scenarios[i]))));
      return await runFiles(files);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

/** @param {string[]} files @returns {Promise<Trace[]>} */
async function runFiles(files) {
  /** @type {Trace[]} */
  const traces = [];
  /** @type {Line[]} */
  let lines = [];
  try {
    const status = await towTrace(files, {}, (line) => {
      if (line.log !== 'end') return void lines.push(line);
      traces.push({ lines, error: complaint(line.status) });
      lines = [];
    });
    // One file alone has no line of its own at its end.
    if (files.length === 1) traces.push({ lines, error: complaint(status) });
  } catch (error) {
    traces.push({ lines, error: String(error) });
  }
  const left = files.slice(traces.length);
  return left.length ? [...traces, ...(await runFiles(left))] : traces;
}

/** One module for many scenarios, so that what one leaves behind would show in the next. @param {string} build @returns {Side} */
function wasm(build) {
  return {
    name: build,
    async run(scenarios) {
      const code = readFileSync(fromRoot(`build/${build}/trace.wasm`));
      let printed = '';
      let complaints = '';
      const stdout = (/** @type {string} */ text, /** @type {number} */ descriptor) => {
        if (descriptor === 1) printed += text;
        else complaints += text;
      };
      const open = () => load(code, { stdout, onerror: () => {} });
      let module = await open();
      /** @type {Trace[]} */
      const traces = [];
      for (const scenario of scenarios) {
        printed = complaints = '';
        let error;
        try {
          const trace = Number(module.call('trace_new', JSON.stringify(scenario)));
          const status = Number(module.call('trace_status', trace));
          error = complaint(status) && `${complaint(status)} ${complaints}`;
          if (!error) error = complaint(Number(module.call('trace_run', trace)));
          module.call('trace_free', trace);
        } catch (broken) {
          error = String(broken);
          module = await open();
        }
        const lines = printed.split('\n').filter(Boolean);
        traces.push({ lines: lines.map((line) => JSON.parse(line)), error });
      }
      await module.close();
      return traces;
    },
  };
}

/** What is compared with asyncio. @type {Side[]} */
export const sides = [native, ...builds.map(wasm)];

/**
 * The normalised trace, and more than it has: what went to the loop's handlers, and how much write_until_paused wrote,
 * which without a kernel is certain.
 * @param {Line[]} raw
 * @param {Scenario} scenario
 */
export function strictly(raw, scenario) {
  const lines = raw.map((line) => {
    if (line.loop === 'exception') return { report: line.loop, callback: line.callback };
    if (line.loop === 'warning') return { report: line.loop };
    return line.op === 'write_until_paused' ? { ...line, op: 'written until paused' } : line;
  });
  return normalise(lines, scenario);
}

/**
 * @typedef {{want: string[], have: string[], broken: boolean}} Difference `broken`: ours did not run to its end
 * @param {Scenario} scenario
 * @param {Trace} want asyncio's
 * @param {Trace} have
 * @returns {Difference | null}
 */
export function difference(scenario, want, have) {
  if (want.error) throw new Error(want.error);
  const wanted = strictly(want.lines, scenario);
  const had = strictly(have.lines, scenario);
  if (!have.error && matches(wanted, had)) return null;
  const why = have.error ? [have.error] : [];
  return { want: show(wanted), have: [...show(had), ...why], broken: have.error !== undefined };
}
