/** The C source, as it was compiled: the function that runs is lit, and says how often it has run. */
import { explain, make, number } from '../page/dom.js';
import { callbacksIn, functionsIn, tokens } from './c-source.js';

/** @typedef {import('./recording.js').Recording} Recording */

/** How long a function stays lit after it has run, at least. */
const LIT = 350;

/** @typedef {{element: HTMLElement, count: HTMLElement, runs: number, shown: number, until: number}} Shown */

export class Source {
  /** By the function's name. @type {Map<string, Shown>} */
  #functions = new Map();
  /** By the call's. @type {Map<string, string>} */
  #callbacks = new Map();
  #seen = 0;
  #epoch = -1;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Recording} recording @param {string[]} files of the folder demo; none: there is no source to show */
  constructor(recording, files) {
    this.recording = recording;
    this.tabs = make('div', { class: 'files', role: 'tablist', 'aria-label': 'Files' });
    this.pages = make('div', { class: 'pages' });
    this.follows = make('input', { type: 'checkbox', checked: true });
    this.element = make(
      'section',
      { class: 'card source', 'aria-label': 'C source' },
      make(
        'div',
        { class: 'title' },
        make('h2', {}, 'C source'),
        this.tabs,
        make('label', { class: 'check' }, this.follows, 'Follow'),
      ),
      this.pages,
    );
    for (const file of files) this.#load(file);
  }

  /** A source that comes from elsewhere. @param {string} name @param {string} text */
  add(name, text) {
    const page = make('pre', { class: 'code', tabindex: 0, role: 'tabpanel', 'aria-label': name });
    const tab = make(
      'button',
      { type: 'button', class: 'quiet', role: 'tab', onclick: () => this.#choose(page) },
      name,
    );
    this.tabs.append(tab);
    this.pages.append(page);
    this.#fill(page, text);
    this.#choose(/** @type {HTMLElement} */ (this.pages.firstElementChild));
  }

  /** Nothing is shown. */
  clear() {
    this.tabs.replaceChildren();
    this.pages.replaceChildren();
    this.#functions.clear();
    this.#callbacks.clear();
  }

  /** @param {string} file */
  async #load(file) {
    const place = make('span', { hidden: true });
    this.tabs.append(place);
    try {
      const response = await fetch(file);
      if (!response.ok) throw new Error(`${file}: HTTP ${response.status}`);
      this.add(file, await response.text());
    } catch (error) {
      this.pages.append(make('p', { class: 'failure' }, explain(error)));
    }
    place.remove();
    this.draw();
  }

  /** @param {HTMLElement} page */
  #choose(page) {
    for (const [index, other] of [...this.pages.children].entries()) {
      /** @type {HTMLElement} */ (other).hidden = other !== page;
      this.tabs.children[index]?.setAttribute('aria-selected', String(other === page));
    }
  }

  /** @param {HTMLElement} page @param {string} text */
  #fill(page, text) {
    const lines = text.replace(/\n$/, '').split('\n');
    for (const [call, name] of callbacksIn(text))
      if (!this.#callbacks.has(call)) this.#callbacks.set(call, name);
    let end = 0;
    const part = (/** @type {number} */ to) => {
      page.append(...this.#coloured(`${lines.slice(end, to).join('\n')}\n`));
      end = to;
    };
    for (const { name, first, last } of functionsIn(lines)) {
      if (first > end) part(first);
      const count = make('span', { class: 'runs', hidden: true });
      const element = make('span', { class: 'function', 'data-function': name }, count);
      element.append(...this.#coloured(`${lines.slice(first, last + 1).join('\n')}\n`));
      end = last + 1;
      page.append(element);
      this.#functions.set(name, { element, count, runs: 0, shown: 0, until: 0 });
    }
    if (end < lines.length) part(lines.length);
  }

  /** @param {string} text */
  #coloured(text) {
    return tokens(text).map(([kind, piece]) =>
      kind ? make('span', { class: `c-${kind}` }, piece) : piece,
    );
  }

  /** @param {Recording} recording */
  show(recording) {
    this.recording = recording;
    this.#epoch = -1;
    this.draw();
  }

  draw() {
    const { entries, dropped, epoch, isLive } = this.recording;
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#seen = 0;
      for (const one of this.#functions.values()) one.runs = one.until = 0;
    }
    if (this.#functions.size === 0) return;
    const now = performance.now();
    for (const { name, function: asked } of entries.slice(Math.max(0, this.#seen - dropped))) {
      const one = this.#functions.get(asked ?? this.#callbacks.get(name) ?? '');
      if (!one) continue;
      one.runs++;
      if (isLive) one.until = now + LIT;
    }
    this.#seen = dropped + entries.length;
    let isLit = false;
    for (const one of this.#functions.values()) {
      one.element.classList.toggle('lit', one.until > now);
      isLit ||= one.until > now;
      if (one.shown === one.runs) continue;
      one.shown = one.runs;
      one.count.hidden = one.runs === 0;
      one.count.textContent = `×${number(one.runs)}`;
    }
    if (this.follows.checked) this.#follow();
    clearTimeout(this.#timer);
    if (isLit) this.#timer = setTimeout(() => this.draw(), LIT);
  }

  /** Shows one of those that are lit, unless one is in sight, or somebody reads there. */
  #follow() {
    const page = /** @type {HTMLElement | undefined} */ (
      [...this.pages.children].find((one) => !(/** @type {HTMLElement} */ (one).hidden))
    );
    if (!page || page.matches(':hover, :focus')) return;
    const lit = [...page.querySelectorAll('.lit')].map((one) => /** @type {HTMLElement} */ (one));
    const isSeen = (/** @type {HTMLElement} */ { offsetTop, offsetHeight }) =>
      offsetTop + Math.min(offsetHeight, 60) > page.scrollTop &&
      offsetTop + Math.min(offsetHeight, 60) < page.scrollTop + page.clientHeight;
    if (lit.length > 0 && !lit.some(isSeen)) page.scrollTop = lit[0].offsetTop - 48;
  }
}
