/** Four buoys, to be rounded one after another: who has rounded how many, as this page has seen it. */

/** In the arena's units. */
export const BUOYS = [
  { x: 30, y: 26 },
  { x: 130, y: 24 },
  { x: 124, y: 78 },
  { x: 38, y: 74 },
];
/** So near is rounded. */
export const NEAR = 9;

export class Course {
  /** How many were rounded, by the number of the body. @type {Map<number, number>} */
  #rounded = new Map();

  /** @param {number} number */
  count(number) {
    return this.#rounded.get(number) ?? 0;
  }

  /** Which buoy is next. @param {number} number */
  next(number) {
    return this.count(number) % BUOYS.length;
  }

  /** Somebody is there. @param {number} number @param {number} x @param {number} y */
  see(number, x, y) {
    const buoy = BUOYS[this.next(number)];
    if (Math.hypot(x - buoy.x, y - buoy.y) < NEAR)
      this.#rounded.set(number, this.count(number) + 1);
  }

  /** Begins anew. */
  clear() {
    this.#rounded.clear();
  }
}
