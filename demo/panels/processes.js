/** The panel 'Processes'. */
import { make } from '../page/dom.js';

export const id = 'processes';
export const title = 'Processes';
export const about =
  'A program in a Worker, with a terminal. Its standard streams and its end are calls of a subprocess protocol.';

/** @type {import('../page/panels.js').Panel['mount']} */
export function mount(element) {
  element.append(make('p', { class: 'card' }, 'Not here yet.'));
}
