/** The others, with what the C knows of the way to each. */
import { number as inWords, make } from '../../page/dom.js';
import { OWN, propertyOf, SILENT } from './arena.js';

/** @typedef {import('../../netcode.js').Peer} Peer */
/** @typedef {import('./course.js').Course} Course */

/** @param {number} value negative: not known yet @param {number} digits @param {string} unit */
function figure(value, digits, unit) {
  if (value < 0) return make('dd', {}, '–');
  return make('dd', {}, value.toFixed(digits), make('small', {}, ` ${unit}`));
}

/** @param {Peer} peer @param {number} rounded @param {boolean} isCharted */
function row({ number, name, rate, roundTrip, loss, jitter, silence }, rounded, isCharted) {
  /** @type {[string, HTMLElement][]} */
  const figures = [
    ['Packets', figure(rate, 0, '/s')],
    ['Round trip', figure(roundTrip, roundTrip < 10 ? 1 : 0, 'ms')],
    ['Loss', figure(loss < 0 ? loss : loss * 100, 1, '%')],
    ['Jitter', figure(jitter, 1, 'ms')],
    ['Buoys', make('dd', {}, inWords(rounded))],
  ];
  const item = make(
    'li',
    { 'data-silent': silence > SILENT },
    make(
      'p',
      { class: 'name' },
      make('span', {}, name),
      isCharted && make('small', {}, 'in the charts'),
    ),
    make(
      'dl',
      {},
      ...figures.map(([label, value]) => make('div', {}, make('dt', {}, label), value)),
    ),
  );
  item.style.setProperty('--boat', `var(${propertyOf(number)})`);
  return item;
}

export class Others {
  constructor() {
    this.own = make('output', { class: 'muted', 'aria-label': 'Buoys you have rounded' });
    this.list = make('ul', { class: 'others', 'aria-label': 'The others' });
    this.element = make(
      'section',
      { class: 'card', 'aria-label': 'Players' },
      make('div', { class: 'title' }, make('h2', {}, 'The others'), this.own),
      this.list,
    );
  }

  /** @param {Peer[]} peers the first is in the charts @param {Course} course */
  show(peers, course) {
    const rounded = course.count(OWN);
    const own = `You: ${inWords(rounded)} ${rounded === 1 ? 'buoy' : 'buoys'}`;
    if (this.own.textContent !== own) this.own.textContent = own; // what is set is read out
    this.list.replaceChildren(
      ...peers.map((peer, index) => row(peer, course.count(peer.number), index === 0)),
    );
    if (peers.length === 0)
      this.list.append(
        make('li', { class: 'nobody' }, 'Nobody yet. Open a second player, or run one in a shell.'),
      );
  }
}
