/** The form of a room: which one, and who one is there. */
import { roomOf } from '../../netcode.js';
import { button, field, make, sayStatus, statusLine } from '../../page/dom.js';

/** @typedef {'idle' | 'busy' | 'open' | 'failed'} State */

export class RoomForm {
  /** @param {{ onjoin: () => void, onleave: () => void }} told */
  constructor({ onjoin, onleave }) {
    this.status = statusLine('Not in a room');
    this.roomField = make('input', {
      value: roomOf(location.href).room,
      required: true,
      maxlength: 64,
      pattern: '\\w[\\w.~\\-]*',
      title: 'letters, digits and _.~-',
      spellcheck: 'false',
      autocapitalize: 'off',
    });
    this.nameField = make('input', {
      value: `guest ${100 + Math.floor(Math.random() * 900)}`,
      maxlength: 16,
      pattern: '[ -~]*',
      title: 'ASCII',
      spellcheck: 'false',
    });
    this.join = make('button', { type: 'submit', class: 'primary' }, 'Join');
    this.leave = button('Leave', onleave);
    /** More buttons may be put here. */
    this.actions = make('div', { class: 'row' }, this.join, this.leave);
    this.note = make('p', { class: 'failure', role: 'alert', hidden: true });
    this.element = make(
      'form',
      {
        class: 'card controls',
        autocomplete: 'off',
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          onjoin();
        },
      },
      make(
        'fieldset',
        {},
        make('legend', {}, 'Room'),
        this.status,
        make(
          'div',
          { class: 'row' },
          field('Room', this.roomField),
          field('Your name', this.nameField),
        ),
        this.actions,
        this.note,
      ),
    );
    this.say('idle', 'Not in a room');
  }

  get room() {
    return this.roomField.value;
  }

  get name() {
    return this.nameField.value;
  }

  /** How it stands. @param {State} state @param {string} text @param {boolean} [isIn] in the room all the same */
  say(state, text, isIn = state === 'open') {
    sayStatus(this.status, state, text);
    this.join.disabled = isIn || state === 'busy';
    this.leave.disabled = !isIn;
    this.roomField.disabled = this.nameField.disabled = isIn;
  }
}
