/** Replays every scenario of tests/traces on everything that can run it, and compares with what asyncio did. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { builds, fromRoot, hosts, record, runInModule, towTrace } from './adapters.js';
import { matches, normalise, show } from './traces/format.js';

/**
 * @typedef {import('./traces/format.js').Line} Line
 * @typedef {import('./traces/format.js').Scenario} Scenario
 */

const folder = fromRoot('tests/traces/scenarios');
const files = readdirSync(folder).map((name) => `${folder}/${name}`);
/** @type {Map<string, Scenario>} */
const scenarios = new Map(files.map((file) => [file, JSON.parse(readFileSync(file, 'utf8'))]));
/** @type {(drive: string) => [string, Scenario][]} */
const ofDrive = (drive) => [...scenarios].filter(([, scenario]) => scenario.drive === drive);

/** What the contract leaves to the host: out of frames, bytes are in hand when a buffer is asked for [B1]. */
const leftToFraming = new Set(['get_buffer-hint-not-any']);

/**
 * @param {Line[]} raw
 * @param {Scenario} scenario
 * @param {Set<string>} [left]
 */
function compare(raw, scenario, left = new Set()) {
  const text = readFileSync(fromRoot(`tests/traces/expected/${scenario.name}.jsonl`), 'utf8');
  /** @type {Line[]} */
  const want = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const have = normalise(raw, scenario).filter(({ violation }) => !left.has(violation));
  if (!matches(want, have)) assert.deepEqual(show(have), show(want));
}

/** @type {(scenario: Scenario) => string} */
const title = ({ name, about }) => `${name}: ${about}`;

/** @type {(build: string) => (files: string[], print: (line: Line) => void) => Promise<void>} */
function inModule(build) {
  return async (names, print) => {
    for (const file of names) {
      const status = await runInModule(/** @type {Scenario} */ (scenarios.get(file)), print, build);
      print({ log: 'end', file, status });
    }
  };
}

/** @typedef {(files: string[], print: (line: Line) => void) => Promise<unknown>} RunAll */

/** @type {(...options: string[]) => RunAll} */
const inTowTrace =
  (...options) =>
  (names, print) =>
    towTrace([...options, ...names], {}, print);

const stepped = ofDrive('mem');
const played = ofDrive('os').filter(([, { transport }]) => /^(tcp|unix)/.test(transport));

/** What runs all scenarios without I/O in one go, and which. @type {[string, RunAll, [string, Scenario][]][]} */
const memories = [
  ['native', inTowTrace(), stepped],
  ['native, on a layer that does nothing', inTowTrace('--layer', 'pass'), stepped],
  ['native, on framing', inTowTrace('--layer', 'framing'), stepped],
  [
    'native, played, on a layer that does nothing',
    inTowTrace('--memory', '--layer', 'pass'),
    played,
  ],
  ['native, played, on framing', inTowTrace('--memory', '--layer', 'framing'), played],
  .../** @type {[string, RunAll, [string, Scenario][]][]} */ (
    builds.map((build) => [build, inModule(build), stepped])
  ),
];

for (const [name, runAll, own] of memories) {
  const left = name.endsWith('on framing') ? leftToFraming : undefined;
  describe(`traces on the memory host, ${name}`, () => {
    /** @type {Map<string, { raw: Line[], status: number }>} */
    const results = new Map();
    before(async () => {
      /** @type {Line[]} */
      let raw = [];
      await runAll(
        own.map(([file]) => file),
        (line) => {
          if (line.log !== 'end') return void raw.push(line);
          results.set(line.file, { raw, status: line.status });
          raw = [];
        },
      );
    });
    for (const [file, scenario] of own) {
      test(title(scenario), () => {
        const result = results.get(file);
        assert(result, 'it did not run');
        assert.equal(result.status, 0);
        compare(result.raw, scenario, left);
      });
    }
  });
}

/**
 * What a Worker does otherwise than a process. A WASI command cannot ignore SIGTERM; and of who aborts in a Worker the
 * outputs end with an error, ETRAP [X5].
 * @type {Record<string, string[]>}
 */
const leftTo = {
  worker: ['os-proc-ignore-term', 'os-proc-raise-abrt'],
  script: ['os-proc-raise-abrt'],
};

/** @type {(scenario: Scenario) => string} */
const transportOf = ({ kind, transport }) => (kind === 'subprocess' ? 'child' : transport);

for (const host of hosts) {
  const left = leftTo[host.on ?? ''] ?? [];
  const own = ofDrive('os').filter(
    ([, scenario]) => transportOf(scenario) === host.transport && !left.includes(scenario.name),
  );
  if (own.length === 0) continue;
  describe(`traces on ${host.name}`, () => {
    before(() => host.open?.());
    after(() => host.close?.());
    for (const [, scenario] of own) {
      test(title(scenario), async () => {
        const raw = await record(host, scenario, host.transport);
        assert(raw, 'it could not be run');
        compare(raw, scenario);
      });
    }
  });
}
