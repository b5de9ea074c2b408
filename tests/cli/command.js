/** `towline` as a child, for the length of a test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../js/cli/towline.js', import.meta.url));

/** @param {import('node:test').TestContext} t @param {...string} args */
export function start(t, ...args) {
  const child = spawn(process.execPath, [PROGRAM, ...args]);
  const exited = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => {});
  /** @type {string[]} */
  const lines = [];
  let wake = () => {};
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    wake();
  });
  return {
    child,
    /** What it has said on standard error. */
    lines,
    /** The first line of standard error that matches, once it is there. @param {RegExp} pattern @returns {Promise<RegExpExecArray>} */
    async line(pattern) {
      for (;;) {
        for (const line of lines) {
          const match = pattern.exec(line);
          if (match) return match;
        }
        await new Promise((resolve) => {
          wake = () => resolve(0);
        });
      }
    },
    /** @returns {Promise<number>} */
    async code() {
      const [code, signal] = await exited;
      return code ?? signal;
    },
  };
}

/** Runs it to its end. @param {import('node:test').TestContext} t @param {string[]} args @param {string | Buffer} [input] */
export async function run(t, args, input = '') {
  const command = start(t, ...args);
  command.child.stdin.end(input);
  const [out, code] = await Promise.all([text(command.child.stdout), command.code()]);
  return { out, code, err: command.lines.join('\n') };
}
