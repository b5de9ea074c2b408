import fs from 'node:fs';
import net from 'node:net';
import tty from 'node:tty';
import { CAN_READ, CAN_WRITE, CAN_WRITE_EOF, WANTS_CORK } from '../connection.js';
import { fromNode } from './node-error.js';
import { Landing, SocketConnection } from './node-socket.js';

/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('../request.js').Carrier} Carrier */
/** @typedef {import('../request.js').Open} Open */
/** @typedef {import('../request.js').Request} Request */

/** What a pipe holds. A reader that keeps up could else empty it again and again while one `write` lasts. */
const PIPE_SIZE = 65536;

/** A pipe to read from. */
export class ReadPipe extends SocketConnection {
  /**
   * @param {Instance} instance
   * @param {net.Socket} socket
   * @param {Landing | null} landing
   * @param {number} [fd]
   */
  constructor(instance, socket, landing, fd) {
    super(instance, socket, landing, CAN_READ);
    this.fd = fd;
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'pipe' && this.fd !== undefined) return String(this.fd);
  }
}

/**
 * A pipe to write to. Where it is a socket it is read from too, for the end that says that its reader has gone [E7]; of
 * a true pipe Node tells that only when the next write fails.
 */
export class WritePipe extends SocketConnection {
  /** @param {Instance} instance @param {net.Socket} socket @param {number} [fd] */
  constructor(instance, socket, fd) {
    super(instance, socket, null, CAN_WRITE | CAN_WRITE_EOF | WANTS_CORK);
    this.fd = fd;
    this.most = PIPE_SIZE;
    socket.resume();
  }

  /** Nobody reads it. @override */
  came() {}

  /** It is watched all the time, and never paused. @param {boolean} on @override */
  setReading(on) {
    this.reading = on;
    if (on) this.inbox.resume();
  }

  /** A socket closed by a reader that has not read everything is reset. @param {NodeJS.ErrnoException} error @override */
  broke(error) {
    if (error.syscall === 'read') this.eof();
    else super.broke(error);
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'pipe' && this.fd !== undefined) return String(this.fd);
  }
}

/** Throws what the system says of a descriptor that is not open, or not that way. @param {number} fd @param {boolean} isRead */
function check(fd, isRead) {
  const none = new Uint8Array(0);
  const found = fs.fstatSync(fd);
  if (!found.isFIFO()) return found.isSocket();
  if (isRead) fs.readvSync(fd, [none]);
  else fs.writeSync(fd, none, 0, 0);
  return false;
}

/** @param {boolean} isRead @returns {Open} */
const opener = (isRead) => (request, address) => {
  const { instance } = request;
  const fd = Number(/^fd:(\d+)$/.exec(address)?.[1] ?? Number.NaN);
  if (!Number.isInteger(fd)) return request.failed('EBADF', 0, 'not a descriptor');
  try {
    const isSocket = check(fd, isRead);
    const landing = isRead && instance.memory.growsInPlace ? new Landing(instance) : null;
    if (tty.isatty(fd)) {
      const terminal = isRead ? new tty.ReadStream(fd) : new tty.WriteStream(fd);
      terminal.pause();
      request.opened(
        isRead ? new ReadPipe(instance, terminal, null, fd) : new WritePipe(instance, terminal, fd),
      );
      return;
    }
    const socket = new net.Socket({
      fd,
      readable: isRead || isSocket,
      writable: !isRead,
      allowHalfOpen: true,
      .../** @type {object} */ (landing && { onread: landing.onread }),
    });
    socket.pause();
    request.opened(
      isRead ? new ReadPipe(instance, socket, landing, fd) : new WritePipe(instance, socket, fd),
    );
  } catch (error) {
    const { code, native, message } = fromNode(error);
    if (code === 'ERR_INVALID_FD_TYPE')
      request.failed('EPERM', 0, 'nothing to be waited for: a file, or a device');
    else request.failed(code, native, message);
  }
};

/** A pipe, FIFO, socket or terminal; it is the transport's from then on. @type {Carrier} */
export const nodePipe = { readPipe: opener(true), writePipe: opener(false) };
