/** The panel 'Your own'. */
import { make } from '../page/dom.js';

export const id = 'own';
export const title = 'Your own';
export const about =
  'A module that you have built, on this page. Drop it here, choose its protocol and an address, and see its calls.';

/** @type {import('../page/panels.js').Panel['mount']} */
export function mount(element) {
  element.append(make('p', { class: 'card' }, 'Not here yet.'));
}
