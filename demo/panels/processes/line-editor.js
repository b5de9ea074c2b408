/** The line that is being typed, as a terminal's driver has it: editing, history, and the keys that mean something. */

/** How many lines are remembered. */
const REMEMBERED = 200;

/**
 * @typedef {object} Actions
 * @property {(text: string) => void} write to the screen
 * @property {() => number} columns of the screen
 * @property {(line: string) => void} enter
 * @property {() => void} interrupt Ctrl-C
 * @property {() => void} end Ctrl-D on an empty line
 * @property {() => void} clear Ctrl-L
 */

export class LineEditor {
  /** @type {string[]} */
  #letters = [];
  #cursor = 0;
  /** Where the line begins, in its row. */
  #start = 0;
  /** Where the screen's cursor is in it; undefined: the line is not to be seen, for others write. */
  #shown = /** @type {number | undefined} */ (0);
  /** @type {string[]} */
  #history = [];
  #past = 0;
  #draft = '';

  /** @param {Actions} actions */
  constructor(actions) {
    this.actions = actions;
  }

  get text() {
    return this.#letters.join('');
  }

  // ---- The screen ----

  /** Takes the line away, so that something else can be written. */
  hide() {
    if (this.#shown === undefined) return;
    if (this.#letters.length > 0) this.actions.write(this.#erase());
    this.#shown = undefined;
  }

  /** Puts it where the cursor is now. @param {number} column */
  show(column) {
    this.#start = column;
    this.#shown = 0;
    this.#draw();
  }

  /** @param {number} at letters from the line's beginning @returns {[row: number, column: number]} */
  #place(at) {
    const columns = this.actions.columns();
    return [Math.floor((this.#start + at) / columns), (this.#start + at) % columns];
  }

  /** From where the cursor is to a place in its first row. @param {number} at @param {number} to */
  #move(at, to) {
    const [[from], [row, column]] = [this.#place(at), this.#place(to)];
    const rows = from > row ? `\x1b[${from - row}A` : '';
    return `${rows}\r${column > 0 ? `\x1b[${column}C` : ''}`;
  }

  #erase() {
    return `${this.#move(this.#shown ?? 0, 0)}\x1b[J`;
  }

  #draw() {
    if (this.#shown === undefined) return;
    const { length } = this.#letters;
    if (length === 0 && this.#shown === 0) return;
    // A full row has its cursor still in it: a space takes it to the next.
    const [, column] = this.#place(length);
    const wrap = length > 0 && column === 0 ? ' ' : '';
    this.actions.write(`${this.#erase()}${this.text}${wrap}${this.#move(length, this.#cursor)}`);
    this.#shown = this.#cursor;
  }

  // ---- Keys ----

  /** What the terminal tells of keys, and of text that is put in. @param {string} data */
  input(data) {
    const key = this.#keys[data];
    if (key) key();
    else if (!data.startsWith('\x1b'))
      for (const letter of data) {
        if (this.#keys[letter]) this.#keys[letter]();
        else if (letter >= ' ') this.#insert(letter);
      }
    this.#draw();
  }

  /** @type {Record<string, () => void>} */
  #keys = {
    '\r': () => this.#enter(),
    '\n': () => this.#enter(),
    '\x03': () => this.#interrupt(),
    '\x04': () => this.#endOrDelete(),
    '\x0c': () => this.actions.clear(),
    '\x7f': () => this.#delete(this.#cursor - 1, this.#cursor),
    '\b': () => this.#delete(this.#cursor - 1, this.#cursor),
    '\x1b[3~': () => this.#delete(this.#cursor, this.#cursor + 1),
    '\x15': () => this.#delete(0, this.#cursor),
    '\x0b': () => this.#delete(this.#cursor, this.#letters.length),
    '\x17': () => this.#delete(this.#wordBefore(), this.#cursor),
    ...this.#both(['\x1b[D', '\x1bOD', '\x02'], () => this.#go(this.#cursor - 1)),
    ...this.#both(['\x1b[C', '\x1bOC', '\x06'], () => this.#go(this.#cursor + 1)),
    ...this.#both(['\x1b[H', '\x1bOH', '\x01'], () => this.#go(0)),
    ...this.#both(['\x1b[F', '\x1bOF', '\x05'], () => this.#go(this.#letters.length)),
    ...this.#both(['\x1b[A', '\x1bOA', '\x10'], () => this.#recall(this.#past - 1)),
    ...this.#both(['\x1b[B', '\x1bOB', '\x0e'], () => this.#recall(this.#past + 1)),
  };

  /** @param {string[]} keys @param {() => void} does */
  #both(keys, does) {
    return Object.fromEntries(keys.map((key) => [key, does]));
  }

  /** @param {string} letter */
  #insert(letter) {
    this.#letters.splice(this.#cursor++, 0, letter);
  }

  /** @param {number} from @param {number} to */
  #delete(from, to) {
    if (from < 0) return;
    this.#letters.splice(from, to - from);
    this.#cursor = from;
  }

  /** @param {number} cursor */
  #go(cursor) {
    this.#cursor = Math.max(0, Math.min(cursor, this.#letters.length));
  }

  #wordBefore() {
    return this.text.slice(0, this.#cursor).replace(/\S+\s*$/, '').length;
  }

  /** @param {string} line */
  #put(line) {
    this.#letters = [...line];
    this.#cursor = this.#letters.length;
  }

  /** @param {number} past */
  #recall(past) {
    if (past < 0 || past > this.#history.length) return;
    if (this.#past === this.#history.length) this.#draft = this.text;
    this.#past = past;
    this.#put(this.#history[past] ?? this.#draft);
  }

  /** The line is done with. @param {string} [mark] */
  #finish(mark = '') {
    this.#go(this.#letters.length);
    this.#draw();
    if (this.#shown !== undefined) this.actions.write(`${mark}\r\n`);
    const line = this.text;
    this.#put('');
    this.#start = 0;
    if (this.#shown !== undefined) this.#shown = 0;
    this.#past = this.#history.length;
    return line;
  }

  #enter() {
    const line = this.text;
    if (line !== '' && line !== this.#history.at(-1)) this.#history.push(line);
    if (this.#history.length > REMEMBERED) this.#history.shift();
    this.actions.enter(this.#finish());
  }

  #interrupt() {
    this.#finish('^C');
    this.actions.interrupt();
  }

  #endOrDelete() {
    if (this.#letters.length > 0) this.#delete(this.#cursor, this.#cursor + 1);
    else this.actions.end();
  }
}
