/** Random scenarios of drive "mem" (tests/traces/README.md). A seed makes one. */
import { Random } from './random.js';

/**
 * @typedef {import('../traces/format.js').Scenario} Scenario
 * @typedef {Record<string, any>} Step
 */

const COMMON = { connection_made: 1, connection_lost: 1, pause_writing: 2, resume_writing: 2 };
/** Which callbacks do something, how often. @type {Record<string, Record<string, number>>} */
const CALLBACKS = {
  stream: { ...COMMON, data_received: 3, eof_received: 1 },
  buffered: { ...COMMON, get_buffer: 3, buffer_updated: 3, eof_received: 1 },
  datagram: { ...COMMON, datagram_received: 3, error_received: 3 },
  feed: { get_buffer: 1, buffer_updated: 1 },
};

const ANY = { close: 1, abort: 0.6, is_closing: 1, mark: 1, call_soon: 1 };
const FLOW = {
  get_write_buffer_size: 2,
  get_write_buffer_limits: 1,
  set_write_buffer_limits: 2,
};
const STREAM = {
  ...ANY,
  ...FLOW,
  write: 8,
  writelines: 2,
  write_until_paused: 1,
  write_eof: 0.5,
  pause_reading: 1.5,
  resume_reading: 2.5,
  is_reading: 1,
  can_write_eof: 0.3,
};
/** What a protocol does, how often. @type {Record<string, Record<string, number>>} */
const OPERATIONS = {
  stream: STREAM,
  buffered: STREAM,
  datagram: { ...ANY, ...FLOW, sendto: 10 },
  feed: { mark: 1 },
};

const STREAM_PEER = { send: 8, accept: 5, eof: 0.6, error: 0.5, send_error: 0.6, report: 0.5 };
/** @type {Record<string, Record<string, number>>} */
const PEER = {
  stream: STREAM_PEER,
  buffered: STREAM_PEER,
  datagram: { send: 8, accept: 6, error: 1.5, send_error: 3, report: 0.5 },
};

class Maker {
  /** @param {number} seed @param {string} kind */
  constructor(seed, kind) {
    this.random = new Random(seed);
    this.kind = kind;
    this.isLarge = this.random.chance(0.05);
    this.hasSecond = kind !== 'feed' && this.random.chance(0.35);
    /** How often endings come: in a long scenario the rest should have its turn. */
    this.gentle = this.random.chance(0.7);
    this.bound = kind === 'datagram' && this.random.chance(0.3);
  }

  size() {
    const { random } = this;
    if (this.isLarge && random.chance(0.05)) return random.pick([65536, 70000, 262144, 300000]);
    if (random.chance(0.5)) return random.integer(0, 12);
    return random.pick([1, 50, 100, 101, 1000, 4096]);
  }

  payload() {
    const { random } = this;
    return random.chance(0.07)
      ? { text: random.pick(['', 'hi', 'h\u00e9llo\n"', 'x'.repeat(40)]) }
      : { n: this.size() };
  }

  /** @param {boolean} inside a callback @returns {Step} */
  operation(inside) {
    const { random, kind } = this;
    const gentler = this.gentle ? { close: 0.1, abort: 0.06, write_eof: 0.1 } : {};
    const known = OPERATIONS[kind];
    const weights = { ...known };
    for (const [name, weight] of Object.entries(gentler)) if (known[name]) weights[name] = weight;
    if (inside) weights.raise = this.gentle ? 0.2 : 1;
    if (this.hasSecond) weights.set_protocol = 2;
    const name = random.weighted(weights);
    return { proto: name, ...this.argumentsOf(name) };
  }

  /** @param {string} name @returns {Step} */
  argumentsOf(name) {
    const { random } = this;
    switch (name) {
      case 'write':
        return this.payload();
      case 'writelines':
        return { ns: random.list(random.integer(0, 4), () => this.size()) };
      case 'write_until_paused':
        return { chunk: random.pick([1, 7, 100]), max: random.pick([100, 1000]) };
      case 'set_write_buffer_limits':
        return {
          ...(random.chance(0.8) && { high: random.pick([0, 1, 5, 10, 20, 100, 1000, -1]) }),
          ...(random.chance(0.4) && { low: random.pick([0, 1, 2, 10, 50, -3]) }),
        };
      case 'mark':
      case 'call_soon':
        return { label: random.pick(['a', 'b', 'c']) };
      case 'set_protocol':
        return { to: random.pick([1, 2, 2]) };
      case 'sendto':
        return { n: this.size(), ...this.address() };
      default:
        return {};
    }
  }

