// `npx towline`: what it says of itself, and of mistakes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { environment, program, root, towline } from './run.js';

const commands = ['new', 'build', 'connect', 'bridge', 'inspect'];

test('--help lists every command', async () => {
  for (const args of [['--help'], ['-h'], ['help']]) {
    const { code, stdout, stderr } = await towline(args);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    for (const command of commands) assert.match(stdout, new RegExp(`^ {2}${command} +\\S`, 'm'));
  }
});

for (const command of commands)
  test(`${command} --help says how it is used`, async () => {
    const { code, stdout } = await towline([command, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^Usage: (npx )?towline ${command}\\b`));
    assert.equal((await towline(['help', command])).stdout, stdout);
  });

test('--version is the package’s', async () => {
  const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
  assert.deepEqual(await towline(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
});

test('a command line that is wrong is told in one line, with exit code 2', async () => {
  const wrong = [
    [[], /^towline: a command is missing: new, /],
    [['frob'], /^towline: no command frob; there are new, /],
    [['help', 'frob'], /^towline: no command frob/],
    [['build', '--frob'], /^towline build: unknown option '--frob' \(towline build --help/],
    [['inspect', '--json=1', 'x'], /^towline inspect: option '--json' does not take an argument/],
  ];
  for (const [args, message] of /** @type {[string[], RegExp][]} */ (wrong)) {
    const { code, stdout, stderr } = await towline(args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.equal(stderr.split('\n').length, 2, stderr);
  }
});

test('whoever reads the output may stop', async () => {
  const child = spawn(process.execPath, [program, '--help'], { env: environment });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.equal(said, '');
});
