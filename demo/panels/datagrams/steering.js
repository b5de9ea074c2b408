/** Where the boat is to go: by a pointer, a finger, or the arrow keys. */
import { HEIGHT, WIDTH } from '../../netcode.js';

/** @typedef {{ x: number, y: number }} Place */

/** Units a millisecond, by the keys. */
const SPEED = 0.09;
/** A frame that came late moves nobody further than this, in milliseconds. */
const LONGEST = 100;

/** Which way each key goes. @type {Record<string, [number, number]>} */
const ways = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Steering {
  /** @type {Set<string>} */
  #pressed = new Set();
  /** Where it is to go; null: wherever it likes. @type {Place | null} */
  #target = null;
  #last = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(event: MouseEvent) => Place} place where in the arena a pointer is
   * @param {(to: Place, isFirst: boolean) => void} steer `isFirst`: of a movement
   */
  constructor(canvas, place, steer) {
    this.steer = steer;
    canvas.addEventListener('pointerenter', (event) => this.#to(place(event), true));
    canvas.addEventListener('pointerdown', (event) => this.#to(place(event), true));
    canvas.addEventListener('pointermove', (event) => this.#to(place(event), false));
    canvas.addEventListener('keydown', (event) => {
      if (!(event.key in ways)) return;
      event.preventDefault();
      this.#pressed.add(event.key);
    });
    canvas.addEventListener('keyup', ({ key }) => this.#pressed.delete(key));
    canvas.addEventListener('blur', () => this.#pressed.clear());
  }

  /** Nobody steers. */
  clear() {
    this.#target = null;
  }

  /** @param {Place} to @param {boolean} isFirst */
  #to({ x, y }, isFirst) {
    this.#target = { x: Math.min(Math.max(x, 0), WIDTH), y: Math.min(Math.max(y, 0), HEIGHT) };
    this.steer(this.#target, isFirst);
  }

  #wasPressed = false;

  /** In each frame: what the keys do. @param {Place} at where it is @param {number} time */
  frame(at, time) {
    const isPressed = this.#pressed.size > 0;
    if (isPressed) {
      const { x, y } = this.#target ?? at;
      const step = SPEED * Math.min(time - this.#last, LONGEST);
      const chosen = [...this.#pressed].map((key) => ways[key]);
      const [right, down] = [0, 1].map((i) => chosen.reduce((sum, way) => sum + way[i], 0));
      this.#to({ x: x + right * step, y: y + down * step }, !this.#wasPressed);
    }
    this.#wasPressed = isPressed;
    this.#last = time;
  }
}
