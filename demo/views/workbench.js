/**
 * What the panels have in common: the controls of a panel, the views of what is seen, and the source beside them. It shows
 * what is recorded now, or a trace that was opened.
 */
import { button, explain, make } from '../page/dom.js';
import { Chart } from './chart.js';
import { Gauge } from './gauge.js';
import { Inspector } from './inspector.js';
import { Recording } from './recording.js';
import { Sequence } from './sequence.js';
import { Source } from './source.js';
import { fromText, LARGEST, toText } from './trace-file.js';

/** @typedef {import('./chart.js').ChartOptions} ChartOptions */
/** @typedef {{show: (recording: Recording) => void, draw: () => void, element: HTMLElement}} View */

/** Charts that panels may have. @type {Record<string, ChartOptions>} */
const CHARTS = {
  level: {
    title: 'Level',
    marks: true,
    lines: [{ figure: 'level', label: 'write buffer', colour: '--data', isStepped: true }],
  },
  throughput: {
    title: 'Throughput, a second',
    lines: [
      { figure: 'sent', label: 'sent', colour: '--life' },
      { figure: 'received', label: 'received', colour: '--data' },
    ],
  },
  memory: {
    title: 'Memory of the module',
    lines: [{ figure: 'memory', label: 'in all', colour: '--end', isStepped: true }],
  },
  roundTrip: {
    title: 'Round trip',
    format: (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`,
    lines: [{ figure: 'roundTrip', label: 'measured', colour: '--data' }],
  },
  loss: {
    title: 'Loss',
    format: (value) => `${value.toFixed(value < 10 ? 1 : 0)} %`,
    lines: [{ figure: 'loss', label: 'of packets', colour: '--bad' }],
  },
};

/**
 * @typedef {object} WorkbenchOptions
 * @property {string} panel its id, for the names of files
 * @property {string[]} calls those that are counted
 * @property {string[]} [source] files of the folder demo
 * @property {boolean} [gauge]
 * @property {(keyof typeof CHARTS & string)[]} [charts]
 */

export class Workbench {
  recording = new Recording();
  /** Where a panel puts its controls. */
  controls = make('div', { class: 'stack' });
  /** Where a panel puts what it shows besides, before the views. */
  stage = make('div', { class: 'stack', hidden: true });
  /** @type {Recording | undefined} */
  #opened;

  /** @param {WorkbenchOptions} options */
  constructor(options) {
    const { panel, calls, source = [], gauge = false, charts = [] } = options;
    this.panel = panel;
    const { recording } = this;
    this.inspector = new Inspector();
    this.sequence = new Sequence(recording, (entries) => this.inspector.show(entries), calls);
    this.source = new Source(recording, source);
    this.gauge = gauge ? new Gauge(recording) : undefined;
    const drawn = charts.map((name) => new Chart(recording, CHARTS[name]));
    /** @type {View[]} */
    this.views = [this.sequence, this.source, ...(this.gauge ? [this.gauge] : []), ...drawn];
    this.charts = make('div', { class: 'charts' }, ...drawn.map(({ element }) => element));
    this.banner = make('div', { class: 'card banner', role: 'status', hidden: true });
    const seen = make(
      'div',
      { class: 'seen' },
      this.gauge?.element,
      make('div', { class: 'stack calls' }, this.sequence.element, this.inspector.element),
    );
    this.element = make(
      'div',
      { class: 'bench' },
      make('div', { class: 'stack side' }, this.controls, this.#files()),
      make('div', { class: 'stack' }, this.banner, this.stage, seen),
      this.source.element,
      drawn.length > 0 && this.charts,
    );
    recording.onframe(() => {
      if (!this.#opened) this.#draw();
    });
  }

  /** Builds it in a panel's element. @param {HTMLElement} element */
  mount(element) {
    element.append(this.element);
    element.addEventListener('show', () => this.#draw());
    this.#draw();
  }

  /** @param {...HTMLElement} elements */
  addStage(...elements) {
    this.stage.hidden = false;
    this.stage.append(...elements);
  }

  /** What is hidden is drawn when it is shown. */
  #draw() {
    if (this.element.offsetParent === null) return;
    for (const view of this.views) view.draw();
  }

  // ---- Files ----

  #files() {
    const input = make('input', {
      type: 'file',
      accept: '.json,application/json',
      'aria-label': 'A trace to open',
      hidden: true,
      onchange: async () => {
        const [file] = input.files ?? [];
        input.value = '';
        if (file) await this.open(file);
      },
    });
    return make(
      'div',
      { class: 'card controls' },
      make(
        'fieldset',
        {},
        make('legend', {}, 'Trace'),
        make(
          'div',
          { class: 'row' },
          button('Save', () => this.save()),
          button('Open…', () => input.click()),
        ),
        input,
      ),
    );
  }

  save() {
    const text = toText(this.#opened ?? this.recording, this.panel);
    const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    const name = `${this.panel}-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.trace.json`;
    make('a', { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  /** @param {File} file */
  async open(file) {
    try {
      if (file.size > LARGEST) throw new Error(`it is larger than ${LARGEST >> 20} MB`);
      const { recording, panel, saved } = fromText(await file.text());
      const of = panel === this.panel ? '' : ` of the panel ${panel}`;
      this.#show(recording, `${file.name}${of}, saved ${new Date(saved).toLocaleString()}`);
    } catch (error) {
      this.#say(`${file.name} cannot be opened: ${explain(error)}`, 'failed');
    }
  }

  /** @param {Recording} recording @param {string} text */
  #show(recording, text) {
    this.#opened = recording;
    for (const view of this.views) view.show(recording);
    this.#say(`A trace: ${text}`, 'opened');
  }

  #back() {
    this.#opened = undefined;
    for (const view of this.views) view.show(this.recording);
  }

  /** @param {string} text @param {string} state */
  #say(text, state) {
    this.banner.hidden = false;
    this.banner.dataset.state = state;
    const close = () => {
      this.banner.hidden = true;
      if (state === 'opened') this.#back();
    };
    this.banner.replaceChildren(
      make('span', {}, text),
      button(state === 'opened' ? 'Back to what goes on' : 'Close', close),
    );
  }
}
