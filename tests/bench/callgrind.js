/** What valgrind counts of a server that runs under it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withServer } from './server.js';

/**
 * Runs a server under one of valgrind's tools, and answers what the tool wrote.
 * @param {string[]} tool its name and options; FILE in them is where it writes
 * @param {string[]} command
 * @param {(server: {port: string}) => Promise<unknown>} use
 */
async function underValgrind(tool, command, use) {
  const folder = await mkdtemp(join(tmpdir(), 'towline-'));
  try {
    const file = join(folder, 'out');
    const options = tool.map((option) => option.replace('FILE', file));
    await withServer(['valgrind', ...options, ...command], use, { signal: 'SIGTERM' });
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Every instruction that a server took of its own, not the kernel's.
 * @param {string[]} command
 * @param {(server: {port: string}) => Promise<unknown>} use
 */
export async function userInstructions(command, use) {
  const tool = ['--tool=callgrind', '--callgrind-out-file=FILE'];
  return Number(/^summary: (\d+)/m.exec(await underValgrind(tool, command, use))?.[1]);
}

/**
 * How often a server called malloc, calloc or realloc, libraries and all.
 * @param {string[]} command
 * @param {(server: {port: string}) => Promise<unknown>} use
 */
export async function allocations(command, use) {
  const tool = ['--tool=memcheck', '--leak-check=no', '--log-file=FILE'];
  const [, count] =
    /total heap usage: ([\d,]+) allocs/.exec(await underValgrind(tool, command, use)) ?? [];
  return Number(count?.replaceAll(',', ''));
}
