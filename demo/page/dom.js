/** What all of the page makes its elements and its numbers with. */

/** @typedef {string | Node | null | undefined | false} Child */

/**
 * An element. Attributes are set as they are called; `class`, a listener `onclick`, and what is true or false, too.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(
    ...children.filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const numbers = new Intl.NumberFormat('en');
const shortNumbers = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** @param {number} value */
export const number = (value) => numbers.format(value);

/** @param {number} count */
export const bytes = (count) => `${number(count)} ${count === 1 ? 'byte' : 'bytes'}`;

/** 1.5 MB, 64 KB: in powers of 1,024, as marks are. @param {number} count */
export function shortBytes(count) {
  const units = ['B', 'KB', 'MB', 'GB'];
  let value = count;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${shortNumbers.format(value)} ${units[unit]}`;
}

/** Milliseconds, as 12.3 ms or 4.56 s. @param {number} time */
export const milliseconds = (time) =>
  time < 1000 ? `${time.toFixed(1)} ms` : `${(time / 1000).toFixed(2)} s`;

/**
 * A labelled field: its label is around it.
 * @template {HTMLElement} T
 * @param {string} label
 * @param {T} control
 */
export const field = (label, control) =>
  make('label', { class: 'field' }, make('span', {}, label), control);

/** @param {string} label @param {() => void} onclick @param {Record<string, any>} [attributes] */
export const button = (label, onclick, attributes = {}) =>
  make('button', { type: 'button', onclick, ...attributes }, label);

/**
 * One of several values, each with what is said of it; `onchange` is told the new one.
 * @param {readonly (readonly [string | number, string])[]} choices
 * @param {(value: string) => void} [onchange]
 */
export function choice(choices, onchange) {
  const select = make('select', { onchange: () => onchange?.(select.value) });
  select.append(...choices.map(([value, text]) => make('option', { value }, text)));
  return select;
}

/** A line that says how it stands with a connection or a program. @param {string} text */
export const statusLine = (text) =>
  make('p', { class: 'status', role: 'status', 'data-state': 'idle' }, text);

/** @param {HTMLElement} line @param {string} state idle, busy, open or failed @param {string} text */
export function sayStatus(line, state, text) {
  line.dataset.state = state;
  if (line.textContent !== text) line.textContent = text; // what is the same is not read out again
}

/** What went wrong, in one line: the code where there is one. @param {unknown} error */
export function explain(error) {
  if (!(error instanceof Error)) return String(error);
  const { code, native } = /** @type {{code?: string, native?: number}} */ (
    /** @type {unknown} */ (error)
  );
  return code ? `${error.message} (${code}${native ? ` ${native}` : ''})` : error.message;
}
