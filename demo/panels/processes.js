/** The panel of processes: a program with a terminal, and two in a row. */
import { make } from '../page/dom.js';
import { makeConsole } from './processes/console.js';
import { makePipeline } from './processes/pipeline.js';
import { pipelinesOf } from './processes/programs.js';

export const id = 'processes';
export const title = 'Processes';
export const about =
  'Programs that know nothing of this page run in Workers, as child processes: what they read and write are pipes, ' +
  'and a subprocess protocol in C hears of it. Ctrl-C and Kill end the one that spins, and in a pipeline nobody writes ' +
  'faster than the next one reads.';

/** @param {string} path of a style sheet */
const sheet = (path) =>
  make('link', { rel: 'stylesheet', href: new URL(path, import.meta.url).href });

/** What is not there, and how it would be. */
const missing = () =>
  make(
    'p',
    { class: 'card banner', role: 'note' },
    'Lua is not here: its source is fetched by apt, and could not be. The other programs run; ',
    make('code', {}, 'make lua'),
    ' tries again.',
  );

/**
 * Two views, one of which is shown.
 * @param {{title: string, element: HTMLElement, onshow?: () => void}[]} views
 */
function tabs(views) {
  const list = make('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Processes' });
  const buttons = views.map(({ title, element }, index) => {
    const name = title.toLowerCase();
    element.id = `processes-${name}`;
    element.setAttribute('role', 'tabpanel');
    element.setAttribute('aria-label', title);
    return make(
      'button',
      {
        type: 'button',
        role: 'tab',
        'aria-controls': element.id,
        onclick: () => show(index),
        onkeydown: (/** @type {KeyboardEvent} */ { key }) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
          if (step === undefined) return;
          const to = (index + step + views.length) % views.length;
          show(to);
          buttons[to].focus();
        },
      },
      title,
    );
  });
  /** @param {number} chosen */
  function show(chosen) {
    for (const [index, { element, onshow }] of views.entries()) {
      const isShown = index === chosen;
      buttons[index].setAttribute('aria-selected', String(isShown));
      buttons[index].tabIndex = isShown ? 0 : -1;
      element.hidden = !isShown;
      if (isShown) onshow?.();
    }
  }
  list.append(...buttons);
  show(0);
  return list;
}

/** @type {import('../page/panels.js').Panel['mount']} */
export async function mount(element, { config: { programs } }) {
  document.head.append(
    sheet('../../node_modules/@xterm/xterm/css/xterm.css'),
    sheet('processes.css'),
  );
  const terminal = await makeConsole(id, programs);
  const pipeline = makePipeline(id, pipelinesOf(programs), programs);
  const places = [terminal.bench, pipeline.bench].map((bench) => {
    const place = make('div', {});
    bench.mount(place);
    return place;
  });
  const views = [
    { title: 'Terminal', element: places[0] },
    { title: 'Pipeline', element: places[1] },
  ].map((view) => ({ ...view, onshow: () => view.element.dispatchEvent(new Event('show')) }));
  if (!programs.includes('lua')) element.append(missing());
  element.append(tabs(views), ...places);
  element.addEventListener('show', () => {
    for (const place of places) if (!place.hidden) place.dispatchEvent(new Event('show'));
  });
  await terminal.begin();
}
