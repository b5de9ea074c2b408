/** A loop with a network in memory, and connections whose other end the test plays. */
import { Loop, MemoryNetwork } from '../../js/node.js';
import { Signal } from './probe.js';

/** @typedef {import('../../js/transports/memory.js').MemoryEnd} MemoryEnd */
/** @typedef {import('../../js/node.js').TowlineError} TowlineError */

/** Closed with the test; `reports` is what its protocols failed with. @param {import('node:test').TestContext} t */
export function loopFor(t) {
  const network = new MemoryNetwork();
  /** @type {[TowlineError, import('../../js/protocols/loop.js').Context][]} */
  const reports = [];
  const reported = new Signal();
  const loop = new Loop({
    transports: { mem: network },
    onerror: (...report) => {
      reports.push(report);
      reported.fire(undefined);
    },
  });
  t.after(() => loop.close());
  return { loop, network, reports, reported };
}

/**
 * @param {Pick<ReturnType<typeof loopFor>, 'loop' | 'network'>} world
 * @param {import('../../js/protocols/loop.js').StreamOptions} [options]
 */
export async function connectionIn({ loop, network }, options) {
  /** @type {Signal<MemoryEnd>} */
  const come = new Signal();
  network.serve('peer', come.fire);
  const connection = await loop.openConnection('mem:peer', options);
  return { connection, end: await come.fired };
}

/** Until it is so: looked at whenever something has happened at this end. @param {MemoryEnd} end @param {() => boolean} isSo */
export async function until(end, isSo) {
  while (!isSo())
    await new Promise((resolve) => {
      end.onchange = () => resolve(undefined);
    });
}
