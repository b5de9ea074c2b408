/** Protocols that carry standard input to a connection, and the connection to standard output. */
import { LONGEST } from '../bridge/words.js';
import { DatagramProtocol, Protocol, SubprocessProtocol } from '../protocols/protocol.js';

/** @import { TowlineError } from '../errors.js' */
/** @import { DatagramTransport, StreamTransport, SubprocessTransport } from '../protocols/transport.js' */
/** @import { StandardIO } from './standard-io.js' */

/** Of a connection. */
export class StreamNetcat extends Protocol {
  /** @type {StreamTransport | undefined} */
  #transport;
  #io;
  #keepsOpen;
  /** Standard input, or the peer. */
  #oneHasEnded = false;

  /** @param {StandardIO} io @param {boolean} keepsOpen whether it goes on until both sides have ended */
  constructor(io, keepsOpen) {
    super();
    this.#io = io;
    this.#keepsOpen = keepsOpen;
  }

  /** @override @param {StreamTransport} transport */
  connectionMade(transport) {
    this.#transport = transport;
    this.#io.read({
      data: (bytes) => transport.write(bytes),
      end: () => {
        if (this.#isLastEnd()) transport.close();
        else if (transport.canWriteEof()) transport.writeEof();
        else if (!this.#keepsOpen) transport.close();
      },
    });
  }

  #isLastEnd() {
    const isLast = this.#oneHasEnded;
    this.#oneHasEnded = true;
    return isLast;
  }

  /** @override @param {Uint8Array} data */
  dataReceived(data) {
    this.#io.write(data, /** @type {StreamTransport} */ (this.#transport));
  }

  /** @override */
  eofReceived() {
    return !this.#isLastEnd() && this.#keepsOpen;
  }

  /** @override */
  pauseWriting() {
    this.#io.pause();
  }

  /** @override */
  resumeWriting() {
    this.#io.resume();
  }

  /** @override */
  connectionLost() {
    this.#io.stopReading();
  }
}

/** Of an endpoint: each piece that is read, as a line that is typed, is a datagram. One that is bound answers who came last. */
export class DatagramNetcat extends DatagramProtocol {
  /** What went wrong. @type {TowlineError | undefined} */
  failure;
  /** @type {DatagramTransport | undefined} */
  #transport;
  /** @type {string | undefined} */
  #peer;
  #io;
  #keepsOpen;
  #isBound;

  /** @param {StandardIO} io @param {boolean} keepsOpen @param {boolean} isBound */
  constructor(io, keepsOpen, isBound) {
    super();
    this.#io = io;
    this.#keepsOpen = keepsOpen;
    this.#isBound = isBound;
  }

  /** @override @param {DatagramTransport} transport */
  connectionMade(transport) {
    this.#transport = transport;
    if (!this.#isBound) this.#read();
  }

  #read() {
    const transport = /** @type {DatagramTransport} */ (this.#transport);
    this.#io.read({
      data: (bytes) => {
        for (let at = 0; at < bytes.length; at += LONGEST)
          transport.sendto(bytes.subarray(at, at + LONGEST), this.#peer);
      },
      end: () => this.#keepsOpen || transport.close(),
    });
  }

  /** @override @param {Uint8Array} data @param {string} peer */
  datagramReceived(data, peer) {
    this.#heard(peer);
    this.#io.write(data, /** @type {DatagramTransport} */ (this.#transport));
  }

  /** @override @param {string} peer */
  peerJoined(peer) {
    this.#heard(peer);
  }

  /** Standard input waits until there is somebody to send it to. @param {string} peer */
  #heard(peer) {
    if (!this.#isBound) return;
    const isFirst = this.#peer === undefined;
    this.#peer = peer;
    if (isFirst) this.#read();
  }

  /** @override @param {TowlineError} error */
  errorReceived(error) {
    this.failure ??= error;
    this.#transport?.abort();
  }

  /** @override */
  pauseWriting() {
    this.#io.pause();
  }

  /** @override */
  resumeWriting() {
    this.#io.resume();
  }

  /** @override */
  connectionLost() {
    this.#io.stopReading();
  }
}

/** Of a child, whose standard error is this program's. */
export class ChildNetcat extends SubprocessProtocol {
  /** @type {SubprocessTransport | undefined} */
  #transport;
  #io;

  /** @param {StandardIO} io */
  constructor(io) {
    super();
    this.#io = io;
  }

  /** @override @param {SubprocessTransport} transport */
  connectionMade(transport) {
    this.#transport = transport;
    const input = transport.getPipeTransport(0);
    this.#io.read({ data: (bytes) => input?.write(bytes), end: () => input?.close() });
  }

  /** @override @param {number} fd @param {Uint8Array} data */
  pipeDataReceived(fd, data) {
    const pipe = this.#transport?.getPipeTransport(fd);
    if (pipe) this.#io.write(data, pipe);
  }

  /** Once it reads no more there is nothing to be read for it. @override @param {number} fd */
  pipeConnectionLost(fd) {
    if (fd === 0) this.#io.stopReading();
  }

  /** @override */
  pauseWriting() {
    this.#io.pause();
  }

  /** @override */
  resumeWriting() {
    this.#io.resume();
  }

  /** @override */
  connectionLost() {
    this.#io.stopReading();
  }
}
