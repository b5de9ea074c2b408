/** Two programs, the output of one the input of the other. */
import {
  button,
  choice,
  explain,
  field,
  make,
  milliseconds,
  sayStatus,
  shortBytes,
  statusLine,
} from '../../page/dom.js';
import { Workbench } from '../../views/workbench.js';
import { Lanes } from './lanes.js';
import { listed, parse, files as scripts } from './programs.js';
import { ending, listenerOf, Shell } from './shell.js';

/** @typedef {import('../../../js/trace/watch.js').TraceOptions} TraceOptions */
/** @typedef {import('./shell.js').Program} Program */

const SIGKILL = 9;
/** How many of the last bytes that came out are shown. */
const TAIL = 1024;
/** Bytes a second that the page reads of what comes out, the first one from the start; 0: as they come. */
const SPEEDS = /** @type {const} */ ([
  [1 << 20, '1 MB a second'],
  [1 << 18, '256 KB a second'],
  [1 << 16, '64 KB a second'],
  [0, 'as fast as it comes'],
]);

const decoder = new TextDecoder();

class Pipeline {
  /** The one that reads, then the one that writes: by where they stand, from 1. @type {Map<number, number>} */
  #positions = new Map();
  /** @type {Program[]} */
  #programs = [];
  /** What the next one that is started is. */
  #position = 0;
  /** @type {number} */
  #rate = SPEEDS[0][0];
  /** How they ended, by where they stand. @type {string[]} */
  #endings = [];
  #tail = '';

  /** @param {Workbench} bench @param {string[]} names @param {(state: string, text: string) => void} say */
  constructor(bench, names, say) {
    this.recording = bench.recording;
    this.say = say;
    this.shell = new Shell(this.#listener, names);
    this.output = make('pre', { tabindex: 0, 'aria-label': 'The last lines that came out' });
    bench.recording.onframe(() => {
      if (this.output.textContent !== this.#tail) this.output.textContent = this.#tail;
    });
  }

  /** The first program has no input: the write buffer that is seen is the second one's. @type {TraceOptions} */
  get #listener() {
    const listener = listenerOf(this.recording);
    const place = (/** @type {number} */ connection) => {
      if (!this.#positions.has(connection)) this.#positions.set(connection, this.#position);
      return this.#positions.get(connection) ?? 0;
    };
    return {
      ...listener,
      oncall: (call) => {
        call.connection = place(call.connection);
        if (call.connection === 1) call.level = undefined;
        if (call.connection === 1 && call.fd === 1 && call.size)
          this.recording.sample('sent', call.size);
        listener.oncall?.(call);
      },
      onreturn: (call) => {
        if (call.connection === 1) call.levelAfter = undefined;
        if (call.name === 'PX') Object.assign(call, { text: this.#endings[call.connection] });
        listener.onreturn?.(call);
      },
      onfact: (fact) => {
        if (place(fact.connection.number) === 2) listener.onfact?.(fact);
      },
    };
  }

  get isOpen() {
    return this.#programs.some(({ isOpen }) => isOpen);
  }

  /** @param {string} text */
  async start(text) {
    const [first, second] = parse(text);
    this.say('busy', `Starting ${text}`);
    this.recording.clear();
    this.#positions.clear();
    this.#programs = [];
    this.#endings = [];
    this.#tail = '';
    const began = performance.now();
    try {
      const reader = await this.#run(2, { ...second, onprint: this.#print });
      this.recording.limits = reader.connection.writeBufferLimits;
      reader.readSlowly(this.#rate);
      const writer = await this.#run(
        1,
        { ...first, hasInput: false, onprint: this.#print },
        reader,
      );
      this.say('open', `${text} runs.`);
      await Promise.all([reader.closed, writer.closed]);
      const [, ...how] = this.#endings;
      const time = milliseconds(performance.now() - began);
      this.say('idle', `${first.program}: ${how[0]}; ${second.program}: ${how[1]}; after ${time}.`);
    } catch (error) {
      this.stop();
      this.say('failed', explain(error));
    }
  }

  /** @param {number} position @param {import('./shell.js').Command} command @param {Program} [next] */
  async #run(position, command, next) {
    this.#position = position;
    const onexit = (/** @type {number} */ returncode) => {
      this.#endings[position] = ending(returncode);
    };
    const program = await this.shell.start({ files: scripts(), onexit, ...command }, next);
    this.#programs.push(program);
    return program;
  }

  /** @param {number} _fd @param {Uint8Array} bytes */
  #print = (_fd, bytes) => {
    const text = this.#tail + decoder.decode(bytes.subarray(-TAIL));
    this.#tail = text.slice(-TAIL).replace(/^(?:.*\n)*?(?=(?:.*\n){0,9}.*$)/, '');
  };

  /** @param {number} rate bytes a second; 0: as they come */
  read(rate) {
    this.#rate = rate;
    const [reader] = this.#programs;
    if (!reader?.isOpen) return;
    this.recording.asked(
      rate ? `read ${shortBytes(rate)} a second` : 'read as it comes',
      'shell_read_slowly',
    );
    reader.readSlowly(rate);
  }

  stop() {
    for (const program of this.#programs) {
      if (!program.isOpen) continue;
      this.recording.asked(`kill ${program.command.program}`, 'shell_signal');
      program.readSlowly(0); // what is in its pipe is still read
      program.signal(SIGKILL);
    }
  }
}

/**
 * @param {string} panel
 * @param {import('./programs.js').Choice[]} choices
 * @param {string[]} names of the programs that are there
 */
export function makePipeline(panel, choices, names) {
  const bench = new Workbench({
    panel,
    calls: ['CM', 'PD', 'PW', 'RW', 'PL', 'PX', 'CL'],
    source: ['shell.c'],
    gauge: true,
    charts: ['level', 'throughput'],
  });
  const status = statusLine('Nothing runs');
  const pipeline = new Pipeline(bench, names, (state, text) => {
    sayStatus(status, state, text);
    update();
  });
  const lanes = new Lanes(bench.recording);
  bench.views.push(lanes);
  bench.addStage(
    lanes.element,
    make(
      'section',
      { class: 'card output', 'aria-label': 'What comes out' },
      make('div', { class: 'title' }, make('h2', {}, 'What comes out')),
      pipeline.output,
    ),
  );
  const select = choice(listed(choices), () => name());
  const run = button(
    'Run',
    () => {
      name();
      pipeline.start(select.value);
    },
    { class: 'primary' },
  );
  const stop = button('Stop', () => pipeline.stop());
  const speed = choice(SPEEDS, (rate) => pipeline.read(Number(rate)));
  bench.controls.append(
    make(
      'div',
      { class: 'card controls' },
      make(
        'fieldset',
        {},
        make('legend', {}, 'Pipeline'),
        status,
        field('Programs', select),
        make('div', { class: 'row' }, run, stop),
      ),
      make('fieldset', {}, make('legend', {}, 'Read'), field('This page reads', speed)),
    ),
  );
  const name = () =>
    lanes.name(
      parse(select.value).map(({ program, arguments: list = [] }) => [program, ...list].join(' ')),
    );
  function update() {
    const isBusy = status.dataset.state === 'busy' || status.dataset.state === 'open';
    run.disabled = select.disabled = isBusy;
    stop.disabled = !isBusy;
  }
  update();
  name();
  return { bench };
}
