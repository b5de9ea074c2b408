/** What a program measures of itself: how many bytes come in a second, and what processor time they take. */
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';

/** How much a protocol that counts lends. */
export const BUFFER = 1 << 18;

/** Seconds until what runs for every small message is compiled for good: Node has its own part ready when it starts. @param {number} seconds */
export const warming = (seconds) => Math.min(2 * seconds, 0.7);

/** Begins when the first bytes have come and some time has gone. @param {number} seconds @param {number} before @param {() => number} received */
async function measure(seconds, before, received) {
  while (received() === 0) await wait(5);
  await wait(1000 * before);
  const [cpu, begun, already] = [process.cpuUsage(), performance.now(), received()];
  await wait(1000 * seconds);
  const { user, system } = process.cpuUsage(cpu);
  const bytes = received() - already;
  return { bytes: (1000 * bytes) / (performance.now() - begun), cpu: (user + system) / bytes };
}

/**
 * Prints bytes per second, microseconds of processor time per byte, and all that was received: when that has been measured,
 * and whoever has started this has said, by the end of standard input, that all was sent.
 * @param {number} seconds
 * @param {() => number} received bytes so far
 * @param {number} [before] seconds that are not measured
 */
export async function tellWhenDone(seconds, received, before = seconds / 5) {
  const [measured] = await Promise.all([measure(seconds, before, received), text(process.stdin)]);
  console.log(JSON.stringify({ ...measured, received: received() }));
  process.exit();
}
