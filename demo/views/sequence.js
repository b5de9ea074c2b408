/**
 * The sequence diagram: three lifelines, the page, the transport and the protocol in C, and an arrow for each call. Calls
 * that repeat are gathered in one row, once they are many.
 */
import { bytes, make, number } from '../page/dom.js';
import { ASKED, badge, familyOf } from './calls.js';
import { describe } from './words.js';

/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./recording.js').Entry} Entry */

/** So many calls of a family have rows of their own before the next ones are gathered. */
const ALONE = 6;
/** How many rows are shown, and how many go at once when there are more. */
const SHOWN = 240;
/** How many calls of a row can be looked at. */
const KEPT = 2000;
const GONE = 60;

/** One row: a call, or many of one family. */
class Row {
  /** @type {Entry[]} */
  entries = [];
  isGroup = false;
  isNew = true;
  /** @type {Map<string, number>} */
  #counts = new Map();
  #bytes = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = 0;

  /** @param {Entry} entry */
  constructor(entry) {
    this.element = make('li', { role: 'option', 'aria-selected': 'false' });
    this.add(entry);
  }

  /** @param {Entry} entry */
  add(entry) {
    this.entries.push(entry);
    this.#counts.set(entry.name, (this.#counts.get(entry.name) ?? 0) + 1);
    if (entry.name !== 'GB') this.#bytes += entry.size ?? 0;
    if (this.entries.length > KEPT) this.entries.splice(0, KEPT / 2);
    if (entry.level !== undefined) {
      this.#least = Math.min(this.#least, entry.level);
      this.#most = Math.max(this.#most, entry.level);
    }
    this.isNew = true;
  }

