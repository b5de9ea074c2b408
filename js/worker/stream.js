/**
 * One end of a pipe between the page and a Worker, over shared memory (ring.js) or messages (messages.js); both sides have
 * the same.
 * @typedef {import('./ring.js').RingReader | import('./messages.js').MessageReader | typeof nothing} Reader
 * @typedef {import('./ring.js').RingWriter | import('./messages.js').MessageWriter | typeof nowhere} Writer
 */

const none = new Uint8Array(0);

/** A reader of what is empty. */
export const nothing = {
  ended: true,
  peek: () => none,
  take: (/** @type {number} */ _size) => {},
  close: () => {},
};

/** A writer to where nobody reads. */
export const nowhere = {
  closed: false,
  room: Number.POSITIVE_INFINITY,
  write: (/** @type {Uint8Array} */ bytes) => bytes.length,
  end: () => {},
};
