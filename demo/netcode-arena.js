/** The arena on a canvas: everybody with a short trail. */
import { HEIGHT, WIDTH } from './netcode.js';

/** @typedef {import('./netcode.js').Peer} Peer */
/** @typedef {{ x: number, y: number, peers: Peer[] }} Look */
/** @typedef {{ x: number, y: number, time: number }} Point */

/**
 * @typedef {object} Body
 * @property {number} number
 * @property {number} x
 * @property {number} y
 * @property {number} time
 * @property {string} name
 * @property {string} colour
 * @property {number} pale 1: not at all
 */

/** The number of one's own body. */
const OWN = 0;

/** For how long a trail is seen, in milliseconds. */
const TRAIL = 900;
/** A leap over more than this is no way that somebody went. */
const LEAP = 40;
const GRID = 20;
/** Of a body, in units, and at least in pixels; of a label, in pixels. */
const RADIUS = 2;
const LEAST_RADIUS = 7;
const LABEL = 12;
/** Who has been silent for longer is drawn pale. */
export const SILENT = 500;

const dark = matchMedia('(prefers-color-scheme: dark)');

/** Own is the page's accent; those who come one after another have hues far apart. @param {number} number */
export const colourOf = (number) =>
  number === OWN
    ? 'var(--accent)'
    : `oklch(${dark.matches ? 0.77 : 0.58} 0.17 ${Math.round((160 + number * 137.508) % 360)})`;

export class Arena {
  /** @type {Map<number, Point[]>} */
  #trails = new Map();
  #ground = '';
  #line = '';
  #text = '';
  #accent = '';
  /** Units that are a pixel wide. */
  #pixel = 1;

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
    this.#accent = style.getPropertyValue('--accent');
    this.#pixel = WIDTH / canvas.clientWidth;
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
    const bodies = look.peers.map(({ number, x, y, name, silence }) => ({
      ...{ number, x, y, time, name },
      colour: colourOf(number),
      pale: silence > SILENT ? 0.35 : 1,
    }));
    const { x, y } = look;
    bodies.push({ number: OWN, x, y, time, name: 'you', colour: this.#accent, pale: 1 });
    for (const body of bodies) this.#trail(body);
    for (const body of bodies) this.#body(body);
    for (const body of bodies) this.#label(body);
    for (const number of this.#trails.keys())
      if (!bodies.some((body) => body.number === number)) this.#trails.delete(number);
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

  get #radius() {
    return Math.max(RADIUS, LEAST_RADIUS * this.#pixel);
  }

  /** @param {Body} body */
  #body({ number, x, y, colour, pale }) {
    const { context } = this;
    const radius = this.#radius;
    context.globalAlpha = pale;
    context.strokeStyle = context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    if (number !== OWN) return;
    context.lineWidth = radius / 4;
    context.beginPath();
    context.arc(x, y, radius * 1.5, 0, 2 * Math.PI);
    context.stroke();
  }

  /** Under the body, or over it where there is no room. @param {Body} body */
  #label({ x, y, name, pale }) {
    const { context } = this;
    const size = LABEL * this.#pixel;
    const distance = this.#radius * 1.5 + size / 3;
    const isUnder = y + distance + size < HEIGHT;
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = isUnder ? 'top' : 'bottom';
    const half = context.measureText(name).width / 2 + size / 4;
    const middle = Math.min(Math.max(x, half), WIDTH - half);
    const at = isUnder ? y + distance : y - distance;
    context.globalAlpha = pale;
    context.lineJoin = 'round';
    context.lineWidth = size / 4;
    context.strokeStyle = this.#ground;
    context.strokeText(name, middle, at);
    context.fillStyle = this.#text;
    context.fillText(name, middle, at);
  }

  /** Where it was, as a ribbon that begins with nothing. @param {Body} body */
  #trail({ number, x, y, time, colour, pale }) {
    const { context } = this;
    const before = this.#trails.get(number) ?? [];
    const last = before.at(-1);
    const leapt = last && Math.hypot(x - last.x, y - last.y) > LEAP;
    const trail = leapt ? [] : before.filter((point) => time - point.time < TRAIL);
    if (!last || leapt || x !== last.x || y !== last.y) trail.push({ x, y, time });
    this.#trails.set(number, trail);
    const sides = trail.map((point, i) => {
      const next = trail[Math.min(i + 1, trail.length - 1)];
      const previous = trail[Math.max(i - 1, 0)];
      const [dx, dy] = [next.x - previous.x, next.y - previous.y];
      const half =
        (this.#radius * 0.8 * (1 - (time - point.time) / TRAIL)) / (Math.hypot(dx, dy) || 1);
      return { point, across: { x: -dy * half, y: dx * half } };
    });
    context.globalAlpha = 0.35 * pale;
    context.fillStyle = colour;
    context.beginPath();
    for (const { point, across } of sides) context.lineTo(point.x + across.x, point.y + across.y);
    for (const { point, across } of sides.reverse())
      context.lineTo(point.x - across.x, point.y - across.y);
    context.fill();
  }
}
