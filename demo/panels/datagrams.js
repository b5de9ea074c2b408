/** The panel 'Datagrams'. */
import { make } from '../page/dom.js';

export const id = 'datagrams';
export const title = 'Datagrams';
export const about =
  'Positions sixty times a second between pages, over WebRTC, by one protocol in C. What is lost or late can be seen.';

/** @type {import('../page/panels.js').Panel['mount']} */
export function mount(element) {
  element.append(make('p', { class: 'card' }, make('a', { href: 'netcode.html' }, 'The netcode')));
}
