/** The subject in Node: `node node.js MODULE.wasm`. Commands come by the standard input, whose end ends it. */
import { writeSync } from 'node:fs';
import { load } from '../../js/node.js';

/** The kinds of handles that are the module's. */
const KINDS = /^(TCP|Pipe|Process|GetAddrInfo)/;

void process.stderr; // which Node makes once it destroys a socket: a pipe, too
const count = () => process.getActiveResourcesInfo().filter((kind) => KINDS.test(kind)).length;

const say = (/** @type {object} */ event) => writeSync(1, `${JSON.stringify(event)}\n`);

const module = await load(process.argv[2], {
  stdout: (text, descriptor) => void writeSync(descriptor, text),
  onerror: (error) => say({ event: 'report', text: error.message }),
  onlog: (level, text) => level > 0 && say({ event: 'warning', text }),
  imports: {
    app: {
      memory: () => module.exports.memory.buffer.byteLength + module.connections,
      handles: () => count(),
    },
  },
});
const subject = module.call('subject_new', module.loop);
process.stdin.on('data', (bytes) => module.call('subject_feed', subject, bytes));
process.stdin.on('end', async () => {
  await module.close();
  say({ event: 'end', memory: module.connections });
});
say({ event: 'ready' });
