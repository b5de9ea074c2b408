/** One call with all that is known of it, its bytes too; of a row of many, one after another. */
import { bytes, make, milliseconds, number } from '../page/dom.js';
import { ASKED, badge, CALLS } from './calls.js';
import { errorText } from './words.js';

/** @typedef {import('./recording.js').Entry} Entry */

const WIDTH = 16;

/** As hexdump shows them. @param {Uint8Array} data */
function hexdump(data) {
  const lines = [];
  for (let at = 0; at < data.length; at += WIDTH) {
    const part = [...data.subarray(at, at + WIDTH)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·'));
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(WIDTH * 3)} ${text.join('')}`);
  }
  return lines.join('\n');
}

/** What there is to say, in pairs. @param {Entry} entry @returns {[string, string][]} */
function facts({
  name,
  time,
  connection,
  depth,
  size,
  hint,
  fd,
  peer,
  level,
  levelAfter,
  duration,
  error,
  ...rest
}) {
  /** @type {[string, string | undefined | false][]} */
  const all = [
    ['function', rest.function],
    ['at', `${(time / 1000).toFixed(4)} s`],
    ['took', duration === undefined ? undefined : milliseconds(duration)],
    ['connection', connection > 1 && `#${connection}`],
    ['inside', depth > 0 && `${depth} other ${depth === 1 ? 'call' : 'calls'}`],
    ['descriptor', fd === undefined ? undefined : String(fd)],
    ['sizehint', hint === undefined ? undefined : hint < 0 ? `${hint} (any)` : bytes(hint)],
    [name === 'GB' ? 'buffer' : 'size', size === undefined ? undefined : bytes(size)],
    ['peer', peer],
    [
      'write buffer',
      level === undefined ? undefined : `${number(level)} → ${number(levelAfter ?? level)} bytes`,
    ],
    ['error', error === undefined ? undefined : error === null ? 'none' : errorText(error)],
  ];
  return all.flatMap(([term, text]) => (text ? [[term, text]] : []));
}

export class Inspector {
  /** @type {Entry[]} */
  #entries = [];
  #at = 0;

  constructor() {
    this.title = make('span', { class: 'names' });
    this.steps = make(
      'span',
      { class: 'steps', hidden: true },
      make(
        'button',
        {
          type: 'button',
          class: 'quiet',
          'aria-label': 'The call before',
          onclick: () => this.#step(-1),
        },
        '‹',
      ),
      make('output', {}),
      make(
        'button',
        {
          type: 'button',
          class: 'quiet',
          'aria-label': 'The next call',
          onclick: () => this.#step(1),
        },
        '›',
      ),
    );
    this.body = make('div', { class: 'body' });
    this.element = make(
      'section',
      { class: 'card inspector', 'aria-label': 'One call' },
      make('div', { class: 'title' }, make('h2', {}, 'One call'), this.title, this.steps),
      this.body,
    );
    this.show([]);
  }

  /** @param {Entry[]} entries */
  show(entries) {
    this.#entries = entries;
    this.#at = 0;
    this.#draw();
  }

  /** @param {number} by */
  #step(by) {
    this.#at = Math.max(0, Math.min(this.#at + by, this.#entries.length - 1));
    this.#draw();
  }

  #draw() {
    const entry = this.#entries[this.#at];
    this.steps.hidden = this.#entries.length < 2;
    const [, output] = this.steps.children;
    output.textContent = `${number(this.#at + 1)} of ${number(this.#entries.length)}`;
    if (!entry) {
      this.title.replaceChildren();
      this.body.replaceChildren(
        make('p', { class: 'muted' }, 'Choose a call to see what is in it.'),
      );
      return;
    }
    const { name, text, bytes: data, size = 0 } = entry;
    const says = CALLS[name];
    this.title.replaceChildren(badge(name === ASKED ? 'ask' : name, !!entry.error));
    const terms = facts(entry).flatMap(([term, value]) => [
      make('dt', {}, term),
      make('dd', {}, value),
    ]);
    this.body.replaceChildren(
      make(
        'p',
        {},
        says ? make('code', {}, says.callback) : '',
        says ? `: ${says.means}` : (text ?? ''),
      ),
      make('dl', { class: 'facts' }, ...terms),
      ...(data && data.length > 0
        ? [make('pre', { tabindex: 0, 'aria-label': 'Bytes' }, hexdump(data))]
        : []),
      ...(data && size > data.length
        ? [make('p', { class: 'muted' }, `and ${bytes(size - data.length)} more`)]
        : []),
    );
  }
}
