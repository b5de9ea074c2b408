/** The subject in a page: what tests/faults/node.js is in Node. `tell` is the test's. */
import { load } from '../../js/index.js';
import { lineReader } from '../runner.js';

/** @param {(event: object) => void} tell */
export async function openSubject(tell) {
  const code = await (await fetch('/build/wasi/faults.wasm')).arrayBuffer();
  const read = lineReader(tell);
  const module = await load(code, {
    stdout: (text, descriptor) => (descriptor === 1 ? read(text) : console.error(text)),
    onerror: (error) => tell({ event: 'report', text: error.message }),
    imports: {
      app: { memory: () => module.exports.memory.buffer.byteLength, handles: () => 0 },
    },
  });
  const subject = module.call('subject_new', module.loop);
  return (/** @type {string} */ text) =>
    void module.call('subject_feed', subject, new TextEncoder().encode(`${text}\n`));
}
