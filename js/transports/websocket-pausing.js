/** @typedef {import('../request.js').HostOptions} HostOptions */

/**
 * For WebSockets that tell when bytes have left, and that can be paused, so that the peer is held back: `send(bytes, left)`,
 * `pause()`, `resume()`. The inbox is for what has been taken apart by then. (The class to extend is given, so that a page
 * loads it once, and this only if it can use it.)
 * @param {typeof import('./websocket.js').WebSocketConnection} WebSocketConnection
 * @returns {typeof WebSocketConnection}
 */
export const pausing = (WebSocketConnection) =>
  class extends WebSocketConnection {
    #sending = 0;

    /**
     * @param {import('../instance.js').Instance} instance
     * @param {any} socket
     * @param {HostOptions} options
     * @param {string} subprotocol
     */
    constructor(instance, socket, options, subprotocol) {
      super(instance, socket, { ...options, inbox: Number.POSITIVE_INFINITY }, subprotocol);
      this.inbox.onempty = () => this.reading && socket.resume();
      socket.pause();
    }

    /** @param {string} name @override */
    extraInfo(name) {
      if (name === 'read_backpressure') return 'stream';
      return super.extraInfo(name);
    }

    /** @param {boolean} on @override */
    setReading(on) {
      super.setReading(on);
      if (!on) this.socket.pause();
      else if (this.inbox.isEmpty) this.socket.resume();
    }

    /** @param {Uint8Array<ArrayBuffer>} bytes @override */
    send(bytes) {
      const isView = bytes.buffer === this.instance.memory.u8.buffer;
      this.#sending++;
      this.socket.send(isView ? bytes.slice() : bytes, () => {
        this.#sending--;
        if (this.waiting) this.instance.turn(() => this.drain());
      });
    }

    /** @override */
    await() {
      if (this.#sending === 0) this.instance.later(() => this.drain());
    }

    /** It reads on for the peer's answer. @param {number} code @override */
    shut(code) {
      super.shut(code);
      this.socket.resume();
    }
  };
