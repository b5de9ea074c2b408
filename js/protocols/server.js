import { Server } from '../server.js';

/** What accepts connections for protocols in JavaScript. */
export class ProtocolServer extends Server {
  #forget;

  /** @internal @param {import('../listener.js').Listener} listener @param {() => void} forget its factory */
  constructor(listener, forget) {
    super(listener);
    this.#forget = forget;
  }

  /** Stops accepting; its connections live on. @override */
  close() {
    super.close();
    this.#forget();
  }
}
