/** Peers in memory for a module that somebody brings: one that sends back what comes, one that somebody types for. */
import { MemoryNetwork } from '../../js/index.js';

/** @typedef {import('../../js/transports/memory.js').MemoryEnd} MemoryEnd */

const ECHO = 'echo';
const TYPED = 'typed';

/** 'mem:echo' and 'mem:typed'. */
export class Peers {
  network = new MemoryNetwork();
  /** Who is typed to. @type {MemoryEnd | undefined} */
  #typed;
  /** What waits to be taken. */
  #waiting = new Uint8Array(0);

  /** @param {(bytes: Uint8Array) => void} onheard what has come for 'mem:typed' */
  constructor(onheard) {
    this.onheard = onheard;
    this.network.serve(ECHO, (end) => {
      end.onchange = () => echo(end);
    });
    this.network.serve(TYPED, (end) => {
      this.#typed = end;
      this.#waiting = new Uint8Array(0);
      end.onchange = () => this.#go(end);
    });
  }

  #isReading = true;

  /** Whether the typed peer takes what comes. */
  set isReading(/** @type {boolean} */ isReading) {
    this.#isReading = isReading;
    if (this.#typed) this.#go(this.#typed);
  }

  /** @param {MemoryEnd} end */
  #go(end) {
    this.#push();
    if (!this.#isReading) return;
    for (let bytes = end.read(); bytes; bytes = end.read()) this.onheard(bytes);
    if (end.ended) end.close();
  }

  /** @param {Uint8Array} bytes */
  say(bytes) {
    if (!this.#typed) return;
    const all = new Uint8Array(this.#waiting.length + bytes.length);
    all.set(this.#waiting);
    all.set(bytes, this.#waiting.length);
    this.#waiting = all;
    this.#push();
  }

  /** The typed peer sends no more. */
  end() {
    this.#typed?.end();
  }

  #push() {
    if (this.#waiting.length === 0 || !this.#typed) return;
    this.#waiting = this.#waiting.subarray(this.#typed.write(this.#waiting));
  }
}

/** As much as there is room for, so that nothing is lost. @param {MemoryEnd} end */
function echo(end) {
  while (end.room > 0) {
    const bytes = end.read(end.room);
    if (!bytes) break;
    end.write(bytes);
  }
  if (end.ended && end.isEmpty) end.close();
}
