import assert from 'node:assert/strict';

/** What a child wrote, by descriptor, and what happened, in order. */
export class Story {
  out = '';
  errors = '';
  bytes = 0;
  /** @type {string[]} */
  ends = [];
  /** @type {number | undefined} */
  returncode = undefined;

  /** @type {import('./probe.js').Callbacks} */
  callbacks = {
    pipeData: (probe, bytes) => {
      this.bytes += bytes.length;
      if (this.bytes < 100_000) {
        if (probe.fd === 1) this.out += Buffer.from(bytes);
        else this.errors += Buffer.from(bytes);
      }
    },
    pipeLost: (_probe, fd, code) => void this.ends.push(code === 0 ? `${fd}` : `${fd} ${code}`),
    exited: (_probe, returncode) => {
      this.returncode = returncode;
    },
  };

  /** These callbacks, and others after them. @param {import('./probe.js').Callbacks} more */
  with(more) {
    /** @type {Record<string, any>} */
    const own = this.callbacks;
    const both = Object.entries(more).map(([name, call]) => [
      name,
      (/** @type {[any, any, any]} */ ...values) => {
        own[name]?.(...values);
        return call(...values);
      },
    ]);
    return { ...own, ...Object.fromEntries(both) };
  }
}

/**
 * Into `cat` and back, and what that comes to.
 * @param {Awaited<ReturnType<typeof import('./probe.js').loadProbe>> & {story: Story}} scene
 * @param {import('../../js/module.js').Transport} transport the child's
 */
export async function megabyteThroughCat({ module, all, story }, transport) {
  const size = 1 << 20;
  const stdin = all[0].pipe(0);
  module.call('tow_transport_write', stdin, new Uint8Array(size));
  module.call('tow_transport_write_eof', stdin);
  assert.equal(await transport.closed, null);
  assert.equal(story.bytes, size);
  assert.equal(story.returncode, 0);
  assert.deepEqual(story.ends.sort(), ['0', '1', '2']);
  const flow = all[0].calls.filter((call) => call.endsWith('Writing'));
  assert.deepEqual(flow, ['pauseWriting', 'resumeWriting']);
  assert.equal(all[0].calls.at(-1), 'lost');
}
