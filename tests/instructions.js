import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Sums the instructions that callgrind saw in the core's own files: lines of a function inlined from elsewhere count where
 * they were written, what a function calls counts where that is.
 * @param {string} profile callgrind's output file
 */
function coreInstructions(profile) {
  /** @type {Map<string, string>} */
  const files = new Map();
  let inCore = false;
  let afterCall = false;
  let total = 0;
  for (const line of profile.split('\n')) {
    const file = /^(fl|fi|fe|cfi|cfl)=(\(\d+\))(?: (.*))?$/.exec(line);
    if (file) {
      const [, key, id, name] = file; // a file is named where it first appears, which may be as a callee's
      if (name) files.set(id, name);
      if (key[0] === 'f') inCore = /(^|\/)src\/[^/]+\.[ch]$/.test(files.get(id) ?? '');
    } else if (line.startsWith('calls=')) {
      afterCall = true;
    } else if (/^[+\-*\d]/.test(line)) {
      if (inCore && !afterCall) total += Number(line.split(' ')[1]);
      afterCall = false;
    }
  }
  return total;
}

/**
 * @param {string} program
 * @param {string} what
 * @param {number} count
 * @param {number} connections
 */
async function profile(program, what, count, connections) {
  const folder = await mkdtemp(join(tmpdir(), 'towline-'));
  try {
    const out = join(folder, 'callgrind.out');
    await run('valgrind', [
      '--tool=callgrind',
      '--compress-strings=yes',
      `--callgrind-out-file=${out}`,
      program,
      what,
      String(count),
      String(connections),
    ]);
    return coreInstructions(await readFile(out, 'utf8'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Instructions of the core for one operation: the difference between two runs, so that what happens once is not counted.
 * @param {string} program
 * @param {string} what an operation of tests/bench/instructions.c
 * @param {number} [connections] that take turns
 */
export async function instructionsPer(program, what, connections = 1) {
  const few = 200;
  const many = 1200;
  const [a, b] = await Promise.all(
    [few, many].map((count) => profile(program, what, count, connections)),
  );
  return (b - a) / (many - few);
}
