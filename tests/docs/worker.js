/** Who spawns upper.wasm, or is upper.js: then it is spawned. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Loop } from '../../js/node.js';
import { workers } from '../../js/worker/node.js';

/** @param {string} path */
async function shout(path) {
  const loop = new Loop({ transports: { worker: workers() } });
  let text = '';
  const { transport } = await loop.spawn(`worker:${path}`, () => ({
    pipeDataReceived(/** @type {number} */ _fd, /** @type {Uint8Array} */ data) {
      text += new TextDecoder().decode(data);
    },
  }));
  transport.getPipeTransport(0)?.write('hello\n');
  transport.getPipeTransport(0)?.writeEof();
  await transport.closed;
  const returncode = transport.getReturncode();
  await loop.close();
  return [text, returncode];
}

/** @param {import('./example.js').Example} example */
export default async function spawn(example) {
  if (example.code.includes("from 'towline/worker/program'")) {
    await example.write('upper.js');
    assert.deepEqual(await shout(join(example.folder, 'upper.js')), ['HELLO\n', 0]);
    return;
  }
  await example.link('build/wasi/programs/upper.wasm', 'upper.wasm');
  await example.write('example.js');
  return example.run(process.execPath, 'example.js');
}
