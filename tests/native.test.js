// The C test programs, under ASan, UBSan and LSan: each line "ok NAME" or "not ok NAME: why" of theirs is a test here.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';

const programs = [
  'core_test',
  'uv_test',
  'mqtt_test',
  'netcode_test',
  'resp_test',
  'unit/heap_test',
];

/** @param {string} program */
function run(program) {
  /** @type {Promise<{status: number, out: string, err: string}>} */
  const ended = new Promise((resolve) => {
    const options = { timeout: 300_000, maxBuffer: 1 << 24 };
    execFile(program, options, (error, out, err) => {
      resolve({ status: error ? Number(error.code) || -1 : 0, out, err });
    });
  });
  return ended;
}

for (const program of programs) {
  test(program, async (t) => {
    const { status, out, err } = await run(`build/sanitize/${program}`);
    const lines = out.split('\n').filter((line) => /^(not )?ok /.test(line));
    for (const line of lines)
      await t.test(line.replace(/^(not )?ok /, ''), () => assert.ok(line.startsWith('ok '), line));
    assert.ok(lines.length > 0, `${program} ran no test: ${err}`);
    assert.equal(status, 0, `${program} ended with ${status}: ${err.slice(-4000)}`);
  });
}
