/** The panel 'MQTT'. */
import { make } from '../page/dom.js';

export const id = 'mqtt';
export const title = 'MQTT';
export const about =
  'An MQTT client in one C file, on this page, and a broker on the server. Two pages can talk through it, and the native client joins from a shell.';

/** @type {import('../page/panels.js').Panel['mount']} */
export function mount(element) {
  element.append(make('p', { class: 'card' }, make('a', { href: 'mqtt.html' }, 'The MQTT client')));
}
