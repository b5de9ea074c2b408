#!/usr/bin/env node
/** Hostile modules against the JavaScript side of the boundary. Whatever one does ends in a TowlineError, and soon. */
import { pathToFileURL } from 'node:url';
import { inspect, parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

const usage = `usage: node tests/fuzz/abi.js [--count N] [--seed N]
Loads modules whose every export answers random addresses and sizes and calls the host back with others, and checks that
nothing but a TowlineError comes of it and that nothing hangs. One seed is always the same module.

  --count N   how many (2000 unless said)
  --seed N    the first one's seed (1 unless said)
`;

/** How long one module may take before it is called a hang, in milliseconds. */
const LIMIT = 15_000;

/**
 * @param {number} first
 * @param {number} count
 * @returns {Promise<string | null>} what is wrong, and with which seed
 */
export function fuzzAbi(first, count) {
  const worker = new Worker(new URL('abi-worker.js', import.meta.url), {
    workerData: { first, count },
  });
  let seed = first;
  return new Promise((resolve) => {
    const end = (/** @type {string | null} */ what) => {
      clearTimeout(watch);
      worker.terminate();
      resolve(what && `seed ${seed}: ${what}`);
    };
    const hung = () => end('it hangs');
    let watch = setTimeout(hung, LIMIT);
    worker.on('message', (message) => {
      if (message.done) return end(null);
      seed = message.seed;
      clearTimeout(watch);
      watch = setTimeout(hung, LIMIT);
    });
    worker.on('error', (error) => end(inspect(error)));
    worker.on('exit', (status) => end(`the worker ended with ${status}`));
  });
}

async function main() {
  const { values } = parseArgs({
    options: { count: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const count = Number(values.count ?? 2000);
  const wrong = await fuzzAbi(Number(values.seed ?? 1), count);
  console.log(wrong ?? `${count} modules: nothing but TowlineErrors`);
  return wrong ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await main();
