/** A figure over time, for a chart: as many values as a chart can show, the oldest dropped. */
const MOST = 12000;

export class Samples {
  /** Milliseconds since the recording began. @type {number[]} */
  times = [];
  /** @type {number[]} */
  values = [];

  /** @param {number} time @param {number} value */
  add(time, value) {
    this.times.push(time);
    this.values.push(value);
    if (this.times.length > MOST) {
      this.times.splice(0, MOST / 4);
      this.values.splice(0, MOST / 4);
    }
  }
}

/** How long what comes is added up. */
const BIN = 200;

/** What is added up: so much a second. */
export class Rate extends Samples {
  #bin = 0;
  #sum = 0;

  /** @override @param {number} time @param {number} amount */
  add(time, amount) {
    this.tick(time);
    this.#sum += amount;
  }

  /** Time goes on, though nothing may have come. @param {number} time */
  tick(time) {
    if (this.times.length === 0) this.#bin = time;
    // A long silence is two points, not hundreds.
    if (time - this.#bin > 20 * BIN) {
      this.#close();
      super.add(this.#bin, 0);
      this.#bin = time - (time % BIN);
      super.add(this.#bin, 0);
    }
    while (time - this.#bin >= BIN) this.#close();
    if (this.times.length === 0) super.add(this.#bin, 0);
  }

  #close() {
    this.#bin += BIN;
    super.add(this.#bin, (this.#sum * 1000) / BIN);
    this.#sum = 0;
  }
}