  get #levels() {
    return this.#most > 0 ? `between ${number(this.#least)} and ${number(this.#most)}` : '';
  }

  draw() {
    // What a call leaves behind (the size of a buffer) may be known only when it has returned.
    if (!this.isNew && this.entries.length > 1) return;
    this.isNew = false;
    const [first] = this.entries;
    const family = first.error ? 'bad' : familyOf(first.name);
    const isAsked = first.name === ASKED;
    const badges = [...this.#counts].map(([name, count]) =>
      make(
        'span',
        {},
        badge(isAsked ? 'ask' : name, !!first.error),
        count > 1 ? `×${number(count)}` : '',
      ),
    );
    const isFlow = family === 'flow';
    const words = this.isGroup ? (isFlow ? this.#levels : bytes(this.#bytes)) : describe(first);
    this.element.dataset.family = isAsked ? 'asked' : family;
    this.element.dataset.names = [...this.#counts.keys()].join(' ');
    this.element.style.setProperty('--depth', String(Math.min(first.depth, 3)));
    this.element.replaceChildren(
      make('time', {}, (first.time / 1000).toFixed(3)),
      make('span', { class: `arrow ${isAsked ? 'from-page' : ''} ${this.isGroup ? 'many' : ''}` }),
      make('span', { class: 'told' }, ...badges, make('span', { class: 'words' }, words)),
    );
  }
}

export class Sequence {
  /** @type {Row[]} */
  #rows = [];
  #seen = 0;
  #epoch = -1;
  /** How many in a row of the last family. */
  #run = 0;
  #isGrouped = true;
  /** @type {Row | undefined} */
  #selected;
  /** @type {Map<string, HTMLElement>} */
  #totals = new Map();

  /** @param {Recording} recording @param {(entries: Entry[]) => void} onselect @param {string[]} names of the calls to be counted */
  constructor(recording, onselect, names) {
    this.recording = recording;
    this.onselect = onselect;
    const id = `sequence-${crypto.randomUUID().slice(0, 8)}`;
    this.list = make('ol', {
      class: 'rows',
      role: 'listbox',
      tabindex: 0,
      'aria-labelledby': id,
      'data-empty': 'What the loop calls in the C file, as it happens.',
      onclick: (/** @type {MouseEvent} */ event) => this.#click(event),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
    });
    const group = make('input', {
      type: 'checkbox',
      checked: true,
      onchange: () => this.#regroup(group.checked),
    });
    const totals = make('dl', { class: 'totals', 'aria-label': 'How often each was called' });
    for (const name of names) {
      const count = make('dd', {}, '0');
      this.#totals.set(name, count);
      totals.append(make('div', {}, make('dt', {}, badge(name)), count));
    }
    this.element = make(
      'section',
      { class: 'card sequence', 'aria-labelledby': id },
      make(
        'div',
        { class: 'title' },
        make('h2', { id }, 'Calls'),
        make('label', { class: 'check' }, group, 'Group'),
        make(
          'button',
          { type: 'button', class: 'quiet', onclick: () => this.recording.clear() },
          'Clear',
        ),
      ),
      totals,
      make(
        'div',
        { class: 'lifelines', 'aria-hidden': 'true' },
        make('span', {}, 's'),
        make('span', {}, 'page'),
        make('span', {}, 'transport'),
        make('span', {}, 'protocol'),
      ),
      this.list,
    );
  }

  draw() {
    const { recording, list } = this;
    if (recording.epoch !== this.#epoch) this.#restart();
    const fresh = recording.entries.slice(Math.max(0, this.#seen - recording.dropped));
    this.#seen = recording.dropped + recording.entries.length;
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 48;
    for (const entry of fresh) this.#place(entry);
    if (this.#rows.length > SHOWN)
      for (const row of this.#rows.splice(0, this.#rows.length - SHOWN + GONE))
        row.element.remove();
    for (const row of this.#rows.slice(-fresh.length - 2)) {
      row.draw();
      if (!row.element.isConnected) list.append(row.element);
    }
    if (isAtEnd && fresh.length > 0) list.scrollTop = list.scrollHeight;
    for (const [name, count] of this.#totals)
      count.textContent = number(recording.totals.get(name) ?? 0);
  }

  /** Another recording, or the same from its beginning. @param {Recording} [recording] */
  show(recording = this.recording) {
    this.recording = recording;
    this.#restart();
    this.draw();
  }

  #restart() {
    this.#epoch = this.recording.epoch;
    this.#rows = [];
    this.#seen = 0;
    this.#run = 0;
    this.#selected = undefined;
    this.list.replaceChildren();
    this.list.removeAttribute('aria-activedescendant');
    this.onselect([]);
  }

  /** @param {boolean} isGrouped */
  #regroup(isGrouped) {
    this.#isGrouped = isGrouped;
    this.show();
  }

  /** @param {Entry} entry */
  #place(entry) {
    const last = this.#rows.at(-1);
    const family = familyOf(entry.name);
    const isSame = last !== undefined && familyOf(last.entries[0].name) === family && !entry.error;
    this.#run = isSame ? this.#run + 1 : 1;
    if (isSame && last.isGroup) return last.add(entry);
    const row = new Row(entry);
    row.isGroup = this.#isGrouped && this.#run > ALONE && ['data', 'flow'].includes(family);
    this.#rows.push(row);
  }

  // ---- Choosing one ----

  /** @param {MouseEvent} event */
  #click(event) {
    const item = /** @type {HTMLElement} */ (event.target).closest('li');
    this.#select(this.#rows.findIndex(({ element }) => element === item));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (step === undefined || this.#rows.length === 0) return;
    event.preventDefault();
    const at = this.#selected
      ? this.#rows.indexOf(this.#selected)
      : step > 0
        ? -1
        : this.#rows.length;
    this.#select(Math.max(0, Math.min(at + step, this.#rows.length - 1)));
  }

  /** @param {number} index */
  #select(index) {
    const row = this.#rows[index];
    if (!row) return;
    this.#selected?.element.setAttribute('aria-selected', 'false');
    this.#selected = row;
    row.element.id ||= `call-${crypto.randomUUID().slice(0, 8)}`;
    row.element.setAttribute('aria-selected', 'true');
    row.element.scrollIntoView({ block: 'nearest' });
    this.list.setAttribute('aria-activedescendant', row.element.id);
    this.onselect(row.entries);
  }
}