  /** Mostly a good one. @returns {Step} */
  address() {
    const { random } = this;
    if (random.chance(0.05)) return random.pick([{}, { addr: 'other' }, { addr: 'peer' }]);
    return this.bound || random.chance(0.3) ? { addr: 'peer' } : {};
  }

  /** @param {string} kind */
  protocol(kind) {
    const { random } = this;
    /** @type {Record<string, any>} */
    const made = {};
    if (kind !== 'datagram' && random.chance(0.7))
      made.eof_returns = random.pick([true, true, true, false, null]);
    if (kind === 'buffered' || kind === 'feed')
      made.buffer_sizes = random.list(random.integer(1, 5), () =>
        random.chance(0.02)
          ? 0
          : random.pick(this.isLarge ? [1000, 4096, 70000] : [1, 2, 4, 7, 10, 64, 1000, 70000]),
      );
    /** @type {Record<string, Step[]>} */
    const on = {};
    const most = random.pick([0, 1, 2, 4, 8, 16]);
    for (let i = 0; i < most; i++) {
      const callback = random.weighted(CALLBACKS[kind]);
      const nth = random.pick([1, 1, 2, 3, 4, random.integer(1, 20)]);
      on[random.chance(0.2) ? callback : `${callback}#${nth}`] = random.list(
        random.integer(1, 3),
        () => this.operation(true),
      );
    }
    return Object.keys(on).length ? { ...made, on } : made;
  }

  /** @returns {Step} */
  peer() {
    const { random } = this;
    const weights = { ...PEER[this.kind] };
    if (this.gentle && this.kind !== 'datagram')
      Object.assign(weights, { eof: 0.05, error: 0.03, send_error: 0.05 });
    const name = random.weighted(weights);
    switch (name) {
      case 'send':
        return { peer: name, ...this.payload() };
      case 'accept':
        return {
          peer: name,
          n: random.chance(0.05) ? -1 : random.pick([0, 1, 2, 5, 10, 50, 1000]),
        };
      case 'error':
        return { peer: name, errno: random.pick(['ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH']) };
      case 'send_error':
        return { peer: name, errno: random.pick(['EPIPE', 'ECONNRESET', 'ENOBUFS', null, null]) };
      default:
        return { peer: name };
    }
  }

  /** @returns {Step} */
  step() {
    const at = this.random.next();
    return at < 0.35 ? { env: 'run' } : at < 0.6 ? this.peer() : this.operation(false);
  }
}

/** How often each kind comes. */
const KINDS = { stream: 10, buffered: 10, datagram: 6, feed: 1 };
export const kinds = Object.keys(KINDS);

/**
 * @param {number} seed
 * @param {string[]} [of] only of these kinds
 * @returns {Scenario}
 */
export function scenarioOf(seed, of = kinds) {
  const weights = Object.fromEntries(Object.entries(KINDS).filter(([kind]) => of.includes(kind)));
  const random = new Random(seed ^ 0x70776f74);
  const kind = random.weighted(weights);
  const maker = new Maker(seed, kind);
  /** @type {Scenario} */
  const scenario = { name: `random-${seed}`, kind, drive: 'mem', about: `seed ${seed}` };
  scenario.proto = maker.protocol(kind);
  if (maker.hasSecond) {
    const second = kind === 'datagram' ? kind : random.pick(['stream', 'buffered']);
    scenario.proto2 = { ...maker.protocol(second), kind: second };
  }
  if (kind === 'feed') return { ...scenario, data_len: maker.size(), steps: [] };
  if (maker.bound) scenario.transport = 'udp-bound';
  if (random.chance(0.8))
    scenario.send_capacity = random.pick(
      kind === 'datagram' ? [0, 1, 3] : [0, 0, 1, 10, 100, 1000],
    );
  if (random.chance(0.2)) scenario.pre = random.list(random.integer(1, 3), () => maker.peer());
  const count = random.pick([5, 10, 30, 100, 200, 300]);
  scenario.steps = random.list(count, () => maker.step());
  return scenario;
}
