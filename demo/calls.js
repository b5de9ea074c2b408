/** The list of the protocol's calls on the page: totals, and rows that gather what repeats. */

/** @typedef {import('./session.js').Call} Call */

/** What each call means, in the order of a connection's life. */
const meanings = {
  CM: 'connection_made: the connection is open',
  GB: 'get_buffer: where shall the next bytes go?',
  BU: 'buffer_updated: so many bytes are there',
  PW: 'pause_writing: the write buffer is over its high mark',
  RW: 'resume_writing: it has drained to its low mark',
  ER: 'eof_received: the peer will send no more',
  CL: 'connection_lost: the end, with the error if there is one',
};

/** Those that have nothing to tell but their name. @type {Record<string, string>} */
const words = {
  CM: 'connected',
  PW: 'writing is paused',
  RW: 'writing goes on',
  ER: 'end of the stream',
};

/** Calls that alternate: a row gathers them. @type {Record<string, string>} */
const groups = { GB: 'reading', BU: 'reading', PW: 'writing', RW: 'writing' };

/** How many calls are kept, and how many rows are shown. */
const KEPT = 5000;
const SHOWN = 400;

/** @param {number} count */
export const number = (count) => count.toLocaleString('en');

/** @param {number} count */
export const bytes = (count) => `${number(count)} ${count === 1 ? 'byte' : 'bytes'}`;

/** @param {string} name */
function badge(name) {
  const element = document.createElement('abbr');
  element.textContent = name;
  element.dataset.call = name;
  element.title = meanings[/** @type {keyof typeof meanings} */ (name)];
  return element;
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {...(string | Node)} children
 */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** One call in words. @param {Call} call */
function describe({ name, size, hint, error }) {
  if (name === 'GB')
    return `room for ${bytes(size)} (${hint < 0 ? 'any' : `${number(hint)} in hand`})`;
  if (name === 'BU') return bytes(size);
  if (name === 'CL') return error ?? 'closed, no error';
  return words[name];
}

/** Calls in one row: what they have in common, and their sums. */
class Row {
  /** @param {Call} call */
  constructor(call) {
    this.group = groups[call.name];
    this.first = this.last = call;
    /** @type {Map<string, number>} */
    this.counts = new Map();
    this.bytes = 0;
    this.element = make('li', call.error ? 'failed' : '');
    this.changed = true;
    this.add(call);
  }

  /** @param {Call} call */
  add(call) {
    this.counts.set(call.name, (this.counts.get(call.name) ?? 0) + 1);
    if (call.name === 'BU') this.bytes += call.size;
    this.last = call;
    this.changed = true;
  }

  get detail() {
    const gb = this.counts.get('GB') ?? 0;
    const bu = this.counts.get('BU') ?? 0;
    if (gb + bu > 2 || (gb > 0 && bu > 0)) return bytes(this.bytes);
    return gb + bu > 1 || this.counts.size > 1 ? '' : describe(this.last);
  }

  draw() {
    if (!this.changed) return;
    this.changed = false;
    const names = make('span', 'names');
    for (const [name, count] of this.counts) {
      names.append(badge(name));
      if (count > 1) names.append(`×${number(count)}`);
    }
    const time = make('time', '', this.first.time.toFixed(1));
    if (this.last !== this.first)
      time.title = `${this.first.time.toFixed(1)} to ${this.last.time.toFixed(1)} ms`;
    this.element.replaceChildren(time, names, make('span', 'detail', this.detail));
  }
}

export class CallList {
  /** @type {Call[]} */
  #calls = [];
  /** @type {Row[]} */
  #rows = [];
  /** @type {Map<string, number>} */
  #totals = new Map();
  #drawing = false;
  #grouped = true;

  /** @param {HTMLElement} list @param {HTMLElement} totals */
  constructor(list, totals) {
    this.list = list;
    this.totals = totals;
    this.clear();
  }

  /** @param {Call} call */
  add(call) {
    this.#totals.set(call.name, (this.#totals.get(call.name) ?? 0) + 1);
    this.#calls.push(call);
    if (this.#calls.length > KEPT) this.#calls.splice(0, KEPT / 2);
    this.#place(call);
    this.#drawSoon();
  }

  clear() {
    this.#calls = [];
    this.#rows = [];
    this.#totals.clear();
    this.list.replaceChildren();
    this.#drawSoon();
  }

  set grouped(/** @type {boolean} */ grouped) {
    this.#grouped = grouped;
    this.#rows = [];
    this.list.replaceChildren();
    for (const call of this.#calls) this.#place(call);
    this.#drawSoon();
  }

  /** @param {Call} call */
  #place(call) {
    const last = this.#rows.at(-1);
    if (this.#grouped && last?.group && last.group === groups[call.name]) last.add(call);
    else this.#rows.push(new Row(call));
    if (this.#rows.length > SHOWN)
      for (const row of this.#rows.splice(0, SHOWN / 4)) row.element.remove();
  }

  /** Thousands of calls may come between two frames. */
  #drawSoon() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      const { list } = this;
      const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
      for (const row of this.#rows) {
        row.draw();
        if (!row.element.isConnected) list.append(row.element);
      }
      if (atEnd) list.scrollTop = list.scrollHeight;
      this.#drawTotals();
    });
  }

  #drawTotals() {
    const items = Object.keys(meanings).map((name) =>
      make(
        'div',
        '',
        make('dt', '', badge(name)),
        make('dd', '', number(this.#totals.get(name) ?? 0)),
      ),
    );
    this.totals.replaceChildren(...items);
  }
}
