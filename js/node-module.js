import { Module } from './module.js';

/** @typedef {import('./own-request.js').Options} Options */

/** A loaded module in Node, which can what a browser cannot. The promises and the errors are those of `connect`. */
export class NodeModule extends Module {
  /**
   * A transport on a descriptor, of a pipe, FIFO, socket or terminal, to read from it only. The descriptor is the
   * transport's then, which closes it in the end; unless this fails: 'EBADF' (not open, or not for that direction),
   * 'EPERM' (nothing to be waited for, as a file).
   * @param {number} fd
   * @param {Options} options
   */
  connectReadPipe(fd, options) {
    return this.open('readPipe', `fd:${fd}`, options);
  }

  /**
   * The same to write to it only. That its reader has gone is told at once [E7]; of a pipe only on Linux, elsewhere when
   * something is written.
   * @param {number} fd
   * @param {Options} options
   */
  connectWritePipe(fd, options) {
    return this.open('writePipe', `fd:${fd}`, options);
  }
}
