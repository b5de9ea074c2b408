/** A command for a shell, as it is to be typed, and a button that copies it. */
import { button, make } from '../page/dom.js';

/** How long it is said that it was copied, in milliseconds. */
const SAID = 2000;

export class Command {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {string} purpose in words @param {string} [text] */
  constructor(purpose, text = '') {
    const id = `command-${crypto.randomUUID().slice(0, 8)}`;
    this.code = make('code');
    this.text = text;
    this.copy = button('Copy', () => this.#copy(), { class: 'quiet', 'aria-describedby': id });
    this.element = make(
      'div',
      { class: 'command' },
      make('p', { id }, purpose),
      make('pre', { tabindex: 0, 'aria-labelledby': id }, this.code),
      this.copy,
    );
  }

  get text() {
    return this.code.textContent ?? '';
  }

  /** No line breaks inside a word. */
  set text(/** @type {string} */ text) {
    const words = text.split(' ').map((word) => make('span', {}, word));
    this.code.replaceChildren(
      ...words.flatMap((word, index) => (index > 0 ? [' ', word] : [word])),
    );
  }

  /** Where a page may not write to the clipboard, what is to be copied is selected. */
  async #copy() {
    try {
      await navigator.clipboard.writeText(this.text);
      this.copy.textContent = 'Copied';
    } catch {
      getSelection()?.selectAllChildren(this.code);
      this.copy.textContent = 'Selected';
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.copy.textContent = 'Copy';
    }, SAID);
  }
}
