/** What the commands of `npx towline` share: how they are asked, and how they fail. */
import { parseArgs } from 'node:util';

/** The command line is wrong: one line that says how, and exit code 2. */
export class UsageError extends Error {
  name = 'UsageError';
}

/** What was asked for cannot be done: its message as it is, and exit code 1. */
export class Failure extends Error {
  name = 'Failure';
}

/**
 * parseArgs, strictly; what it finds wrong is a UsageError.
 * @template {import('node:util').ParseArgsConfig} T
 * @param {T} config
 * @returns {ReturnType<typeof parseArgs<T>>}
 */
export function parse(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code = '', message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!code.startsWith('ERR_PARSE_ARGS_')) throw error;
    const [first] = message.split(/\. |\n/);
    throw new UsageError(first[0].toLowerCase() + first.slice(1));
  }
}

/**
 * What the system said of a file: 'x.c: no such file', in words where it is a common thing.
 * @param {string} path
 * @param {unknown} error
 */
export function fileFailure(path, error) {
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
  /** @type {Record<string, string>} */
  const words = {
    ENOENT: 'no such file or folder',
    EACCES: 'not allowed',
    EPERM: 'not allowed',
    EISDIR: 'is a folder',
    ENOTDIR: 'a part of that path is no folder',
    ENOSPC: 'no space is left',
  };
  return new Failure(`${path}: ${words[code ?? ''] ?? message}`, { cause: error });
}
