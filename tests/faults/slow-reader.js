#!/usr/bin/env node
/** What tests/faults/slow-reader.test.js proves, at full size and at the pace of a real slow reader. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseOptions } from '../options.js';
import { directions, MEBIBYTE, SlowStream } from './slow-stream.js';

const usage = `usage: node tests/faults/slow-reader.js [--size MIB] [--pace MIB]
Streams --size (200) MiB over WebSockets with Towline framing to readers that take --pace (1) MiB a second, between pages
and Node and between Node and Node, each way, all at once. Prints what the processes of both ends had in memory, in MiB,
while the stream went, and when its garbage is collected at the end (in pages: Node is not asked to).
`;

const { values } = parseOptions('slow-reader', {
  options: {
    size: { type: 'string', default: '200' },
    pace: { type: 'string', default: '1' },
    help: { type: 'boolean' },
  },
});
const size = Number(values.size);
const pace = Number(values.pace);
if (!(size > 0 && pace > 0)) {
  console.error('slow-reader: --size and --pace are numbers above 0');
  process.exit(2);
}

/** @typedef {import('./slow-stream.js').Memory} Memory */

/** @param {SlowStream} stream @param {() => void} progress */
async function play(stream, progress) {
  /** @type {Memory[]} */
  const samples = [];
  const start = performance.now();
  for await (const received of stream.stops(size * MEBIBYTE)) {
    samples.push(await stream.memory());
    progress();
    await sleep(start + (received / MEBIBYTE / pace) * 1000 - performance.now());
  }
  await stream.collect();
  return { samples, end: await stream.memory() };
}

/** @param {Awaited<ReturnType<typeof play>>} course @param {keyof Memory} whose */
function summary({ samples, end }, whose) {
  const sizes = samples.map((sample) => sample[whose]);
  const quarter = sizes.slice(0, Math.ceil(sizes.length / 4));
  const figures = [sizes[0], Math.max(...quarter), Math.max(...sizes), end[whose]];
  return figures.map((size) => (size / 1024).toFixed(1)).join(', ');
}

async function main() {
  let done = 0;
  const isWatched = process.stderr.isTTY;
  const progress = () => {
    done++;
    if (isWatched)
      process.stderr.write(`\r${Math.floor(done / directions.length)} of ${size} MiB `);
  };
  /** @type {(() => unknown)[]} */
  const ends = [];
  const scope = { after: (/** @type {() => unknown} */ end) => void ends.push(end) };
  try {
    const streams = await Promise.all(directions.map((one) => SlowStream.open(scope, one)));
    const all = await Promise.all(streams.map((stream) => play(stream, progress)));
    if (isWatched) process.stderr.write('\n');
    console.log('MiB after the first one, at most in the first quarter, at most, at the end');
    for (const [i, course] of all.entries()) {
      console.log(`${directions[i].name}:`);
      for (const whose of /** @type {const} */ (['writer', 'reader', 'modules']))
        console.log(`  ${whose.padEnd(8)} ${summary(course, whose)}`);
    }
  } finally {
    await Promise.all(ends.map((end) => end()));
  }
}

if (values.help) console.log(usage);
else if (size >= 1 && pace > 0) await main();
else {
  console.error(usage);
  process.exitCode = 2;
}
