import { checkFunction } from '../protocols/checks.js';
import { Protocol } from '../protocols/protocol.js';
import { StreamReader } from './stream-reader.js';
import { StreamWriter } from './stream-writer.js';
import { CHUNK, readableOf, writableOf } from './web.js';

/** @import { TowlineError } from '../errors.js' */
/** @import { StreamTransport } from '../protocols/transport.js' */

/** What openConnection answers: a connection to read from and to write to, as asyncio does or as Web Streams do. */
export class StreamConnection {
  #protocol;

  /** @internal @param {StreamProtocol} protocol */
  constructor(protocol) {
    this.#protocol = protocol;
    this.reader = protocol.reader;
    this.writer = protocol.writer;
    this.transport = protocol.transport;
  }

  /** What comes, as a Web Stream: the transport's. */
  get readable() {
    return readableOf(this.#protocol);
  }

  /** What goes, as a Web Stream: the transport's. */
  get writable() {
    return writableOf(this.#protocol);
  }

  /** What comes, in pieces, until the end. Whoever leaves the iteration leaves the connection as it is. */
  async *[Symbol.asyncIterator]() {
    for (;;) {
      const piece = await this.reader.read(CHUNK);
      if (piece.length === 0) return;
      yield piece;
    }
  }

  /** Sends what is written, and waits until the connection is closed. */
  async close() {
    this.transport.close();
    await this.transport.closed;
  }

  /** As close, for `await using`. */
  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

/** The protocol under a StreamReader and a StreamWriter: asyncio.StreamReaderProtocol. */
export class StreamProtocol extends Protocol {
  #serve;
  /** @type {StreamConnection | undefined} */
  #connection;
  /** @type {StreamWriter | undefined} */
  #writer;

  /**
   * @param {object} [options]
   * @param {number} [options.limit] the reader's
   * @param {(connection: StreamConnection) => void | Promise<void>} [options.serve] a server's, called for the connection
   */
  constructor({ limit, serve } = {}) {
    super();
    if (serve !== undefined) checkFunction('serve', serve);
    this.reader = new StreamReader(limit);
    this.#serve = serve;
  }

  /** That of a transport; if it has another protocol, it gets one. @param {StreamTransport} transport */
  static of(transport) {
    const protocol = transport.getProtocol();
    if (protocol instanceof StreamProtocol) return protocol;
    const taken = takenOver.get(transport) ?? new StreamProtocol();
    if (takenOver.has(transport)) return taken;
    takenOver.set(transport, taken);
    taken.connectionMade(transport);
    if (protocol) transport.setProtocol(taken);
    else transport.closed.then((error) => taken.connectionLost(error));
    if (transport.fd === 0)
      taken.reader.discard(); // a pipe goes one way
    else if (transport.fd !== undefined) taken.writer.hasEnded = true;
    transport.resumeReading();
    return taken;
  }

  /** What has taken it over. @internal @param {StreamTransport} transport */
  static taken(transport) {
    return takenOver.get(transport);
  }

  /** Once connected. */
  get connection() {
    if (!this.#connection) throw new TypeError('it is not connected');
    return this.#connection;
  }

  /** Made with the connection. */
  get writer() {
    return /** @type {StreamWriter} */ (this.#writer);
  }

  /** The writer's. */
  get transport() {
    return this.writer.transport;
  }

  /** Gives reader and writer their transport. @override @param {StreamTransport} transport */
  connectionMade(transport) {
    this.reader.setTransport(transport);
    this.#writer = new StreamWriter(transport);
    this.#connection = new StreamConnection(this);
    if (this.#serve) this.#run(this.#serve, this.#connection);
  }

  /**
   * @param {(connection: StreamConnection) => void | Promise<void>} serve
   * @param {StreamConnection} connection
   */
  async #run(serve, connection) {
    const { transport } = connection;
    try {
      await serve(connection);
      transport.close();
    } catch (error) {
      transport.loop.reportFailure('serve', error, { transport, protocol: this });
      transport.abort();
    }
  }

  /** Ends both. @override @param {TowlineError | null} error */
  connectionLost(error) {
    if (error) this.reader.setException(error);
    else this.reader.feedEof();
    this.writer.lose(error);
  }

  /** The writer waits. @override */
  pauseWriting() {
    this.writer.pause();
  }

  /** It goes on. @override */
  resumeWriting() {
    this.writer.resume();
  }

  /** For the reader. @override @param {Uint8Array} data */
  dataReceived(data) {
    this.reader.feedData(data);
  }

  /** Stays half-open, as asyncio's does, unless this side has ended, too. @override */
  eofReceived() {
    this.reader.feedEof();
    return !this.writer.hasEnded;
  }
}

/** Whose connections were taken over. @type {WeakMap<StreamTransport, StreamProtocol>} */
const takenOver = new WeakMap();
