/** From nothing to a page that is served. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** @param {import('./example.js').Example} example */
export default async function start(example) {
  await example.write('example.sh');
  const [program, ...values] = example.shell;
  const { folder, env } = example;
  const child = spawn(program, values, {
    cwd: folder,
    env: { ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // a group of its own
  });
  example.t.after(() => process.kill(-Number(child.pid), 'SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) {
    const [address] = /^http:.*\/$/.exec(line) ?? [];
    if (!address) continue;
    assert.match(await (await fetch(address)).text(), /<!doctype html>/i);
    return;
  }
  assert.fail('nothing was served');
}
