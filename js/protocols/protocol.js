// biome-ignore-all lint/correctness/noUnusedFunctionParameters: who overrides a callback is shown its parameters' names
import { TowlineError } from '../errors.js';
import { isPromise, wrong } from './checks.js';

/**
 * asyncio's protocols, in camel case. Extend one and write the callbacks that you need; a plain object with some of them
 * does as well. The order in which they are called is that of CONTRACT.md, on every transport.
 *
 * What is thrown in dataReceived, getBuffer, bufferUpdated or eofReceived ends the connection: the loop's `onerror` is told,
 * and connectionLost has an ECALLBACK whose `cause` it is. What is thrown in another callback is told to `onerror`, and
 * the connection lives on [L6].
 *
 * A CALLBACK MAY BE ASYNC. Nobody waits for its promise, the next callback may come before it is settled; but what it is
 * rejected with counts as thrown, then. Only eofReceived is waited for: until its promise is fulfilled the connection stays
 * open, where it can. getBuffer cannot be async.
 *
 * BYTES THAT A CALLBACK IS GIVEN ARE A VIEW of memory that the next ones are put into: good until the callback returns, or
 * an async one awaits. `slice()` what is to be kept.
 */

/**
 * What all protocols have.
 * @template T the transport that connectionMade is given
 */
export class BaseProtocol {
  /** First, once, before anything is read. @param {T} transport */
  connectionMade(transport) {}

  /** Last, once. Null after the end of the stream, close or abort [E6]. @param {TowlineError | null} error */
  connectionLost(error) {}

  /** The write buffer went over its high mark: stop writing, until... May be called from inside `write` [F2]. */
  pauseWriting() {}

  /** ...it has drained to its low mark. */
  resumeWriting() {}
}

/**
 * A stream's: connectionMade [-> dataReceived*] [-> eofReceived?] -> connectionLost
 * @extends {BaseProtocol<import('./transport.js').StreamTransport>}
 */
export class Protocol extends BaseProtocol {
  /** Bytes have come. @param {Uint8Array} data a view, good until this returns; never empty */
  dataReceived(data) {}

  /**
   * The peer will send no more. Answer true to go on writing; else the transport closes, when what is written has left.
   * @returns {boolean | void | Promise<boolean | void>}
   */
  eofReceived() {}
}

/**
 * A stream's that says where bytes go: connectionMade [-> getBuffer [-> bufferUpdated?]]* [-> eofReceived?] ->
 * connectionLost
 * @extends {BaseProtocol<import('./transport.js').StreamTransport>}
 */
export class BufferedProtocol extends BaseProtocol {
  /**
   * Where the next bytes go: the bytes are copied into it right before bufferUpdated, 262,144 at most.
   * @param {number} sizehint how many are in hand; -1: the host is about to read
   * @returns {Uint8Array} at least one byte long
   */
  getBuffer(sizehint) {
    return new Uint8Array(65536);
  }

  /** The first `size` bytes of that buffer are there. @param {number} size */
  bufferUpdated(size) {}

  /**
   * As Protocol.eofReceived.
   * @returns {boolean | void | Promise<boolean | void>}
   */
  eofReceived() {}
}

/**
 * An endpoint's: connectionMade [-> peerJoined | datagramReceived | errorReceived]* -> connectionLost. Peers are texts,
 * '127.0.0.1:9': what sendto takes.
 * @extends {BaseProtocol<import('./transport.js').DatagramTransport>}
 */
export class DatagramProtocol extends BaseProtocol {
  /**
   * One datagram has come.
   * @param {Uint8Array} data a view, good until this returns; may be empty
   * @param {string} peer
   */
  datagramReceived(data, peer) {}

  /**
   * Sending or receiving one failed, or a peer that had joined is lost ('ECLOSED': it left; 'ECONNRESET': it broke off).
   * The endpoint lives on [D3, D7].
   * @param {TowlineError} error
   * @param {string | null} peer null: it is not known whose
   */
  errorReceived(error, peer) {}

  /** Where peers come and go (WebRTC): this one can be sent to now [D7]. @param {string} peer */
  peerJoined(peer) {}
}

/**
 * A child's: connectionMade [-> pipeDataReceived | pipeConnectionLost | processExited]* -> connectionLost. pauseWriting and
 * resumeWriting are those of the child's standard input [X8].
 * @extends {BaseProtocol<import('./transport.js').SubprocessTransport>}
 */
export class SubprocessProtocol extends BaseProtocol {
  /**
   * The child has written.
   * @param {number} fd 1 or 2
   * @param {Uint8Array} data a view, good until this returns; never empty
   */
  pipeDataReceived(fd, data) {}

  /**
   * Once for each piped descriptor, 0 too, after its data.
   * @param {number} fd
   * @param {TowlineError | null} error
   */
  pipeConnectionLost(fd, error) {}

  /** `transport.getReturncode()` answers from now on; may come before or after the pipes' ends. */
  processExited() {}
}

/** `tow_kind`. */
export const kinds = { stream: 1, buffered: 2, datagram: 3, subprocess: 4 };
const names = ['', 'a stream', 'a stream', 'an endpoint', 'a child'];

/**
 * Any of them, whole or in part.
 * @typedef {Partial<Protocol> | Partial<BufferedProtocol>} AnyStreamProtocol
 * @typedef {AnyStreamProtocol | Partial<DatagramProtocol> | Partial<SubprocessProtocol>} AnyProtocol
 */

/**
 * Which table it has: that of the callbacks that it alone could have.
 * @param {AnyProtocol} protocol
 * @param {number} family what it is to be the protocol of: one without such callbacks is
 */
export function kindOf(protocol, family) {
  if (typeof protocol !== 'object' || protocol === null || isPromise(protocol))
    throw wrong('a protocol', 'an object with callbacks', protocol);
  const has = (/** @type {string[]} */ ...callbacks) => callbacks.some((name) => name in protocol);
  let kind = family;
  if (has('getBuffer')) kind = kinds.buffered;
  else if (has('dataReceived')) kind = kinds.stream;
  else if (has('datagramReceived')) kind = kinds.datagram;
  else if (has('pipeDataReceived', 'processExited')) kind = kinds.subprocess;
  if (names[kind] === names[family]) return kind;
  throw new TowlineError(
    'EINVAL',
    `the protocol of ${names[kind]} cannot be that of ${names[family]}`,
  );
}
