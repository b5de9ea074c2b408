/**
 * The recorder with its protocols written in JavaScript: what tests/recorder does in C, over the classes of js/protocols.
 * In Node or in a browser.
 */
import { errorName, snake } from './lines.js';
import { Ops } from './ops.js';
import { protocolsOf } from './protocols.js';

/**
 * @typedef {import('../traces/format.js').Line} Line
 * @typedef {import('../traces/format.js').Scenario} Scenario
 * @typedef {import('../../js/protocols/loop.js').BaseLoop} Loop
 */

const LONGEST_WAIT = 10_000;

/** What would be overtaken by these is what the host holds back until the callback returns [W7]. */
const overtaking = new Set(['abort', 'send_signal', 'terminate', 'kill']);
const writing = new Set(['write', 'writelines', 'write_until_paused', 'pipe_write']);

export class Recorder {
  /** The one that connection_made gave. @type {any} */
  transport = undefined;
  isPaused = false;
  hasEnded = false;
  /** Whom datagrams are for. */
  peer = '';
  /** An address that is not theirs. */
  other = '127.0.0.1:9';
  ops = new Ops(this);
  /** @type {Record<string, number>} */
  #calls = {};
  #bytes = 0;
  /** @type {Set<string>} */
  #marks = new Set();
  #next = 0;
  #isWaiting = false;
  /** @type {{cancel(): void} | undefined} */
  #alarm;
  /** @type {() => void} */
  #end = () => {};
  /** When the steps are done. @type {Promise<void>} */
  ended = new Promise((resolve) => {
    this.#end = resolve;
  });

  /** @param {Loop} loop @param {Scenario} scenario @param {(line: Line) => void} print */
  constructor(loop, scenario, print) {
    this.loop = loop;
    this.scenario = scenario;
    this.protocols = protocolsOf(this, scenario);
    this.print = (/** @type {Line} */ line) => {
      if (!this.hasEnded) print(line);
    };
    loop.onerror = (_error, { callback = '' }) =>
      this.print({ loop: 'exception', callback: snake(callback) });
    loop.onlog = (level, message) => level > 0 && this.print({ loop: 'warning', message });
  }

  /** @param {string} label */
  mark(label) {
    this.print({ op: 'mark', label });
    this.#marks.add(label);
    this.#notice();
  }

  /** A callback was called. @param {string} name @param {number} size */
  count(name, size) {
    this.#calls[name] = (this.#calls[name] ?? 0) + 1;
    this.#bytes += size;
    this.#notice();
  }

  /** @param {Error} error nothing could be opened */
  refuse(error) {
    this.print({ op: 'connect', raised: errorName(error) });
    this.end();
  }

  end() {
    this.hasEnded = true;
    this.#end();
  }

  abort() {
    this.hasEnded = true;
    this.#alarm?.cancel();
    this.ops.cancelLaters();
    this.transport?.abort();
  }

  // ---- The steps: nothing blocks, one that waits is taken up again when a callback has brought what it waits for ----

  /** As tests/recorder/internal.h has it. */
  begin() {
    const isChild = this.scenario.kind === 'subprocess';
    if (isChild || this.ops.areScheduled || this.transport.isClosing()) this.#soon();
    else this.#advance();
  }

  #soon() {
    this.loop.callSoon(() => this.#advance());
  }

  /** @param {Line} step */
  #isMet({ env, cb, count = 1, n, label }) {
    if (env === 'wait') return (this.#calls[cb] ?? 0) >= count;
    if (env === 'wait_bytes') return this.#bytes >= n;
    if (env === 'wait_mark') return this.#marks.has(label);
    return true;
  }

  #advance() {
    const { steps } = this.scenario;
    let hasWritten = false;
    for (; !this.hasEnded && this.#next < steps.length; this.#next++) {
      const step = steps[this.#next];
      const sleeps = step.env === 'sleep';
      if (sleeps || !this.#isMet(step)) {
        this.#isWaiting = true;
        this.#alarm = this.loop.callLater(sleeps ? step.ms : LONGEST_WAIT, () => this.#wake());
        return;
      }
      if (hasWritten && overtaking.has(step.proto)) return this.#soon();
      hasWritten ||= writing.has(step.proto);
      if (step.proto) this.ops.run(step);
    }
    if (!this.hasEnded) this.end();
  }

  /** The end of a sleep, or of patience. */
  #wake() {
    const step = this.scenario.steps[this.#next];
    this.#isWaiting = false;
    if (step.env === 'sleep') {
      this.#next++;
      this.#advance();
    } else {
      this.print({ env: 'timeout', step: this.#next, waiting: step.cb ?? step.env });
      this.end();
    }
  }

  #notice() {
    if (!this.#isWaiting || this.hasEnded) return;
    const step = this.scenario.steps[this.#next];
    if (step.env === 'sleep' || !this.#isMet(step)) return;
    this.#isWaiting = false;
    this.#alarm?.cancel();
    this.#soon();
  }
}
