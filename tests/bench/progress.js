/** Says on standard error what runs, and about how long it takes still: in one line of a terminal, else now and then. */
export class Progress {
  #live = process.stderr.isTTY;
  #begun = 0;
  #told = 0;
  #current = -1;
  #expected;
  #name = '';

  /** @param {number[]} expected seconds of each benchmark */
  constructor(expected) {
    this.#expected = expected;
  }

  /** The next benchmark. @param {string} name */
  begin(name) {
    this.#name = name;
    this.#current++;
    this.#begun = performance.now();
    this.#told = 0;
    return (/** @type {string} */ text) => this.#tell(text);
  }

  end() {
    const took = Math.round((performance.now() - this.#begun) / 1000);
    this.#write(`${this.#name}: ${took} s`, '\n');
  }

  /** @param {string} text */
  #tell(text) {
    const now = performance.now();
    if (!this.#live && now - this.#told < 10_000) return;
    this.#told = now;
    const elapsed = (now - this.#begun) / 1000;
    const [current, ...others] = this.#expected.slice(this.#current);
    const left = others.reduce((a, b) => a + b, Math.max(current - elapsed, 0));
    const many = `${this.#current + 1} of ${this.#expected.length}`;
    this.#write(`${this.#name} (${many}), ${text}; about ${duration(left)} still`);
  }

  /** @param {string} text */
  #write(text, end = this.#live ? '' : '\n') {
    process.stderr.write(`${this.#live ? '\r\x1b[K' : ''}${text}${end}`);
  }
}

/** @param {number} seconds */
const duration = (seconds) =>
  seconds < 90 ? `${Math.ceil(seconds / 5) * 5} s` : `${Math.ceil(seconds / 60)} min`;
