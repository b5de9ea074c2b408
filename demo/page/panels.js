/** The panels, in their order. What a panel is, is fetched when it is first shown. */

/**
 * What all panels share.
 * @typedef {object} Shared
 * @property {{tcp: string, user: string, password: string, compile?: string, programs: string[]}} config what the server tells
 *
 * @typedef {object} Panel
 * @property {string} id
 * @property {string} title
 * @property {string} about two sentences: what it shows
 * @property {(element: HTMLElement, shared: Shared) => void | Promise<void>} mount builds it in that element, once. The element
 *   is told by events of being shown and hidden: 'show', 'hide'
 */

/** @type {{id: string, title: string, load: () => Promise<Panel>}[]} */
export const panels = [
  { id: 'stream', title: 'Stream', load: () => import('../panels/stream.js') },
  { id: 'mqtt', title: 'MQTT', load: () => import('../panels/mqtt.js') },
  { id: 'datagrams', title: 'Datagrams', load: () => import('../panels/datagrams.js') },
  { id: 'processes', title: 'Processes', load: () => import('../panels/processes.js') },
  { id: 'own', title: 'Your own', load: () => import('../panels/own.js') },
];
