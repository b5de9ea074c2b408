/** child.c as a program in JavaScript, for a Worker: the same steps, all but `hold`. */
import { run } from '../../js/worker/module-worker.js';

const CANNOT_WRITE = 120;
const CANNOT = 121;
const SIGTERM = 15;

/** @param {number} offset @param {number} size */
const pattern = (offset, size) =>
  Uint8Array.from({ length: size }, (_, at) => {
    const i = offset + at;
    return i * 131 + (i >> 8) * 17 + (i >> 16) * 29 + 7;
  });

run(async ({ arguments: [, ...steps], stdin, stdout, stderr, listen }) => {
  const input = stdin[Symbol.asyncIterator]();
  let out = 0;
  let err = 0;

  /** Reads up to so many bytes. @param {number} most @param {(bytes: Uint8Array) => unknown} [use] */
  const read = async (most, use) => {
    for (let left = most; left > 0; ) {
      const { done, value } = await input.next();
      if (done) return;
      await use?.(value);
      left -= value.length;
    }
  };

  /** @type {Record<string, (argument: string) => unknown>} */
  const can = {
    out: async (n) => {
      await stdout.write(pattern(out, Number(n)));
      out += Number(n);
    },
    err: async (n) => {
      await stderr.write(pattern(err, Number(n)));
      err += Number(n);
    },
    outs: (text) => stdout.write(text),
    errs: (text) => stderr.write(text),
    close_in: () => input.return?.(),
    close_out: () => stdout.end(),
    close_err: () => stderr.end(),
    wait_eof: () => read(Number.POSITIVE_INFINITY),
    readn: (n) => read(Number(n)),
    echo: () => read(Number.POSITIVE_INFINITY, (bytes) => stdout.write(bytes)),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Number(ms))),
    hang: () => new Promise(() => {}),
    ignore_term: () => listen(SIGTERM, () => {}),
  };

  for (const step of steps) {
    const [name, argument] = step.split(':');
    if (name === 'exit') return Number(argument);
    if (step === 'raise:6') throw new Error('aborted');
    if (!can[name]) return CANNOT;
    try {
      await can[name](argument);
    } catch {
      return CANNOT_WRITE;
    }
  }
});
