/**
 * xterm.js writes its styles into <style> elements, which the page's policy does not allow; what a script makes of the
 * same text is a style sheet as any other.
 */

const create = /** @type {(name: string, options?: any) => any} */ (
  document.createElement.bind(document)
);

/** What stands for a <style>: its text becomes a sheet of the page. */
function styleElement() {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  const element = create('span');
  element.hidden = true;
  Object.defineProperty(element, 'textContent', {
    set: (/** @type {string} */ text) => sheet.replaceSync(text),
  });
  return element;
}

/** Runs what makes <style> elements. @param {() => void} run */
export function withStyleSheets(run) {
  document.createElement = (/** @type {string} */ name, /** @type {any} */ options) =>
    name === 'style' ? styleElement() : create(name, options);
  try {
    run();
  } finally {
    // @ts-expect-error: the prototype has it
    delete document.createElement;
  }
}
