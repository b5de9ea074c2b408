/** What the simulated network does, by sliders. */
import { make, number } from '../../page/dom.js';

/** @typedef {import('./network.js').Network} Network */

/** How often it is said what it did, in milliseconds. */
const SAID = 500;

/**
 * @param {string} label
 * @param {{ most: number, step: number, unit: string }} scale
 * @param {(value: number) => void} set
 */
function slider(label, { most, step, unit }, set) {
  const id = `slider-${crypto.randomUUID().slice(0, 8)}`;
  const value = make('span', { class: 'value' }, `0 ${unit}`);
  const input = make('input', {
    type: 'range',
    id,
    min: 0,
    max: most,
    step,
    value: 0,
    'aria-valuetext': value.textContent,
    oninput: () => {
      value.textContent = `${input.value} ${unit}`;
      input.setAttribute('aria-valuetext', value.textContent);
      set(input.valueAsNumber);
    },
  });
  return make('div', { class: 'field' }, make('label', { for: id }, label), value, input);
}

/** @param {Network} network */
export function sliders(network) {
  const done = make('p', { role: 'note' });
  const say = () => {
    const { passed, lost } = network;
    done.textContent = `Done by this page, between its data channels and the C: ${number(lost)} of ${number(passed)} lost.`;
  };
  say();
  setInterval(say, SAID);
  return make(
    'form',
    { class: 'card controls simulated', autocomplete: 'off' },
    make(
      'fieldset',
      {},
      make('legend', {}, 'Network', make('span', { class: 'chip' }, 'simulated')),
      slider('Loss, each way', { most: 60, step: 1, unit: '%' }, (value) => {
        network.loss = value / 100;
      }),
      slider('Delay, each way', { most: 400, step: 5, unit: 'ms' }, (value) => {
        network.delay = value;
      }),
      slider('And by chance up to', { most: 200, step: 5, unit: 'ms' }, (value) => {
        network.jitter = value;
      }),
      done,
    ),
  );
}
