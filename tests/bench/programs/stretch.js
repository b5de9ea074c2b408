/** What a program measures of itself: how many bytes come in a second, and what processor time they take. */
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';

/** How much a protocol that counts lends. */
export const BUFFER = 1 << 18;

/** Begins when the first bytes have come and a fifth of the time has gone. @param {number} seconds @param {() => number} received */
async function measure(seconds, received) {
  while (received() === 0) await wait(5);
  await wait(200 * seconds);
  const [cpu, begun, before] = [process.cpuUsage(), performance.now(), received()];
  await wait(1000 * seconds);
  const { user, system } = process.cpuUsage(cpu);
  const bytes = received() - before;
  return { bytes: (1000 * bytes) / (performance.now() - begun), cpu: (user + system) / bytes };
}

/**
 * Prints bytes per second, microseconds of processor time per byte, and all that was received: when that has been measured,
 * and whoever has started this has said, by the end of standard input, that all was sent.
 * @param {number} seconds
 * @param {() => number} received bytes so far
 */
export async function tellWhenDone(seconds, received) {
  const [measured] = await Promise.all([measure(seconds, received), text(process.stdin)]);
  console.log(JSON.stringify({ ...measured, received: received() }));
  process.exit();
}
