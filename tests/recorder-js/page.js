/** Runs a scenario in a page: what open.js does, with what the page's peers and children take. */
import { Loop } from '../../js/index.js';
import { webrtc } from '../../js/webrtc/index.js';
import { workers } from '../../js/worker/index.js';
import { run } from './open.js';

/** Over data channels: to this name, and nothing may get lost. @param {any} signalling */
export function peers(signalling) {
  const reliable = { ordered: true, maxRetransmits: Number.POSITIVE_INFINITY };
  const carrier = webrtc({ signalling, name: 'subject', ...reliable });
  return { webrtc: carrier, 'webrtc-stream': carrier };
}

/**
 * @param {import('../traces/format.js').Scenario} scenario
 * @param {string} spec
 * @param {string | undefined} child what subprocesses run, in Workers
 * @param {(line: import('../traces/format.js').Line) => Promise<void>} print
 */
export async function runInPage(scenario, spec, child, print) {
  const { signalling } = /** @type {any} */ (globalThis);
  /** @type {Record<string, import('../../js/request.js').Carrier>} */
  const transports = child ? { exec: workers() } : signalling ? peers(signalling) : {};
  /** @type {Promise<void>[]} */
  const printed = [];
  const loop = new Loop({ transports });
  const status = await run({
    loop,
    scenario,
    spec,
    child,
    print: (line) => void printed.push(print(line)),
  });
  await Promise.all(printed);
  return status;
}
