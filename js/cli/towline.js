#!/usr/bin/env node
/** `npx towline`: runs one of its commands, and says in one line what went wrong. */
import { readFileSync } from 'node:fs';
import { TowlineError } from '../errors.js';
import { ofPackage } from './root.js';
import { Failure, UsageError } from './usage.js';

/**
 * A command is a file beside this one.
 * @typedef {object} Command
 * @property {string} summary a few words, for the list of commands
 * @property {string} help all there is to say
 * @property {(args: string[]) => number | Promise<number>} run answers the exit code: 0 for success, 1 for failure
 */
/** @type {Record<string, () => Promise<Command>>} */
const LOAD = {
  new: () => import('./new.js'),
  build: () => import('./build.js'),
  connect: () => import('./connect.js'),
  bridge: () => import('./bridge.js'),
  inspect: () => import('./inspect.js'),
};
const COMMANDS = Object.keys(LOAD);

async function overview() {
  const lines = await Promise.all(
    COMMANDS.map(async (name) => `  ${name.padEnd(9)}${(await LOAD[name]()).summary}`),
  );
  return `Usage: towline COMMAND [ARGUMENTS]

asyncio's protocols and transports in C, for native programs, WASI, Node and the browser.

${lines.join('\n')}

towline COMMAND --help says more; towline --version which one this is.
`;
}

function version() {
  return JSON.parse(readFileSync(ofPackage('package.json'), 'utf8')).version;
}

/** Whether these arguments ask for help; what is behind `--` is somebody else's. @param {string[]} args */
function asksForHelp(args) {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === '--help' || arg === '-h');
}

/** @param {string | undefined} name @param {string[]} args */
async function run(name, args) {
  if (name === undefined) throw new UsageError(`a command is missing: ${COMMANDS.join(', ')}`);
  if (['--version', '-v'].includes(name)) return print(`${version()}\n`);
  if (['--help', '-h'].includes(name) || (name === 'help' && args.length === 0))
    return print(await overview());
  if (name === 'help') return run(args[0], ['--help']);
  if (!COMMANDS.includes(name))
    throw new UsageError(`no command ${name}; there are ${COMMANDS.join(', ')}`);
  const { help, run: start } = await LOAD[name]();
  return asksForHelp(args) ? print(help) : start(args);
}

/** @param {string} text */
function print(text) {
  process.stdout.write(text);
  return 0;
}

/** What a user can do something about is one line; anything else is a defect, and shows where. @param {unknown} error */
function report(error, name = '') {
  const who = COMMANDS.includes(name) ? `towline ${name}` : 'towline';
  if (error instanceof UsageError)
    process.stderr.write(`${who}: ${error.message} (${who} --help says more)\n`);
  else if (error instanceof Failure || error instanceof TowlineError)
    process.stderr.write(`${who}: ${error.message}\n`);
  else console.error(error);
  return error instanceof UsageError ? 2 : 1;
}

/** Whoever reads our output may stop, as `head` does: that is no failure of ours. */
process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const [name, ...args] = process.argv.slice(2);
process.exitCode = await run(name, args).catch((error) => report(error, name));
