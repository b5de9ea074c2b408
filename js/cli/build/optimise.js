/** wasm-opt, where there is one: it takes about a quarter off a module. */
import { existsSync, renameSync } from 'node:fs';
import { OPTIMISE } from './flags.js';
import { commandLine, runProgram, which } from './programs.js';

/** @typedef {(line: string) => void} Say */

/** WASM_OPT names it; set to nothing, there is none. */
const find = () => which(process.env.WASM_OPT ?? 'wasm-opt');

/**
 * A module that it cannot make smaller stays as it is.
 * @param {string} path
 * @param {{log: Say, warn: Say}} say
 */
export async function optimise(path, { log, warn }) {
  const program = find();
  if (!program)
    return log(
      'no wasm-opt was found, which would make it smaller: npm install --save-dev binaryen',
    );
  const smaller = `${path}.smaller`;
  const args = [...OPTIMISE, path, '-o', smaller];
  log(commandLine([program, ...args]));
  const { code, stderr } = await runProgram(program, args);
  if (code === 0 && existsSync(smaller)) renameSync(smaller, path);
  else warn(`${program} failed, so the module is as it was linked: ${stderr.trim()}`);
}
