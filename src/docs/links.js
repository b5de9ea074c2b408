// A TypeDoc plugin: the way to the C reference, on every page.

/** @param {any} app TypeDoc's Application */
export function load(app) {
  app.renderer.hooks.on('sidebar.begin', (/** @type {any} */ context) => ({
    tag: 'a',
    props: { href: context.relativeURL('../c/index.html') },
    children: ['Towline in C'],
  }));
}
