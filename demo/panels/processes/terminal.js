/** A terminal: xterm.js, a line that can be edited, and no more output than it can show. */
import { make } from '../../page/dom.js';
import { colour, onTheme } from '../../page/theme.js';
import { LineEditor } from './line-editor.js';
import { withStyleSheets } from './style-sheets.js';

/** @typedef {import('@xterm/xterm').Terminal} Xterm */
/** @typedef {import('@xterm/addon-fit').FitAddon} Fit */

/** How many bytes may wait to be shown before whoever writes them is held, and at how many it goes on. */
const HIGH = 1 << 18;
const LOW = 1 << 16;

const RED = '\x1b[31m';
const FAINT = '\x1b[90m';
const PLAIN = '\x1b[39m';

/** xterm.js, which is fetched when it is needed. */
async function open(/** @type {HTMLElement} */ place) {
  const from = '../../../node_modules/@xterm';
  const [{ Terminal: Xterm }, { FitAddon }] = await Promise.all([
    import(`${from}/xterm/lib/xterm.mjs`),
    import(`${from}/addon-fit/lib/addon-fit.mjs`),
  ]);
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
  /** @type {Xterm} */
  const screen = new Xterm({
    convertEol: true,
    cursorBlink: !isStill,
    cursorInactiveStyle: 'outline',
    fontFamily: getComputedStyle(place).getPropertyValue('--mono'),
    fontSize: 13,
    lineHeight: 1.25,
    scrollback: 2000,
    screenReaderMode: true,
    theme: theme(),
  });
  /** @type {Fit} */
  const fit = new FitAddon();
  screen.loadAddon(fit);
  withStyleSheets(() => screen.open(place));
  return { screen, fit };
}

function theme() {
  const [text, ground] = [colour('--text'), colour('--card')];
  return {
    background: ground,
    foreground: text,
    cursor: colour('--accent'),
    cursorAccent: ground,
    selectionBackground: colour('--data-ground'),
    red: colour('--bad'),
    green: colour('--life'),
    yellow: colour('--flow'),
    blue: colour('--data'),
    magenta: colour('--end'),
    brightBlack: colour('--muted'),
  };
}

/**
 * @typedef {object} TerminalActions
 * @property {(line: string) => void} enter
 * @property {() => void} interrupt
 * @property {() => void} end
 * @property {(isHeld: boolean) => void} hold whoever writes is to wait
 */

export class Terminal {
  #waiting = 0;
  #isHeld = false;

  /** @param {HTMLElement} place in the page @param {TerminalActions} actions */
  static async open(place, actions) {
    const { screen, fit } = await open(place);
    return new Terminal(place, screen, fit, actions);
  }

  /** @param {HTMLElement} place @param {Xterm} screen @param {Fit} fit @param {TerminalActions} actions */
  constructor(place, screen, fit, actions) {
    this.screen = screen;
    this.actions = actions;
    this.line = new LineEditor({
      ...actions,
      write: (text) => screen.write(text),
      columns: () => screen.cols,
      clear: () => this.clear(),
    });
    screen.textarea?.setAttribute('aria-label', 'Terminal');
    screen.onData((data) => this.line.input(data));
    // Tab leads out of it, as out of everything.
    screen.attachCustomKeyEventHandler(({ key }) => key !== 'Tab');
    new ResizeObserver(() => place.clientWidth > 0 && fit.fit()).observe(place);
    onTheme(() => {
      screen.options.theme = theme();
    });
  }

  /** What a program writes; the bytes are lent. @param {number} fd @param {Uint8Array} bytes */
  print(fd, bytes) {
    if (fd === 2) this.#write(RED);
    this.#write(bytes.slice());
    if (fd === 2) this.#write(PLAIN);
  }

  /** What the terminal says itself, in a line of its own. @param {string} text */
  say(text) {
    this.#write('', () => {
      const isBegun = this.screen.buffer.active.cursorX > 0;
      this.#write(`${isBegun ? '\r\n' : ''}${FAINT}${text}${PLAIN}\r\n`);
    });
  }

  clear() {
    this.screen.clear();
  }

  focus() {
    this.screen.focus();
  }

  /** @param {string | Uint8Array} data @param {() => void} [done] */
  #write(data, done) {
    this.line.hide();
    this.#waiting += data.length + 1;
    this.#holdOrNot();
    this.screen.write(data, () => {
      done?.();
      this.#waiting -= data.length + 1;
      this.#holdOrNot();
      if (this.#waiting === 0) this.line.show(this.screen.buffer.active.cursorX);
    });
  }

  #holdOrNot() {
    const isHeld = this.#waiting > (this.#isHeld ? LOW : HIGH);
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.actions.hold(isHeld);
  }
}

/** Where a terminal is put. */
export const terminalPlace = () => make('div', { class: 'terminal-place' });
