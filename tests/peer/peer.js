/**
 * The other end of a scenario: plays its `peer_steps` on a real socket or WebSocket. It knows nothing of Towline, and
 * waits for events only (but for the scenario's own sleeps).
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pattern } from '../traces/format.js';

/**
 * @typedef {import('../traces/format.js').Line} Line
 * @typedef {import('../traces/format.js').Scenario} Scenario
 * @typedef {import('./doors.js').Door} Door
 * @typedef {import('./doors.js').OpenDoor} OpenDoor
 * @typedef {import('./trace.js').Trace} Trace
 * @typedef {import('./wires.js').Wire} Wire
 */

const PATIENCE = 20_000;

/** A child, or a connection that never comes to be, leaves the peer nothing to do. @param {Scenario} scenario */
const isAlone = ({ kind, refuse, cancel, silent }) =>
  Boolean(kind === 'subprocess' || refuse || cancel || silent);

export class Peer {
  #steps;
  #trace;
  #door;
  #ending = new AbortController();
  #sent = 0;
  /** @type {Buffer[]} */
  #received = [];
  #hasBoundaries = false;
  /** Read, but beyond what a step asked for. */
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);
  /** What a read has found. @type {Wire['end']} */
  #end = 'open';
  /** @type {Wire | undefined} */
  #wire;
  /** @type {string | undefined} */
  #error;

  /**
   * @param {Scenario} scenario
   * @param {Trace} trace
   * @param {Door} door
   * @param {AbortController} ending
   */
  constructor(scenario, trace, door, ending) {
    /** @type {Line[]} */
    this.#steps = scenario.peer_steps ?? [];
    this.#trace = trace;
    this.#door = door;
    this.#ending = ending;
    this.spec = door.spec;
    this.isAlone = isAlone(scenario);
  }

  /**
   * @param {Scenario} scenario
   * @param {OpenDoor} open
   * @param {Trace} trace
   */
  static async open(scenario, open, trace) {
    const ending = new AbortController();
    const door = await open(trace, ending.signal);
    if (scenario.refuse) await door.refuse?.();
    if (scenario.silent) door.ignore?.();
    return new Peer(scenario, trace, door, ending);
  }

  /** Plays all steps; never rejects: what went wrong is in the report. */
  async play() {
    if (this.isAlone) return;
    const timer = setTimeout(() => this.#ending.abort(), PATIENCE);
    try {
      await Promise.race([this.#playAll(), once(this.#ending.signal, 'abort')]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #playAll() {
    try {
      const wire = await this.#door.wire();
      this.#wire = wire;
      this.#hasBoundaries = wire.hasBoundaries ?? false;
      for (const step of this.#steps) await this.#play(wire, step);
    } catch (error) {
      this.#error = String(error);
    }
  }

  /**
   * @param {Wire} wire
   * @param {Line} step
   */
  async #play(wire, step) {
    const { signal } = this.#ending;
    switch (step.peer) {
      case 'send':
        return wire.send(this.#payload(step));
      case 'recv':
        return wire.hasBoundaries ? this.#receiveOne(wire) : this.#receive(wire, step.n);
      case 'recv_eof':
        return this.#receive(wire, Infinity, step.slow_ms);
      case 'shutdown':
        return wire.shutdown();
      case 'close':
        return wire.close();
      case 'reset':
        return wire.reset();
      case 'cut':
        if (!wire.cut) throw new Error('there are no frames to be cut off from');
        return wire.cut();
      case 'sleep':
        return sleep(step.ms, undefined, { signal });
      case 'wait_mark':
        await this.#trace.find((line) => line.op === 'mark' && line.label === step.label, signal);
        return;
      case 'wait_cb':
        await this.#trace.find((line) => line.cb === step.cb, signal);
        return;
      default:
        throw new Error(`no such step: ${step.peer}`);
    }
  }

  /** @param {Line} step */
  #payload(step) {
    if ('text' in step) return Buffer.from(step.text);
    const bytes = pattern(this.#sent, step.n);
    this.#sent += step.n;
    return bytes;
  }

  /**
   * @param {Wire} wire
   * @param {number} size
   * @param {number} [pause] milliseconds between two reads
   */
  async #receive(wire, size, pause) {
    for (let left = size; left > 0; ) {
      const chunk = this.#rest.length ? this.#rest : await wire.read();
      if (!chunk) {
        this.#end = wire.end;
        return;
      }
      const taken = chunk.subarray(0, left);
      this.#rest = chunk.subarray(taken.length);
      this.#received.push(taken);
      left -= taken.length;
      if (pause) await sleep(pause);
    }
  }

  /** @param {Wire} wire */
  async #receiveOne(wire) {
    const datagram = await wire.read();
    if (datagram) this.#received.push(datagram);
  }

  /**
   * What the peer has seen.
   * @returns {Line[]}
   */
  report() {
    if (this.isAlone) return [];
    const hex = Buffer.concat(this.#received).toString('hex');
    /** @type {Line[]} */
    const lines = this.#hasBoundaries
      ? this.#received.map((datagram) => ({ peer: 'datagram', hex: datagram.toString('hex') }))
      : [{ peer: 'report', hex, end: this.#end }];
    const error = this.#wire?.wrong ?? this.#error;
    if (error) lines.push({ peer: 'error', msg: error });
    return lines;
  }

  async close() {
    this.#ending.abort();
    await this.#door.close();
  }
}
