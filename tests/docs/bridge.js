/** A bridge to what answers PING as Redis does: the command that serves it, or a client. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { bridge } from '../../js/bridge/node.js';
import { startServer } from '../../js/node.js';

const TARGET = 'tcp://127.0.0.1:6379';
const GATEWAY = 'ws://127.0.0.1:7000/';

/** Until it listens. @param {import('./example.js').Example} example */
async function serve(example) {
  const { folder, env, shell } = example;
  await example.write('example.sh', { [TARGET]: `${TARGET} --listen ws://127.0.0.1:0/` });
  const [program, ...values] = shell;
  const child = spawn(program, values, { cwd: folder, env, detached: true });
  const ended = once(child, 'exit');
  example.t.after(async () => {
    process.kill(-(/** @type {number} */ (child.pid)), 'SIGTERM');
    await ended;
  });
  const [line] = await once(createInterface({ input: child.stderr }), 'line');
  assert.match(line, /^listening on ws:/);
}

/** @param {import('./example.js').Example} example */
export default async function bridges(example) {
  if (example.language === 'sh') return serve(example);
  const redis = await startServer('tcp://127.0.0.1:0', async ({ reader, writer }) => {
    for await (const _ of reader) await writer.write('+PONG\r\n');
  });
  example.t.after(() => redis.close());
  const gateway = await bridge({ allow: [redis.address] });
  example.t.after(() => gateway.close(0));
  await example.write('example.js', { [TARGET]: redis.address, [GATEWAY]: gateway.address });
  const { stdout } = await example.run(process.execPath, 'example.js');
  assert.equal(stdout, '+PONG\r\n\n');
}
