/**
 * Things by integer: so a module names what belongs to JavaScript.
 * @template {{abandon(error: import('./errors.js').TowlineError): void, own?: unknown}} T
 * @extends {Map<number, T>}
 */
export class Table extends Map {
  #last = 0;

  /** @param {T} thing */
  add(thing) {
    do this.#last = (this.#last % 0x7fffffff) + 1;
    while (this.has(this.#last));
    this.set(this.#last, thing);
    return this.#last;
  }

  all() {
    return [...this.values()];
  }
}
