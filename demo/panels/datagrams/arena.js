/** The arena on a canvas: everybody's boat with its wake, and the buoys. */
import { HEIGHT, WIDTH } from '../../netcode.js';
import { colour, onTheme } from '../../page/theme.js';
import { BUOYS, Course } from './course.js';

/** @typedef {import('../../netcode.js').Peer} Peer */
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
export const OWN = 0;

/** For how long a wake is seen, in milliseconds. */
const WAKE = 1100;
/** A leap over more than this is no way that somebody went. */
const LEAP = 40;
const GRID = 20;
/** Of a boat, in units, and at least in pixels; of a label, in pixels. */
const RADIUS = 2.2;
const LEAST_RADIUS = 8;
const LABEL = 12;
/** Who has been silent for longer is drawn pale. */
export const SILENT = 500;
/** So far one must go to turn, in units. */
const TURN = 0.4;

/** The colours that datagrams.css has. */
const COLOURS = 6;

/** Own is the page's accent. @param {number} number */
export const propertyOf = (number) =>
  number === OWN ? '--accent' : `--boat-${((number - 1) % COLOURS) + 1}`;

export class Arena {
  course = new Course();
  /** @type {Map<number, Point[]>} */
  #wakes = new Map();
  /** @type {Map<number, { x: number, y: number, angle: number }>} */
  #headings = new Map();
  /** @type {Map<string, string>} */
  #colours = new Map();
  /** Units that are a pixel wide. */
  #pixel = 1;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    new ResizeObserver(() => this.#fit()).observe(canvas);
    onTheme(() => this.#fit());
  }

  #fit() {
    const { canvas } = this;
    if (canvas.clientWidth === 0) return;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round((canvas.width * HEIGHT) / WIDTH);
    this.#colours.clear();
    this.#pixel = WIDTH / canvas.clientWidth;
    this.draw(null, 0);
  }

  /** @param {string} property */
  #colour(property) {
    const known = this.#colours.get(property) ?? colour(property);
    this.#colours.set(property, known);
    return known;
  }

  /** Where in the arena a pointer is. @param {MouseEvent} event */
  place({ offsetX, offsetY }) {
    const { clientWidth, clientHeight } = this.canvas;
    return { x: (offsetX / clientWidth) * WIDTH, y: (offsetY / clientHeight) * HEIGHT };
  }

  /** @param {Look | null} look @param {number} time */
  draw(look, time) {
    const { context, canvas, course } = this;
    const scale = canvas.width / WIDTH;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = this.#colour('--sea');
    context.fillRect(0, 0, WIDTH, HEIGHT);
    this.#grid();
    this.#buoys(look ? course.next(OWN) : -1);
    if (!look) return this.#wakes.clear();
    /** @type {Body[]} */
    const bodies = look.peers.map(({ number, x, y, name, silence }) => ({
      ...{ number, x, y, time, name },
      colour: this.#colour(propertyOf(number)),
      pale: silence > SILENT ? 0.35 : 1,
    }));
    const { x, y } = look;
    const own = this.#colour(propertyOf(OWN));
    bodies.push({ number: OWN, x, y, time, name: 'you', colour: own, pale: 1 });
    for (const { number, x, y } of bodies) course.see(number, x, y);
    for (const body of bodies) this.#wake(body);
    for (const body of bodies) this.#boat(body);
    for (const body of bodies) this.#label(body);
    for (const number of this.#wakes.keys())
      if (!bodies.some((body) => body.number === number)) this.#wakes.delete(number);
  }

  #grid() {
    const { context } = this;
    context.strokeStyle = this.#colour('--sea-line');
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

  /** @param {number} next the one that is to be rounded */
  #buoys(next) {
    const { context } = this;
    const radius = this.#radius * 0.95;
    context.font = `700 ${(LABEL - 1) * this.#pixel}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (const [index, { x, y }] of BUOYS.entries()) {
      const isNext = index === next;
      context.strokeStyle = this.#colour(isNext ? '--flow' : '--muted');
      context.fillStyle = this.#colour(isNext ? '--flow' : '--sea');
      context.lineWidth = radius / 5;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
      context.fillStyle = this.#colour(isNext ? '--sea' : '--muted');
      context.fillText(String(index + 1), x, y + radius * 0.08);
    }
  }

  /** Where it is headed: where it went last. @param {Body} body */
  #angle({ number, x, y }) {
    const last = this.#headings.get(number);
    if (!last) {
      this.#headings.set(number, { x, y, angle: 0 });
      return 0;
    }
    if (Math.hypot(x - last.x, y - last.y) > TURN)
      Object.assign(last, { angle: Math.atan2(y - last.y, x - last.x), x, y });
    return last.angle;
  }

  /** A hull, its bow ahead. @param {Body} body */
  #boat(body) {
    const { context } = this;
    const { number, x, y, colour, pale } = body;
    const radius = this.#radius;
    context.save();
    context.translate(x, y);
    context.rotate(this.#angle(body));
    context.scale(radius, radius);
    context.globalAlpha = pale;
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(1.7, 0);
    context.quadraticCurveTo(0.8, 0.85, -0.4, 0.8);
    context.lineTo(-1.3, 0.6);
    context.lineTo(-1.3, -0.6);
    context.lineTo(-0.4, -0.8);
    context.quadraticCurveTo(0.8, -0.85, 1.7, 0);
    context.fill();
    context.fillStyle = this.#colour('--sea');
    if (number === OWN) context.fillRect(-0.8, -0.32, 0.9, 0.64);
    else {
      context.beginPath();
      context.arc(-0.35, 0, 0.34, 0, 2 * Math.PI);
      context.fill();
    }
    context.restore();
  }

  /** Under the boat, or over it where there is no room. @param {Body} body */
  #label({ x, y, name, pale }) {
    const { context } = this;
    const size = LABEL * this.#pixel;
    const distance = this.#radius * 1.6 + size / 3;
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
    context.strokeStyle = this.#colour('--sea');
    context.strokeText(name, middle, at);
    context.fillStyle = this.#colour('--text');
    context.fillText(name, middle, at);
  }

  /** Where it was, as a ribbon that begins with nothing. @param {Body} body */
  #wake({ number, x, y, time, colour, pale }) {
    const { context } = this;
    const before = this.#wakes.get(number) ?? [];
    const last = before.at(-1);
    const leapt = last && Math.hypot(x - last.x, y - last.y) > LEAP;
    const wake = leapt ? [] : before.filter((point) => time - point.time < WAKE);
    if (!last || leapt || x !== last.x || y !== last.y) wake.push({ x, y, time });
    this.#wakes.set(number, wake);
    const sides = wake.map((point, i) => {
      const next = wake[Math.min(i + 1, wake.length - 1)];
      const previous = wake[Math.max(i - 1, 0)];
      const [dx, dy] = [next.x - previous.x, next.y - previous.y];
      const half =
        (this.#radius * 0.7 * (1 - (time - point.time) / WAKE)) / (Math.hypot(dx, dy) || 1);
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
