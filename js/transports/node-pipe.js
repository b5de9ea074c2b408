import fs from 'node:fs';
import net from 'node:net';
import tty from 'node:tty';
import { CAN_READ, CAN_WRITE, CAN_WRITE_EOF, WANTS_CORK } from '../connection.js';
import { fromNode } from './node-error.js';
import { Landing, SocketConnection } from './node-socket.js';

/** @typedef {import('../instance.js').Instance} Instance */
/** @typedef {import('../request.js').Carrier} Carrier */
/** @typedef {import('../request.js').Open} Open */

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
    if (name === 'read_backpressure') return 'stream';
  }
}

/** A pipe to write to. It is read from too, for the end or the error that says that its reader has gone [E7]. */
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

  /**
   * A socket whose reader goes without having read everything is reset; a pipe's cannot be read at all.
   * @param {NodeJS.ErrnoException} error
   * @override
   */
  broke(error) {
    if (error.syscall === 'read') this.eof();
    else super.broke(error);
  }

  /** @param {string} name @override */
  extraInfo(name) {
    if (name === 'pipe' && this.fd !== undefined) return String(this.fd);
  }
}

/**
 * Throws what the system says of a descriptor that is not open, or not that way.
 * @param {number} fd
 * @param {boolean} isRead
 */
function check(fd, isRead) {
  const none = new Uint8Array(0);
  const found = fs.fstatSync(fd);
  const isPipe = found.isFIFO();
  if (isPipe && isRead) fs.readvSync(fd, [none]);
  else if (isPipe) fs.writeSync(fd, none, 0, 0);
  return { isPipe, isSocket: found.isSocket() };
}

/**
 * What Node writes a true pipe with, such that its reader's going is told at once [E7]: a handle that is polled for
 * reading although it cannot be read, so that there is an error then. Node has this for its own use only. Undefined:
 * not here; then the next write tells.
 * @param {number} fd
 */
function watchingHandle(fd) {
  if (process.platform !== 'linux') return undefined;
  try {
    const { TCP, constants } = /** @type {any} */ (process).binding('tcp_wrap');
    const handle = new TCP(constants.SOCKET);
    return handle.open(fd) === 0 ? handle : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it can be read, too: then somebody else may want what is in it. @param {number} fd */
function isReadable(fd) {
  try {
    check(fd, true);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {Instance} instance
 * @param {number} fd
 * @returns {ReadPipe}
 */
function openReader(instance, fd) {
  check(fd, true);
  if (tty.isatty(fd)) return new ReadPipe(instance, new tty.ReadStream(fd).pause(), null, fd);
  const landing = instance.memory.growsInPlace ? new Landing(instance) : null;
  const socket = new net.Socket({
    fd,
    writable: false,
    allowHalfOpen: true,
    .../** @type {object} */ (landing && { onread: landing.onread }),
  });
  return new ReadPipe(instance, socket.pause(), landing, fd);
}

/**
 * @param {Instance} instance
 * @param {number} fd
 * @returns {WritePipe}
 */
function openWriter(instance, fd) {
  const { isPipe, isSocket } = check(fd, false);
  if (tty.isatty(fd)) return new WritePipe(instance, new tty.WriteStream(fd), fd);
  const handle = isPipe && !isReadable(fd) ? watchingHandle(fd) : undefined;
  const options = handle ? { handle } : { fd, readable: isSocket };
  const socket = new net.Socket({ ...options, writable: true, allowHalfOpen: true });
  return new WritePipe(instance, socket, fd);
}

/** @param {(instance: Instance, fd: number) => SocketConnection} make @returns {Open} */
const opener = (make) => (request, address) => {
  const fd = /^fd:(\d+)$/.exec(address)?.[1];
  if (!fd) return request.failed('EBADF', 0, 'not a descriptor');
  try {
    request.opened(make(request.instance, Number(fd)));
  } catch (error) {
    const { code, native, message } = fromNode(error);
    if (code === 'ERR_INVALID_FD_TYPE')
      request.failed('EPERM', 0, 'nothing to be waited for: a file, or a device');
    else request.failed(code, native, message);
  }
};

/** A pipe, FIFO, socket or terminal; it is the transport's from then on. @type {Carrier} */
export const nodePipe = { readPipe: opener(openReader), writePipe: opener(openWriter) };
