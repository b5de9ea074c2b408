/** @typedef {import('./connection.js').Connection} Connection */
/** @typedef {import('./request.js').Listener} Listener */
/** @typedef {import('./request.js').HostOptions} HostOptions */

/**
 * What JavaScript may say of a connection or a server.
 * @typedef {object} OwnOptions
 * @property {string} protocol the constructor that the module exports: `tow_protocol *NAME(tow_loop *, void *context)`
 * @property {number} [context] the constructor's context: an address in the module, or 0
 * @property {number} [timeout] milliseconds until it is open; 0: none; 30 seconds unless said
 * @property {number} [high] write buffer limits, in bytes
 * @property {number} [low]
 * @property {AbortSignal} [signal]
 * @typedef {OwnOptions & Partial<HostOptions>} Options
 */

/** A request of JavaScript's own, from the call to its one result. Of a server it lives as long as the server. */
export class Token {
  /** What the module knows it by. */
  id = 0;
  /** The protocol made last. */
  protocol = 0;
  /** @type {Connection | undefined} */
  connection = undefined;
  /** @type {Listener | undefined} */
  listener = undefined;

  /**
   * @param {string} address
   * @param {Options} options
   * @param {(error: Error | null) => void} settle
   */
  constructor(address, options, settle) {
    this.address = address;
    this.options = options;
    this.settle = settle;
  }

  /** @param {Error} error */
  abandon(error) {
    this.settle(error);
  }
}
