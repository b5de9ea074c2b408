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
