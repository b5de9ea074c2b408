import { EventEmitter, once } from 'node:events';

/** @typedef {import('../traces/format.js').Line} Line */

/** The raw lines of a trace as they come, for a peer that waits for some of them. */
export class Trace extends EventEmitter {
  /** @type {Line[]} */
  lines = [];

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  /** @param {Line} line */
  push(line) {
    this.lines.push(line);
    this.emit('line');
  }

  /**
   * The first line that is so.
   * @param {(line: Line) => boolean} isIt
   * @param {AbortSignal} signal
   * @returns {Promise<Line>}
   */
  async find(isIt, signal) {
    for (;;) {
      const found = this.lines.find(isIt);
      if (found) return found;
      await once(this, 'line', { signal });
    }
  }
}
