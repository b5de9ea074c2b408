/// <reference lib="esnext.disposable" preserve="true" />
/** @import { Listener } from './listener.js' */

/** What accepts connections. */
export class Server {
  #listener;

  /** @internal @param {Listener} listener */
  constructor(listener) {
    this.#listener = listener;
    /** Where to connect to; with the port that the system chose. */
    this.address = listener.address;
  }

  /** Stops accepting; the connections live on [O3]. */
  close() {
    if (this.#listener.own) this.#listener.abandon();
  }

  /** `close` on each of its connections. */
  closeClients() {
    for (const client of this.#listener.clients) client.ask('tow_transport_close');
  }

  /** `abort` on each of its connections. */
  abortClients() {
    for (const client of this.#listener.clients) client.ask('tow_transport_abort');
  }

  /**
   * What the host knows of it: 'sockname' ... (rule I1).
   * @template {string | undefined} [D=undefined]
   * @param {string} name
   * @param {D} [otherwise]
   * @returns {string | D}
   */
  getExtraInfo(name, otherwise) {
    return this.#listener.extraInfo(name) ?? /** @type {D} */ (otherwise);
  }

  /** For `await using`: stops accepting, and closes its connections. Resolves when they are closed. */
  async [Symbol.asyncDispose]() {
    this.close();
    this.closeClients();
    for (const { lost } of this.#listener.clients) await lost;
  }
}
