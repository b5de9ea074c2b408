/** The messages as they come, as people talk: whose topic it was, what was said; and who is there. */
import { button, bytes, make, number } from '../../page/dom.js';
import { LONGEST_NAME, presentOf, speakerOf } from './names.js';

/** @typedef {import('../../session.js').Message} Message */

/** How much of a payload is shown, and how many messages are. */
export const PREVIEW = 2000;
const MESSAGES = 200;
const HEX = 12;
/** How many are named as being there, and how many are known. */
const NAMED = 24;
const KNOWN = 1000;
/** How much is shown of a topic. */
const LONGEST_TOPIC = 120;

/** Text as it is; of other bytes the first few. @param {Message} message */
function preview({ payload, size }) {
  const text = new TextDecoder().decode(payload);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what makes it binary
  if (!/[\0-\x08\x0e-\x1f\ufffd]/.test(text))
    return make('p', { class: 'said' }, size > payload.length ? `${text} …` : text);
  const hex = Array.from(payload.subarray(0, HEX), (byte) => byte.toString(16).padStart(2, '0'));
  return make('p', { class: 'said binary' }, `${hex.join(' ')}${size > HEX ? ' …' : ''}`);
}

export class Chat {
  /** Names of those who are there, by their client ids. @type {Map<string, string>} */
  #present = new Map();
  #count = 0;

  /** @param {(text: string) => void} say publishes what is typed */
  constructor(say) {
    this.name = '';
    /** The client id of this page. */
    this.id = '';
    this.count = make('span', { class: 'muted' }, '0');
    this.people = make('ul', { class: 'people', 'aria-label': 'Who is here' });
    this.list = make('div', {
      class: 'talk',
      role: 'log',
      tabindex: 0,
      'aria-label': 'Messages',
      'data-empty': 'Nothing yet. Say something here, or open a second page and talk to it.',
    });
    this.text = make('input', {
      required: true,
      'aria-label': 'Say something',
      placeholder: 'Say something',
      autocomplete: 'off',
    });
    this.fieldset = make(
      'fieldset',
      { disabled: true },
      this.text,
      make('button', { type: 'submit', class: 'primary' }, 'Send'),
    );
    this.form = make(
      'form',
      {
        class: 'say',
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          say(this.text.value);
          this.text.value = '';
        },
      },
      this.fieldset,
    );
    this.element = make(
      'section',
      { class: 'card chat', 'aria-label': 'Chat' },
      make(
        'div',
        { class: 'title' },
        make('h2', {}, 'Messages'),
        this.count,
        button('Clear', () => this.clear(), { class: 'quiet', 'aria-label': 'Clear messages' }),
        make(
          'a',
          { class: 'second', href: '#mqtt', target: '_blank', rel: 'noopener' },
          'Open a second page',
        ),
      ),
      this.people,
      this.list,
      this.form,
    );
    this.#drawPeople();
  }

  /** @param {boolean} isOpen */
  set isOpen(/** @type {boolean} */ isOpen) {
    this.fieldset.disabled = !isOpen;
    if (isOpen) return;
    this.#present.clear();
    this.#drawPeople();
  }

  clear() {
    this.#count = 0;
    this.count.textContent = '0';
    this.list.replaceChildren();
  }

  /** @param {Message} message */
  add(message) {
    const who = presentOf(message.topic);
    if (who === undefined) this.#show(message);
    else this.#seen(who, new TextDecoder().decode(message.payload));
  }

  // ---- Who is there ----

  /** @param {string} id @param {string} name '': it is gone */
  #seen(id, name) {
    this.#present.delete(id);
    if (name && this.#present.size < KNOWN) this.#present.set(id, name.slice(0, LONGEST_NAME));
    this.#drawPeople();
  }

  #drawPeople() {
    const present = [...this.#present].slice(0, NAMED);
    const items = present.map(([id, name]) =>
      make('li', { 'data-own': id === this.id }, id === this.id ? `${name} (you)` : name),
    );
    const more = this.#present.size - present.length;
    if (more > 0) items.push(make('li', {}, `and ${number(more)} more`));
    if (items.length === 0) items.push(make('li', { class: 'nobody' }, 'Nobody is here yet'));
    this.people.replaceChildren(...items);
  }

  // ---- What is said ----

  /** @param {Message} message */
  #show(message) {
    const { topic, size, qos, retain, dup } = message;
    const speaker = speakerOf(topic);
    const facts = [`QoS ${qos}`, retain && 'retained', dup && 'again', bytes(size)].filter(Boolean);
    const kind = speaker === undefined ? 'other' : speaker === this.name ? 'own' : 'theirs';
    const { list } = this;
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 48;
    list.append(
      make(
        'article',
        { class: kind },
        make(
          'p',
          { class: 'who' },
          make('b', { title: topic }, (speaker ?? topic).slice(0, LONGEST_TOPIC)),
          make('time', {}, new Date().toLocaleTimeString()),
        ),
        size > 0 && preview(message),
        make('small', {}, facts.join(' · ')),
      ),
    );
    if (list.children.length > MESSAGES) list.firstElementChild?.remove();
    if (isAtEnd) list.scrollTop = list.scrollHeight;
    this.count.textContent = number(++this.#count);
  }
}
