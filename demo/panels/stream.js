/** The panel of streams: stream.c over a WebSocket with Towline framing, to a peer that does what it is told. */
import { load } from '../../js/index.js';
import { traced } from '../../js/trace/index.js';
import {
  button,
  choice,
  explain,
  field,
  make,
  number,
  sayStatus,
  statusLine,
} from '../page/dom.js';
import { Workbench } from '../views/workbench.js';

/** @typedef {import('../../js/index.js').Module} Module */
/** @typedef {import('../../js/trace/index.js').WatchedConnection} WatchedConnection */

export const id = 'stream';
export const title = 'Stream';
export const about =
  'A protocol in C sends through a WebSocket, and its transport tells it when to pause and when to go on. ' +
  'Make the peer slow, send a burst, and see pause_writing and resume_writing come exactly at the marks.';

const MEGABYTE = 1 << 20;
/** How often the module's memory is looked at. */
const LOOK = 250;

/** What the page asks of stream.c, and of its peer. */
class Stream {
  /** @type {Module | undefined} */
  #module;
  /** @type {WatchedConnection | undefined} */
  #connection;
  #name = '';

  /** @param {Workbench} bench @param {(state: string, text: string) => void} say */
  constructor(bench, say) {
    this.recording = bench.recording;
    this.say = say;
    setInterval(() => this.#look(), LOOK);
  }

  get isOpen() {
    return (this.#connection?.transport ?? 0) !== 0;
  }

  async #load() {
    this.#module ??= await traced(load, {
      ...this.recording.listener,
      onconnection: (connection) => {
        this.#connection = connection;
      },
    })(new URL('../../build/wasi/stream.wasm', import.meta.url));
    return this.#module;
  }

  async connect() {
    this.#name = crypto.randomUUID();
    this.say('busy', 'Connecting');
    try {
      const module = await this.#load();
      this.recording.clear();
      const { transport } = await module.connect(
        `${location.origin.replace(/^http/, 'ws')}/stream/${this.#name}`,
        {
          protocol: 'stream_new',
          framing: 'demanded',
        },
      );
      this.say('open', 'Connected');
      this.#look();
      const error = await transport.closed;
      this.say(error ? 'failed' : 'idle', error ? `Lost: ${explain(error)}` : 'Closed');
    } catch (error) {
      this.say('failed', explain(error));
    }
  }

  /** Calls a function of stream.c. @param {string} text what is asked, in words @param {string} name @param {...number} values */
  ask(text, name, ...values) {
    if (!this.isOpen || !this.#module || !this.#connection) return;
    this.recording.asked(text, name);
    this.#module.call(name, this.#connection.protocol, ...values);
    this.#look();
  }

  /** @param {object} orders as demo/server/peer.js has them */
  async order(orders) {
    if (!this.isOpen) return;
    try {
      const response = await fetch(`/stream/${this.#name}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(orders),
      });
      if (!response.ok) throw new Error((await response.json()).error);
    } catch (error) {
      if (this.isOpen) this.say('open', `The peer was not told: ${explain(error)}`);
    }
  }

  /** What no call tells. */
  #look() {
    const limits = this.#connection?.writeBufferLimits;
    const level = this.#connection?.writeBufferSize;
    if (!this.isOpen || !limits || level === undefined) return;
    this.recording.limits = limits;
    this.recording.sample('level', level);
    this.recording.sample('memory', this.#module?.exports.memory.buffer.byteLength);
  }
}

/** A number, as it is in the field: what is not allowed there is told by the field. @param {HTMLInputElement} input */
const chosen = (input) => (input.reportValidity() ? input.valueAsNumber : undefined);

/** @param {Record<string, string | number>} attributes */
const numeric = (attributes) => make('input', { type: 'number', required: true, ...attributes });

/** @type {import('../page/panels.js').Panel['mount']} */
export function mount(element) {
  const bench = new Workbench({
    panel: id,
    calls: ['CM', 'GB', 'BU', 'PW', 'RW', 'ER', 'CL'],
    source: ['stream.c'],
    gauge: true,
    charts: ['level', 'throughput', 'memory'],
  });
  const status = statusLine('Not connected');
  const stream = new Stream(bench, (state, text) => {
    sayStatus(status, state, text);
    update();
  });
  bench.controls.append(controls(stream, status));
  const connect = /** @type {HTMLButtonElement} */ (bench.controls.querySelector('.primary'));
  const needing = /** @type {NodeListOf<HTMLFieldSetElement>} */ (
    bench.controls.querySelectorAll('fieldset[data-open]')
  );
  function update() {
    const isOpen = status.dataset.state === 'open';
    connect.disabled = isOpen || status.dataset.state === 'busy';
    for (const fieldset of needing) fieldset.disabled = !isOpen;
    if (!isOpen)
      for (const pressed of bench.controls.querySelectorAll('[aria-pressed]'))
        pressed.setAttribute('aria-pressed', 'false');
    if (!isOpen) for (const select of bench.controls.querySelectorAll('select')) select.value = '0';
  }
  update();
  bench.mount(element);
  stream.connect();
}

/** @param {Stream} stream @param {HTMLElement} status */
function controls(stream, status) {
  const size = numeric({ value: 4, min: 1, max: 256 });
  const send = numeric({ value: 4, min: 1, max: 256 });
  const high = numeric({ value: 65536, min: 0, max: 16 * MEGABYTE, step: 1 });
  const low = numeric({ value: 16384, min: 0, max: 16 * MEGABYTE, step: 1 });
  const reads = speeds('The peer reads', (rate) => stream.order({ rate }));
  const slowly = speeds('This page reads', (rate) =>
    stream.ask(
      rate ? `read ${number(rate / 1024)} KB a second` : 'read as it comes',
      'stream_read_slowly',
      rate,
    ),
  );
  const hold = button(
    'Pause reading',
    () => {
      const isHeld = hold.getAttribute('aria-pressed') !== 'true';
      hold.setAttribute('aria-pressed', String(isHeld));
      stream.ask(isHeld ? 'pause reading' : 'resume reading', 'stream_hold', Number(isHeld));
    },
    { 'aria-pressed': 'false' },
  );

  const burst = () => {
    const megabytes = chosen(size);
    if (megabytes) stream.ask(`burst of ${megabytes} MB`, 'stream_burst', megabytes * MEGABYTE);
  };
  const come = () => {
    const megabytes = chosen(send);
    if (megabytes) stream.order({ send: megabytes * MEGABYTE });
  };
  const setMarks = () => {
    const marks = [chosen(high), chosen(low)];
    if (marks[0] === undefined || marks[1] === undefined) return;
    low.setCustomValidity(marks[1] > marks[0] ? 'The low mark is not above the high one.' : '');
    if (low.reportValidity())
      stream.ask(
        `marks ${number(marks[0])} and ${number(marks[1])}`,
        'stream_set_marks',
        marks[0],
        marks[1],
      );
  };
  low.addEventListener('input', () => low.setCustomValidity(''));

  /** @param {string} legend @param {...Node} children */
  const group = (legend, ...children) =>
    make('fieldset', { 'data-open': '' }, make('legend', {}, legend), ...children);
  return make(
    'div',
    { class: 'card controls' },
    make(
      'fieldset',
      {},
      make('legend', {}, 'Connection'),
      status,
      make(
        'div',
        { class: 'row' },
        button('Connect', () => stream.connect(), { class: 'primary' }),
      ),
    ),
    group(
      'Write',
      make('div', { class: 'row' }, field('Megabytes', size), button('Burst', burst)),
      reads,
    ),
    group(
      'Marks, in bytes',
      make(
        'div',
        { class: 'row' },
        field('High', high),
        field('Low', low),
        button('Set', setMarks),
      ),
    ),
    group(
      'Read',
      make('div', { class: 'row' }, field('Megabytes', send), button('Peer sends', come)),
      slowly,
      make('div', { class: 'row' }, hold),
    ),
    group(
      'End',
      make(
        'div',
        { class: 'row' },
        button('Half-close', () => stream.ask('half-close', 'stream_end')),
        button('Close', () => stream.ask('close', 'stream_close')),
        button('Abort', () => stream.ask('abort', 'stream_abort')),
        button('Server resets', () => stream.order({ reset: true })),
      ),
    ),
  );
}

/** @param {string} label @param {(rate: number) => void} set told bytes a second; 0: as fast as it goes */
function speeds(label, set) {
  const select = choice(
    [
      [0, 'as fast as it comes'],
      [1024, '1 MB a second'],
      [256, '256 KB a second'],
      [64, '64 KB a second'],
      [16, '16 KB a second'],
    ],
    (rate) => set(Number(rate) * 1024),
  );
  return field(label, select);
}
