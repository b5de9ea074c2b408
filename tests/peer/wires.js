/** The connections of a peer: of a socket, of a WebSocket. */

/** @typedef {import('node:net').Socket} Socket */

/**
 * A connection of the peer's. It reads only while somebody waits in `read`, so that a peer that does not read holds
 * the other end back.
 * @typedef {object} Wire
 * @property {() => Promise<Buffer | null>} read null at the end
 * @property {(bytes: Buffer) => Promise<void>} send until the system has taken all
 * @property {() => Promise<void>} shutdown sends no more
 * @property {() => void} close
 * @property {() => void} reset
 * @property {'open' | 'eof' | 'reset'} end
 * @property {true} [hasBoundaries] a read is one datagram
 * @property {() => Promise<void>} [cut] ends the channel of frames without saying so
 * @property {string} [wrong] what the other end may not have sent
 */

/** What has come, and whoever waits for it. */
export class Inbox {
  /** @type {Buffer[]} */
  #chunks = [];
  /** @type {(() => void) | undefined} */
  #wake;
  /** @type {'open' | 'eof' | 'reset'} */
  end = 'open';

  /** @param {Buffer} chunk */
  push(chunk) {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  /** @param {'eof' | 'reset'} end */
  finish(end) {
    if (this.end === 'open') this.end = end;
    this.#wake?.();
  }

  /**
   * @param {() => void} [resume] called while there is nothing
   * @returns {Promise<Buffer | null>}
   */
  async read(resume) {
    while (this.#chunks.length === 0 && this.end === 'open') {
      /** @type {Promise<void>} */
      const more = new Promise((resolve) => {
        this.#wake = resolve;
      });
      resume?.();
      await more;
    }
    return this.#chunks.shift() ?? null;
  }
}

/**
 * @param {Socket} socket
 * @returns {Wire}
 */
export function socketWire(socket) {
  const inbox = new Inbox();
  socket.pause();
  socket.on('data', (/** @type {Buffer} */ chunk) => {
    socket.pause();
    inbox.push(chunk);
  });
  socket.on('end', () => inbox.finish('eof'));
  socket.on('error', () => inbox.finish('reset'));
  socket.on('close', () => inbox.finish('eof'));
  return {
    read: () => inbox.read(() => socket.resume()),
    send: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    shutdown: () => new Promise((resolve) => socket.end(() => resolve())),
    close: () => void socket.destroy(),
    // A Unix socket has no reset: closing it with bytes unread is one.
    reset: () => void (socket.remoteAddress ? socket.resetAndDestroy() : socket.destroy()),
    get end() {
      return inbox.end;
    },
  };
}

/**
 * A WebSocket has no half-close: shutting down is closing with code 1000.
 * @param {import('ws').WebSocket} socket
 * @returns {Wire}
 */
export function webSocketWire(socket) {
  const inbox = new Inbox();
  socket.pause();
  socket.on('message', (/** @type {Buffer} */ data) => {
    socket.pause();
    inbox.push(data);
  });
  socket.on('error', () => inbox.finish('reset'));
  socket.on('close', (code) => inbox.finish(code === 1006 ? 'reset' : 'eof'));
  const close = () => {
    socket.resume();
    socket.close(1000);
  };
  return {
    read: () => inbox.read(() => socket.resume()),
    send: (bytes) =>
      new Promise((resolve, reject) => {
        socket.send(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    shutdown: async () => close(),
    close,
    reset: () => socket.terminate(),
    get end() {
      return inbox.end;
    },
  };
}
