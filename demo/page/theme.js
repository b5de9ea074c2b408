/** The page's theme: the system's, dark or light, remembered. Colours are asked for by their custom properties' names. */

const KEY = 'theme';
const THEMES = ['system', 'light', 'dark'];

/** @type {Set<() => void>} */
const listeners = new Set();
const system = matchMedia('(prefers-color-scheme: dark)');

/** Storage may be refused to a page. */
function remembered() {
  try {
    const theme = localStorage.getItem(KEY) ?? '';
    return THEMES.includes(theme) ? theme : 'system';
  } catch {
    return 'system';
  }
}

/** @param {string} theme */
function set(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {}
  for (const listener of listeners) listener();
}

/** @param {HTMLSelectElement} select */
export function startTheme(select) {
  select.value = remembered();
  document.documentElement.dataset.theme = select.value;
  select.addEventListener('change', () => set(select.value));
  system.addEventListener('change', () => {
    for (const listener of listeners) listener();
  });
}

/** Calls when colours have changed. @param {() => void} listener */
export const onTheme = (listener) => void listeners.add(listener);

/** What a custom property stands for now, for canvases: '--data'. @param {string} property */
export function colour(property) {
  const probe = document.createElement('span');
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
