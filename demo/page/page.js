/** The shell: one panel at a time, named by the address's hash. */
import { explain, make } from './dom.js';
import { panels } from './panels.js';
import { startTheme } from './theme.js';

/** @typedef {import('./panels.js').Shared} Shared */

const main = /** @type {HTMLElement} */ (document.getElementById('main'));
const nav = /** @type {HTMLElement} */ (document.getElementById('panels'));

startTheme(/** @type {HTMLSelectElement} */ (document.getElementById('theme')));

/** @type {Promise<Shared['config']>} */
const config = fetch('config.json').then((response) => response.json());

/** Those that were shown. @type {Map<string, HTMLElement>} */
const shown = new Map();
/** @type {HTMLElement | undefined} */
let current;

const links = panels.map(({ id, title }) => make('a', { href: `#${id}` }, title));
nav.append(...links);
nav.addEventListener('keydown', (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const at = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
  if (step && at >= 0) links.at((at + step) % links.length)?.focus();
});

/** @param {(typeof panels)[number]} panel */
async function build({ id, title, load }) {
  const section = make('section', { class: 'panel', id: `panel-${id}`, 'aria-label': title });
  main.append(section);
  try {
    const panel = await load();
    section.append(
      make('div', { class: 'intro' }, make('h1', {}, panel.title), make('p', {}, panel.about)),
    );
    await panel.mount(section, { config: await config });
  } catch (error) {
    section.append(make('p', { class: 'failure', role: 'alert' }, explain(error)));
    console.error(error);
  }
}

function show() {
  const id = location.hash.slice(1);
  if (id === 'main' && current) return;
  const panel = panels.find((one) => one.id === id) ?? panels[0];
  for (const [index, { id }] of panels.entries()) {
    if (id === panel.id) links[index].setAttribute('aria-current', 'page');
    else links[index].removeAttribute('aria-current');
  }
  document.title = `${panel.title} · Towline`;
  let section = shown.get(panel.id);
  if (!section) {
    build(panel);
    section = /** @type {HTMLElement} */ (main.lastElementChild);
    shown.set(panel.id, section);
  }
  if (section === current) return;
  if (current) {
    current.hidden = true;
    current.dispatchEvent(new Event('hide'));
    scrollTo(0, 0);
  }
  current = section;
  section.hidden = false;
  section.dispatchEvent(new Event('show'));
}

addEventListener('hashchange', show);
show();
