/** build/netcode, and demo/netcode-node.js, as tests run them: their lines are awaited. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fromRoot } from '../adapters.js';

/** Every figure is there. */
export const figures =
  /^(.+?) {2}received ([\d.]+) packets\/s {2}round trip ([\d.]+) ms {2}loss ([\d.]+) % {2}jitter ([\d.]+) ms {2}at ([\d.]+) ([\d.]+)$/;

/** @param {string} command @param {string[]} options */
function run(command, options) {
  const child = spawn(command, options, { timeout: 120_000 });
  /** @type {string[]} */
  const lines = [];
  /** @type {Set<() => void>} */
  const waiting = new Set();
  const tell = () => {
    for (const look of waiting) look();
  };
  const reader = createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    tell();
  });
  const read = once(reader, 'close').then(tell);
  const err = text(child.stderr);
  const ended = once(child, 'close').then(async ([status, signal]) => {
    await read;
    return { status: status ?? signal, lines, err: await err };
  });
  /** The first line that is such. @param {RegExp} pattern @returns {Promise<RegExpExecArray>} */
  const line = (pattern) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = lines.map((line) => pattern.exec(line)).find((match) => match);
        if (!found) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      ended.then(({ err }) => reject(new Error(`no ${pattern} in\n${lines.join('\n')}\n${err}`)));
    });
  return { child, line, ended, stop: () => void child.kill() };
}

/** @param {string[]} options */
export const native = (...options) => run(fromRoot('build/netcode'), options);

/** @param {string[]} options */
export const inNode = (...options) =>
  run(process.execPath, [fromRoot('demo/netcode-node.js'), ...options]);

/** One that listens, and its address. @param {string[]} options */
export async function listening(...options) {
  const program = native('--listen', 'udp://127.0.0.1:0', ...options);
  const [, address] = await program.line(/^listening on (udp:.*)$/);
  return { ...program, address };
}
