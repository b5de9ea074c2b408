/** A program in JavaScript: does as its first argument says. */
import { run } from '../../../js/worker/module-worker.js';

run(async ({ arguments: [, how, value], environment, stdin, stdout, stderr, listen }) => {
  if (how === 'cat') for await (const bytes of stdin) await stdout.write(bytes);
  if (how === 'tell') await stdout.write(`${environment.NAME}\n`);
  if (how === 'tell') await stderr.write('bad\n');
  if (how === 'throw') throw new Error('of the program');
  if (how === 'bulk') await stdout.write(new Uint8Array(Number(value)));
  if (how === 'flood') for (;;) postMessage({ type: 'data', fd: 1, bytes: new Uint8Array(65536) });
  if (how === 'nonsense') {
    /** @type {any[]} */
    const wrong = [null, 1, 'x', [], {}, { type: 'data', fd: 1, bytes: 'text' }, { type: 'wake' }];
    for (const size of [-1, Number.NaN, 2 ** 60, 'x']) wrong.push({ type: 'taken', fd: 0, size });
    for (const type of ['data', 'end', 'closed', 'taken', 'listen', 'wake'])
      for (const fd of [-1, 3, 'x', {}]) wrong.push({ type, fd, bytes: new Uint8Array(1) });
    for (const message of wrong) postMessage(message);
  }
  if (how === 'listen') {
    const signal = new Promise((resolve) => {
      for (const number of [2, 15]) listen(number, () => resolve(number));
    });
    await stdout.write('ready\n');
    await stdout.write(`signal ${await signal}\n`);
    if (value) await new Promise(() => {});
  }
  return Number(value ?? 0);
});
