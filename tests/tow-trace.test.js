/** The two programs that run scenarios: how they are called, and what they say of a bad scenario. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fromRoot } from './adapters.js';

/** By name: what to run, and how many of the malformed scenarios (one parser serves them both). */
const programs = {
  'tow-trace': { command: [fromRoot('build/sanitize/tow-trace')], some: Infinity },
  'trace.js': {
    command: [process.execPath, fromRoot('tests/trace.js'), '--build', 'wasi'],
    some: 3,
  },
};

const plain = { kind: 'stream', drive: 'mem', proto: {}, steps: [{ env: 'run' }] };

/** What is wrong, and the scenario's text. @type {[string, string][]} */
const malformed = [
  ['an empty file', ''],
  ['no JSON', '{"kind": "stream"'],
  ['a list', '[]'],
  ['a key without a value', '{"kind"}'],
  ['no kind', JSON.stringify({ ...plain, kind: undefined })],
  ['an unknown kind', JSON.stringify({ ...plain, kind: 'carrier pigeon' })],
  ['no protocol', JSON.stringify({ ...plain, proto: undefined })],
  ['an unknown step', JSON.stringify({ ...plain, steps: [{ proto: 'fly' }] })],
  ['a step of nobody', JSON.stringify({ ...plain, steps: [{}] })],
  ['a step that is no object', JSON.stringify({ ...plain, steps: [1] })],
  ['a step without its number', JSON.stringify({ ...plain, steps: [{ proto: 'write' }] })],
  ['a number too large', JSON.stringify({ ...plain, steps: [{ proto: 'write', n: 1e12 }] })],
  ['a number below 0', JSON.stringify({ ...plain, steps: [{ proto: 'write', n: -1 }] })],
  ['no second protocol', JSON.stringify({ ...plain, steps: [{ proto: 'set_protocol', to: 2 }] })],
  [
    'no such addressee',
    JSON.stringify({ ...plain, steps: [{ proto: 'sendto', n: 1, addr: 'x' }] }),
  ],
  ['no descriptor', JSON.stringify({ ...plain, steps: [{ proto: 'has_pipe' }] })],
  ['no list of arguments', JSON.stringify({ ...plain, child: 'out:1' })],
  ['an unknown stdio', JSON.stringify({ ...plain, stdio: ['tape'] })],
  ['an end of datagrams', JSON.stringify({ ...plain, kind: 'datagram', steps: [{ peer: 'eof' }] })],
  ['an unknown callback', JSON.stringify({ ...plain, proto: { on: { noon: [] } } })],
];

for (const [name, { command, some }] of Object.entries(programs)) {
  const [program, ...parameters] = command;
  describe(name, () => {
    let folder = '';
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'towline-'));
    });
    after(() => rmSync(folder, { recursive: true }));

    /** @param {string} text @param {Record<string, string>} [environment] */
    function run(text, environment) {
      const file = join(folder, 'scenario.json');
      writeFileSync(file, text);
      const env = { ...process.env, ...environment };
      return spawnSync(program, [...parameters, file], { encoding: 'utf8', env });
    }

    test('--help says how it is called', () => {
      const { status, stdout } = spawnSync(program, [...parameters, '--help'], {
        encoding: 'utf8',
      });
      assert.match(stdout, /^usage: .*SCENARIO\.json/);
      assert.equal(status, 0);
    });

    if (name === 'tow-trace')
      test('--layer: the same lines on layers, and 2 for an unknown one', () => {
        const file = join(folder, 'layered.json');
        const steps = [{ peer: 'send', n: 3 }, { env: 'run' }, { proto: 'write', n: 2 }];
        writeFileSync(file, JSON.stringify({ ...plain, steps }));
        /** @param {string[]} options */
        const on = (...options) => spawnSync(program, [...options, file], { encoding: 'utf8' });
        assert.match(on().stdout, /data_received/);
        for (const layer of ['pass', 'framing'])
          assert.equal(on('--layer', layer).stdout, on().stdout);
        assert.equal(on('--layer', 'cake').status, 2);
      });

    test('an option that is none: one sentence and 2', () => {
      const { status, stdout, stderr } = spawnSync(program, [...parameters, '--cake', 'x'], {
        encoding: 'utf8',
      });
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^[a-z-]+: .*--cake.*\n$/);
    });

    test('a scenario runs, with 0', () => {
      const { status, stdout, stderr } = run(JSON.stringify(plain));
      assert.match(stdout, /^\{"cb":"connection_made"\}\n/);
      assert.deepEqual([status, stderr], [0, '']);
    });

    test('after the last step nothing is done, nor printed', () => {
      const on = {
        connection_lost: [
          { proto: 'write', n: 1 },
          { proto: 'mark', label: 'late' },
        ],
      };
      const { status, stdout } = run(JSON.stringify({ ...plain, proto: { on } }));
      assert.equal(status, 0);
      assert.match(stdout, /"eof":false\}\n$/);
    });

    test('what it cannot run ends with 77', () => {
      assert.equal(run(JSON.stringify({ ...plain, kind: 'subprocess' })).status, 77);
      const overNothing = JSON.stringify({ ...plain, drive: 'os', steps: [] });
      assert.equal(run(overNothing, { ORACLE_PEER: 'pigeon:3' }).status, 77);
    });

    for (const [what, text] of malformed.slice(0, some)) {
      test(`${what}: one sentence and 2`, () => {
        const { status, stdout, stderr } = run(text);
        assert.deepEqual([status, stdout], [2, '']);
        assert.match(stderr, /^\S.+\n$/);
      });
    }
  });
}
