import { parseArgs } from 'node:util';

/**
 * What a program was told, as parseArgs has it. What it does not know is said in one line, and ends it with 2.
 * @template {import('node:util').ParseArgsConfig} T
 * @param {string} program
 * @param {T} config
 * @returns {ReturnType<typeof parseArgs<T>>}
 */
export function parseOptions(program, config) {
  try {
    return parseArgs(config);
  } catch (error) {
    const [problem] = /** @type {Error} */ (error).message.split('. ');
    console.error(`${program}: ${problem}`);
    process.exit(2);
  }
}
