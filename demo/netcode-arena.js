/** The arena on a canvas: everybody with a short trail. */
import { HEIGHT, WIDTH } from './netcode.js';

/** @typedef {import('./netcode.js').Peer} Peer */
/** @typedef {{ session: number, x: number, y: number, peers: Peer[] }} Look */
/** @typedef {{ x: number, y: number, time: number }} Point */

/** For how long a trail is seen, in milliseconds. */
const TRAIL = 900;
/** A leap over more than this is no way that somebody went. */
const LEAP = 40;
const GRID = 20;
const RADIUS = 2.2;
/** Who has been silent for longer is drawn pale. */
export const SILENT = 500;

const dark = matchMedia('(prefers-color-scheme: dark)');

/** The same for everybody who sees this participant. @param {number} session */
export const colourOf = (session) =>
  `oklch(${dark.matches ? 0.77 : 0.58} 0.17 ${Math.round((session * 137.508) % 360)})`;

export class Arena {
  /** @type {Map<number, Point[]>} */
  #trails = new Map();
  #ground = '';
  #line = '';
  #text = '';

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    new ResizeObserver(() => this.#fit()).observe(canvas);
    dark.addEventListener('change', () => this.#fit());
    this.#fit();
  }

  #fit() {
    const { canvas } = this;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round((canvas.width * HEIGHT) / WIDTH);
    const style = getComputedStyle(canvas);
    this.#ground = style.getPropertyValue('--field');
    this.#line = style.getPropertyValue('--line');
    this.#text = style.getPropertyValue('--text');
    this.draw(null, 0);
  }

  /** Where in the arena a pointer is. @param {MouseEvent} event */
  place({ offsetX, offsetY }) {
    const { clientWidth, clientHeight } = this.canvas;
    return { x: (offsetX / clientWidth) * WIDTH, y: (offsetY / clientHeight) * HEIGHT };
  }

  /** @param {Look | null} look @param {number} time */
  draw(look, time) {
    const { context, canvas } = this;
    const scale = canvas.width / WIDTH;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = this.#ground;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    this.#grid();
    if (!look) return this.#trails.clear();
    for (const peer of look.peers) {
      const pale = peer.silence > SILENT ? 0.35 : 1;
      this.#body(peer.number, peer, colourOf(peer.session), peer.name, pale, time);
    }
    this.#body(0, look, colourOf(look.session), 'you', 1, time);
    for (const [number, trail] of this.#trails)
      if ((trail.at(-1)?.time ?? 0) < time) this.#trails.delete(number);
  }

  #grid() {
    const { context } = this;
    context.strokeStyle = this.#line;
    context.lineWidth = 0.2;
    context.beginPath();
    for (let x = GRID; x < WIDTH; x += GRID) {
      context.moveTo(x, 0);
      context.lineTo(x, HEIGHT);
    }
    for (let y = GRID; y < HEIGHT; y += GRID) {
      context.moveTo(0, y);
      context.lineTo(WIDTH, y);
    }
    context.stroke();
  }

  /**
   * @param {number} number
   * @param {{ x: number, y: number }} at
   * @param {string} colour
   * @param {string} label
   * @param {number} pale
   * @param {number} time
   */
  #body(number, { x, y }, colour, label, pale, time) {
    const { context } = this;
    const isOwn = number === 0;
    context.strokeStyle = context.fillStyle = colour;
    this.#trail(number, { x, y, time }, pale);
    context.globalAlpha = pale;
    context.beginPath();
    context.arc(x, y, RADIUS, 0, 2 * Math.PI);
    context.fill();
    if (isOwn) {
      context.lineWidth = 0.5;
      context.beginPath();
      context.arc(x, y, RADIUS + 1.2, 0, 2 * Math.PI);
      context.stroke();
    }
    // Of one size on every screen: 12 pixels.
    const size = (12 * WIDTH) / this.canvas.clientWidth;
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = y > HEIGHT - 4 * size ? 'bottom' : 'top';
    context.fillStyle = this.#text;
    const half = context.measureText(label).width / 2 + 1;
    const middle = Math.min(Math.max(x, half), WIDTH - half);
    const below = RADIUS + 2;
    context.fillText(label, middle, y > HEIGHT - 4 * size ? y - below : y + below);
  }

  /** @param {number} number @param {Point} point @param {number} pale */
  #trail(number, point, pale) {
    const { context } = this;
    let trail = this.#trails.get(number) ?? [];
    const last = trail.at(-1);
    if (last && Math.hypot(point.x - last.x, point.y - last.y) > LEAP) trail = [];
    trail = trail.filter(({ time }) => point.time - time < TRAIL);
    trail.push(point);
    this.#trails.set(number, trail);
    context.lineCap = 'round';
    for (let i = 1; i < trail.length; i++) {
      const left = 1 - (point.time - trail[i].time) / TRAIL;
      context.globalAlpha = 0.45 * left * pale;
      context.lineWidth = 2 * RADIUS * left * 0.8;
      context.beginPath();
      context.moveTo(trail[i - 1].x, trail[i - 1].y);
      context.lineTo(trail[i].x, trail[i].y);
      context.stroke();
    }
  }
}
