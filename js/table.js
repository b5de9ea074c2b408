/**
 * Things by integer: so a module names what belongs to JavaScript.
 * @template {{abandon(error: import('./errors.js').TowlineError): void}} T
 */
export class Table {
  /** @type {Map<number, T>} */
  #things = new Map();
  #last = 0;

  /** @param {T} thing */
  add(thing) {
    do this.#last = (this.#last + 1) & 0x7fffffff;
    while (this.#last === 0 || this.#things.has(this.#last));
    this.#things.set(this.#last, thing);
    return this.#last;
  }

  /** @param {number} id */
  get(id) {
    return /** @type {T} */ (this.#things.get(id));
  }

  /** @param {number} id */
  delete(id) {
    this.#things.delete(id);
  }

  all() {
    return [...this.#things.values()];
  }

  /** Empties it. */
  takeAll() {
    const things = this.all();
    this.#things.clear();
    return things;
  }
}
