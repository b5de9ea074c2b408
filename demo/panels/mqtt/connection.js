/** The form of a connection: who one is, where the broker is, and what it is to know. */
import { button, field, make, sayStatus, statusLine } from '../../page/dom.js';
import { LONGEST_NAME, NAME_PATTERN, presenceTopic } from './names.js';

/** @typedef {import('../../session.js').Settings} Settings */
/** @typedef {'idle' | 'busy' | 'open' | 'failed'} State */

const plain = { spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off' };

/** @param {Record<string, any>} attributes */
const input = (attributes) => make('input', { ...plain, ...attributes });

/** @param {string[]} values */
export const choice = (values, chosen = values[0]) =>
  make(
    'select',
    {},
    ...values.map((value) => make('option', { selected: value === chosen }, value)),
  );

export class ConnectionForm {
  #presence = '';

  /** @param {{ onconnect: () => void, ondisconnect: () => void, onrename: (name: string) => void }} told */
  constructor({ onconnect, ondisconnect, onrename }) {
    const id = `page-${crypto.randomUUID().slice(0, 8)}`;
    const random = 100 + Math.floor(Math.random() * 900);
    this.status = statusLine('Not connected');
    this.nameField = input({
      required: true,
      value: `guest ${random}`,
      pattern: NAME_PATTERN,
      maxlength: LONGEST_NAME,
      title: 'A name without +, # and /: it is a part of a topic',
      onchange: () => this.nameField.reportValidity() && onrename(this.name),
    });
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.address = input({
      type: 'url',
      required: true,
      value: `${scheme}://${location.host}/mqtt`,
    });
    this.user = input({ placeholder: 'none' });
    this.password = input({ type: 'password', placeholder: 'none' });
    this.subprotocol = input({ value: 'mqtt' });
    this.idField = input({
      value: id,
      placeholder: 'the broker chooses',
      oninput: () => this.#follow(),
    });
    this.keepAlive = make('input', {
      type: 'number',
      min: 0,
      max: 65535,
      value: 60,
      required: true,
    });
    this.#presence = presenceTopic(id);
    this.clean = make('input', { type: 'checkbox', checked: true });
    this.willTopic = input({ value: this.#presence, placeholder: 'no will' });
    this.willMessage = input({});
    this.willQos = choice(['0', '1', '2'], '1');
    this.willRetain = make('input', { type: 'checkbox', checked: true });
    this.connect = make('button', { type: 'submit', class: 'primary' }, 'Connect');
    this.disconnect = button('Disconnect', ondisconnect);
    this.element = make(
      'form',
      {
        class: 'card controls',
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          onconnect();
        },
      },
      make(
        'fieldset',
        {},
        make('legend', {}, 'Connection'),
        this.status,
        field('Your name', this.nameField),
        make('div', { class: 'row' }, this.connect, this.disconnect),
        this.#details(),
      ),
    );
    this.say('idle', 'Not connected');
  }

  #details() {
    const { address, user, password, subprotocol, idField, keepAlive } = this;
    const { clean, willTopic, willMessage, willQos, willRetain } = this;
    /** @param {...Node} children */
    const row = (...children) => make('div', { class: 'row' }, ...children);
    return make(
      'details',
      {},
      make('summary', {}, 'Broker, session, last will'),
      field('Address', address),
      row(field('User', user), field('Password', password)),
      row(field('Subprotocol', subprotocol), field('Keep alive, s', keepAlive)),
      field('Client id', idField),
      make('label', { class: 'check' }, clean, 'Clean session'),
      field('Will topic', willTopic),
      row(field('Will message', willMessage), field('Will QoS', willQos)),
      make('label', { class: 'check' }, willRetain, 'Retain the will'),
      make(
        'p',
        { class: 'muted' },
        'If this page vanishes, the broker publishes the will: by that the others see it leave.',
      ),
    );
  }

  get name() {
    return this.nameField.value.replace(/[+#/]/g, '').trim() || 'guest';
  }

  /** @returns {Settings} */
  get settings() {
    const topic = this.willTopic.value;
    const will = {
      topic,
      message: this.willMessage.value,
      qos: Number(this.willQos.value),
      retain: this.willRetain.checked,
    };
    return {
      id: this.idField.value,
      user: this.user.value,
      password: this.password.value,
      subprotocols: this.subprotocol.value,
      keepAlive: this.keepAlive.valueAsNumber,
      clean: this.clean.checked,
      will: topic ? will : undefined,
    };
  }

  /** The will says who has gone: unless it was made another, it goes with the id. */
  #follow() {
    const { idField, willTopic } = this;
    if (willTopic.value === this.#presence) willTopic.value = presenceTopic(idField.value);
    this.#presence = presenceTopic(idField.value);
  }

  /** How it stands. @param {State} state @param {string} text */
  say(state, text) {
    sayStatus(this.status, state, text);
    const isOpen = state === 'open';
    this.connect.disabled = isOpen || state === 'busy';
    this.disconnect.disabled = !isOpen && state !== 'busy';
  }
}
