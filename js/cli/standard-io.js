/** This program's standard input and output, for a protocol: either can be held back, and holds back. */
export class StandardIO {
  /** @type {() => void} */
  #stop = () => {};

  /**
   * Hands over what is read of standard input, and its end.
   * @param {{data: (bytes: Buffer) => void, end: () => void}} to
   */
  read({ data, end }) {
    const { stdin } = process;
    let isOver = false;
    const finish = () => {
      if (!isOver) end();
      isOver = true;
    };
    stdin.on('data', (bytes) => isOver || data(/** @type {Buffer} */ (bytes)));
    stdin.on('end', finish);
    stdin.on('error', finish); // a terminal that has gone
    this.#stop = () => {
      isOver = true;
      stdin.destroy();
    };
  }

  /** Nobody wants any more of it. */
  stopReading() {
    this.#stop();
  }

  pause() {
    process.stdin.pause();
  }

  resume() {
    process.stdin.resume();
  }

  /**
   * Writes, and holds back who reads while that waits.
   * @param {Uint8Array} data
   * @param {{pauseReading: () => void, resumeReading: () => void}} transport
   */
  write(data, transport) {
    if (process.stdout.write(data.slice())) return;
    transport.pauseReading();
    process.stdout.once('drain', () => transport.resumeReading());
  }
}
