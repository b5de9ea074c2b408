/** Programs to be measured and programs that load them, each on a core of its own where there are two. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** @param {string} name of a program that make has built */
export const program = (name) =>
  fileURLToPath(new URL(`../../build/bench/${name}`, import.meta.url));

/** @param {string} name of a file in tests/bench/programs */
export const source = (name) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

/** Debian's Python, whose packages the benchmarks install. */
export const PYTHON = '/usr/bin/python3';

/** Whether Debian's Python has a module. @param {string} name */
export const hasPython = (name) =>
  promisify(execFile)(PYTHON, ['-c', `import ${name}`]).then(
    () => true,
    () => false,
  );

/** @param {number} core @param {string[]} command */
export const onCore = (core, command) =>
  cpus().length < 2 ? command : ['taskset', '-c', String(core), ...command];

/**
 * Starts a server that prints its port, does something with it, and ends it.
 * @template T
 * @param {string[]} command
 * @param {(server: {port: string, pid: string}) => Promise<T>} use
 * @param {{core?: number, signal?: NodeJS.Signals}} [options]
 */
export async function withServer(command, use, { core = 0, signal = 'SIGKILL' } = {}) {
  const [file, ...args] = onCore(core, command);
  const server = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(server, 'exit');
  let said = '';
  server.stderr.on('data', (data) => {
    said += data;
  });
  try {
    const port = await Promise.race([
      once(createInterface(server.stdout), 'line').then(([line]) => line),
      exited.then(() => Promise.reject(new Error(`${command.join(' ')} ended: ${said}`))),
    ]);
    return await use({ port, pid: String(server.pid) });
  } finally {
    server.kill(signal);
    await exited;
  }
}

/** Runs a program on the other core; the numbers that it prints. @param {string} name @param {...(string | number)} args */
export async function load(name, ...args) {
  const [file, ...rest] = onCore(1, [program(name), ...args.map(String)]);
  const { stdout } = await promisify(execFile)(file, rest);
  return stdout.trim().split(/\s+/).map(Number);
}
