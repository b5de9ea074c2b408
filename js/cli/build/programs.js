/** Programs of this machine: where they are, and running them. */
import { spawn } from 'node:child_process';
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure } from '../usage.js';

const SUFFIXES = process.platform === 'win32' ? ['.exe'] : [''];

/** Where PATH has a program. @param {string} name @returns {string | undefined} */
export function which(name) {
  if (/[/\\]/.test(name)) return isProgram(name) ? name : undefined;
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders
    .flatMap((folder) => SUFFIXES.map((suffix) => join(folder, name + suffix)))
    .find(isProgram);
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Something that changes when a file does. @param {string} path */
export function identityOf(path) {
  const { size, mtimeMs } = statSync(path);
  return `${realpathSync(path)} ${size} ${mtimeMs}`;
}

/**
 * Runs a program to its end and answers what it printed, errors and warnings behind the rest.
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{code: number | null, stdout: string, stderr: string}>}
 */
export function runProgram(program, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    const texts = { stdout: '', stderr: '' };
    for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
      child[name].setEncoding('utf8');
      child[name].on('data', (text) => {
        texts[name] += text;
      });
    }
    child.on('error', (error) => reject(new Failure(`${program}: ${error.message}`)));
    child.on('close', (code) => resolve({ code, ...texts }));
  });
}

/** How a command line is shown. @param {string[]} words */
export const commandLine = (words) =>
  words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
