/**
 * A line of the subject's.
 * @typedef {{event: string, id?: number} & Record<string, any>} Event
 */

/**
 * How long a subject lives: a test's context is one.
 * @typedef {{after: (end: () => unknown) => void}} Scope
 */

/** What a subject has told, and how it is told what to do. */
export class Events {
  /** Of each connection or child; 0: of none. @type {Map<number, Event[]>} */
  #told = new Map();
  /** @type {Set<{id: number, matches: (event: Event) => boolean, resolve: (event: Event) => void, reject: (error: Error) => void}>} */
  #waiting = new Set();
  /** @type {Error | undefined} */
  #over;

  /** @param {Event} event */
  tell(event) {
    const { id = 0 } = event;
    if (event.event === 'misunderstood') throw new Error(`${event.verb} ${id} is not understood`);
    const told = this.#told.get(id);
    if (told) told.push(event);
    else this.#told.set(id, [event]);
    for (const wait of this.#waiting) {
      if (wait.id !== id || !wait.matches(event)) continue;
      this.#waiting.delete(wait);
      wait.resolve(event);
    }
  }

  /** It will tell nothing more. @param {Error} error */
  fail(error) {
    this.#over = error;
    for (const { reject } of this.#waiting) reject(error);
  }

  /** A command. @param {string} _text */
  send(_text) {}

  /** Has its garbage collected, where that can be asked for: an engine that is in no need does it late. */
  async collect() {}

  /** What was told of one, in order; data left out. @param {number} id */
  calls(id) {
    const told = this.#told.get(id) ?? [];
    return told.map(({ event }) => event).filter((name) => name !== 'data' && name !== 'state');
  }

  /**
   * Answers the first such event, told already or yet to come.
   * @param {number} id
   * @param {string} name
   * @param {(event: Event) => boolean} [suits]
   * @param {number} [from] looks not at those before
   * @returns {Promise<Event>}
   */
  when(id, name, suits = () => true, from = 0) {
    const matches = (/** @type {Event} */ event) => event.event === name && suits(event);
    const found = this.#told.get(id)?.slice(from).find(matches);
    if (found) return Promise.resolve(found);
    if (this.#over) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      this.#waiting.add({ id, matches, resolve, reject });
    });
  }

  /** The answer to a command. @param {string} text @param {number} id @param {string} name */
  ask(text, id, name) {
    const from = this.#told.get(id)?.length ?? 0;
    this.send(text);
    return this.when(id, name, () => true, from);
  }

  stats() {
    return this.ask('stats', 0, 'stats');
  }

  /** The same, once no more is open than so many handles: what is closed is freed a little later. @param {number} handles */
  async rest(handles) {
    for (;;) {
      const stats = await this.stats();
      if (stats.handles <= handles) return stats;
    }
  }

  /** @param {number} id */
  state(id) {
    return this.ask(`state ${id}`, id, 'state');
  }

  /** @param {number} id @param {number} size */
  received(id, size) {
    return this.when(id, 'data', ({ received }) => received >= size);
  }

  /** Forgets what it was told. */
  forget() {
    this.#told.clear();
  }
}
