/**
 * How a program in a Worker waits: `until` asks `attempt` again and again, whenever something may have changed, until it
 * answers something; at `deadline` (on the clock of performance.now) at the latest. `attempt` knows of the deadline.
 * @template T
 * @typedef {(attempt: () => T | undefined, deadline?: number) => T | Promise<T>} Until
 */

/** Blocks the Worker, asleep, until the bell rings: a word in shared memory that changes. @param {Int32Array} bell */
export const blocking =
  (bell) =>
  /**
   * @template T
   * @param {() => T | undefined} attempt
   * @param {number} [deadline]
   */
  (attempt, deadline = Number.POSITIVE_INFINITY) => {
    for (;;) {
      const seen = Atomics.load(bell, 0);
      const result = attempt();
      if (result !== undefined) return result;
      Atomics.wait(bell, 0, seen, deadline - performance.now());
    }
  };

/** The same from the other side. @param {Int32Array} bell */
export function ring(bell) {
  Atomics.add(bell, 0, 1);
  Atomics.notify(bell, 0);
}

/** A bell that nobody rings, to sleep by. Memory of WebAssembly's can be shared, with nobody, in any page. */
export function silentBell() {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  return new Int32Array(memory.buffer);
}

/** Suspends the program (JSPI), so that the Worker's messages come in. */
export class Suspending {
  #wake = () => {};

  /** Something may have changed. */
  changed() {
    this.#wake();
  }

  /** @param {number} deadline */
  #change(deadline) {
    return new Promise((/** @type {(_: void) => void} */ resolve) => {
      const delay = Math.min(Math.max(0, deadline - performance.now()), 0x7fffffff);
      const timer = deadline < Number.POSITIVE_INFINITY ? setTimeout(resolve, delay) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /**
   * @template T
   * @param {() => T | undefined} attempt
   * @param {number} [deadline]
   * @returns {T | Promise<T>}
   */
  until = (attempt, deadline = Number.POSITIVE_INFINITY) => {
    const result = attempt();
    return result === undefined ? this.#later(attempt, deadline) : result;
  };

  /**
   * @template T
   * @param {() => T | undefined} attempt
   * @param {number} deadline
   */
  async #later(attempt, deadline) {
    for (;;) {
      await this.#change(deadline);
      const result = attempt();
      if (result !== undefined) return result;
    }
  }
}
