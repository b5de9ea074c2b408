import { StreamProtocol } from '../streams/stream-protocol.js';
import { readableOf, writableOf } from '../streams/web.js';
import { BaseTransport } from './base-transport.js';
import { checkInteger, checkText, wrong } from './checks.js';
import { kinds } from './protocol.js';

/** @import { TowlineError } from '../errors.js' */
/** @import { AnyProtocol } from './protocol.js' */
/** @import { Script } from './script.js' */
/** @typedef {string | ArrayBuffer | ArrayBufferView} Bytes what can be written; a string goes as UTF-8 */

const encoder = new TextEncoder();

/** @param {Bytes} data @returns {Uint8Array} */
export function bytesOf(data) {
  if (data instanceof Uint8Array) return data;
  if (typeof data === 'string') return encoder.encode(data);
  if (ArrayBuffer.isView(data))
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw wrong('what is written', 'a string, an ArrayBuffer or a view of one', data);
}

/**
 * A stream's, or that of a child's pipe: what that reads goes to the child's protocol, unless it is taken over as `readable`
 * says; of its end and its flow control the child's protocol hears in either case [X8].
 */
export class StreamTransport extends BaseTransport {
  /** Of a child's pipe. @internal @type {number | undefined} */
  fd;

  /**
   * @internal
   * @param {Script} script
   * @param {number} address
   * @param {AnyProtocol | null} protocol
   * @param {number} [fd]
   */
  constructor(script, address, protocol, fd) {
    super(script, address, protocol);
    this.fd = fd;
  }

  /**
   * Sends bytes, in order. They are taken when this returns; pauseWriting may be called before [W2, F2]. Throws ESHUTDOWN
   * after writeEof; after close or loss they are dropped [W1, W5].
   * @param {Bytes} data
   */
  write(data) {
    this.script.send('tow_transport_write', this.address, [bytesOf(data)]);
  }

  /** Several pieces as one write; empty ones are skipped [W3]. @param {Iterable<Bytes>} lines */
  writelines(lines) {
    if (typeof lines === 'string' || typeof Object(lines)[Symbol.iterator] !== 'function')
      throw wrong('lines', 'an array of bytes, or another iterable', lines);
    this.script.send('tow_transport_write', this.address, Array.from(lines, bytesOf));
  }

  /** Ends the stream after what is queued; reading goes on. Throws ENOTSUP where there is no half-close [E1, E2]. */
  writeEof() {
    this.script.check('writeEof()', this.call('write_eof'));
  }

  /** Whether this connection has a half-close [E1]. */
  canWriteEof() {
    return this.call('can_write_eof') !== 0;
  }

  /**
   * What comes, as a stream of bytes that holds the peer back while nobody reads. Asking for it (or for `writable`) takes
   * the connection over from the protocol that it had.
   */
  get readable() {
    return readableOf(StreamProtocol.of(this));
  }

  /** What goes, as a stream that is ready while writing is not paused. Closing it ends the stream, or the connection. */
  get writable() {
    return writableOf(StreamProtocol.of(this));
  }

  /**
   * What comes, in pieces that are yours, until the end; as `readable`, which is not to be read besides. Whoever leaves the
   * iteration leaves the connection as it is.
   */
  [Symbol.asyncIterator]() {
    return StreamProtocol.of(this).connection[Symbol.asyncIterator]();
  }
}

/** An endpoint's. */
export class DatagramTransport extends BaseTransport {
  /** @internal @override */
  family = kinds.datagram;

  /**
   * Sends one datagram, empty or not [D1, D2]. What goes wrong with it later comes to errorReceived.
   * @param {Bytes} data
   * @param {string} [peer] needed on an endpoint that is connected to none: '127.0.0.1:9', an address and no name
   */
  sendto(data, peer) {
    if (peer !== undefined) checkText('peer', peer);
    this.script.sendto(this.address, bytesOf(data), peer);
  }
}

/** A child's: it neither reads nor writes, its pipes do. `close` closes them and kills the child [X7]. */
export class SubprocessTransport extends BaseTransport {
  /** @internal @override */
  family = kinds.subprocess;
  /** By descriptor. @type {Map<number, StreamTransport | null>} */
  #pipes = new Map();

  /** 0 where there is no such thing. */
  getPid() {
    return this.call('get_pid');
  }

  /** Null while it runs; n after exit(n), -s when signal s ended it [X5]. */
  getReturncode() {
    return this.script.returncode(this.address);
  }

  /**
   * To write to for 0, to read from (pause, resume, close) for 1 and 2; null for a descriptor that is not piped [X10].
   * @param {number} fd
   */
  getPipeTransport(fd) {
    checkInteger('fd', fd);
    let pipe = this.#pipes.get(fd);
    if (pipe === undefined) {
      const address = this.call('get_pipe_transport', fd);
      pipe =
        address === 0
          ? null
          : this.script.hold(new StreamTransport(this.script, address, null, fd));
      this.#pipes.set(fd, pipe);
    }
    return pipe;
  }

  /** @internal @override @param {TowlineError | null} error */
  lost(error) {
    super.lost(error);
    for (const pipe of this.#pipes.values()) pipe?.lost(error); // those that nobody has told
  }

  /** @internal @param {number} fd @param {TowlineError | null} error */
  pipeLost(fd, error) {
    this.getPipeTransport(fd)?.lost(error);
  }

  /** What has taken its pipe over from the child's protocol. @internal @param {number} fd */
  takenOf(fd) {
    const pipe = this.#pipes.get(fd);
    return pipe ? StreamProtocol.taken(pipe) : undefined;
  }

  /** POSIX's numbers on every host. Throws ESRCH after connectionLost [X6]. @param {number} signal */
  sendSignal(signal) {
    checkInteger('signal', signal);
    this.script.check('sendSignal()', this.call('send_signal', signal));
  }

  /** SIGTERM. */
  terminate() {
    this.sendSignal(15);
  }

  /** SIGKILL. */
  kill() {
    this.sendSignal(9);
  }
}
