/** A stream to a reader that takes a mebibyte and then waits to be told, over a WebSocket with Towline framing. */
import assert from 'node:assert/strict';
import { PageSubject } from './page-subject.js';
import { plainHosts, Subject } from './subject.js';

export const MEBIBYTE = 1 << 20;
/** The window of framing, the mark, and what is written at a time. */
const WINDOW = 262_144;
const HIGH = 65_536;
const PIECE = 65_536;

/** @typedef {Subject | PageSubject} End */

/**
 * @typedef {object} Direction
 * @property {string} name
 * @property {'page' | 'Node'} client the server is always Node
 * @property {'client' | 'server'} writer
 */

/** @type {Direction[]} */
export const directions = [
  { name: 'a page to Node', client: 'page', writer: 'client' },
  { name: 'Node to a page', client: 'page', writer: 'server' },
  { name: 'Node to Node, client to server', client: 'Node', writer: 'client' },
  { name: 'Node to Node, server to client', client: 'Node', writer: 'server' },
];

/**
 * What both ends have in memory, in KiB: of their processes, and of their modules.
 * @typedef {{writer: number, reader: number, modules: number}} Memory
 */

export class SlowStream {
  /** @param {import('./events.js').Scope} t @param {Direction} direction */
  static async open(t, { client, writer }) {
    const startNode = () => Subject.start(t, plainHosts.Node);
    const server = await startNode();
    const other = await (client === 'page' ? PageSubject.start(t) : startNode());
    const isForth = writer === 'client';
    const self = isForth ? new SlowStream(other, server) : new SlowStream(server, other);
    const [serverRole, clientRole] = isForth ? ['m', 'q'] : ['q', 'm'];
    const { address } = await server.ask(`listen ws://127.0.0.1:0 ${serverRole}`, 0, 'listening');
    other.send(`connect ${address} ${clientRole}`);
    await Promise.all([self.writer.when(1, 'made'), self.reader.when(1, 'made')]);
    return self;
  }

  /** @param {End} writer @param {End} reader */
  constructor(writer, reader) {
    this.writer = writer;
    this.reader = reader;
  }

  /**
   * Plays it all, and stops whenever the reader does; when the caller comes back it reads on.
   * @param {number} size in whole mebibytes
   */
  async *stops(size) {
    const { writer, reader } = this;
    writer.send(`pump 1 ${size}`);
    for (let at = MEBIBYTE; at <= size; at += MEBIBYTE) {
      const { received, broken } = await reader.received(1, at);
      assert.equal(broken, 0);
      await this.#fill(received, size);
      yield received;
      reader.send('resume 1');
    }
    assert.equal((await reader.when(1, 'eof')).received, size);
    for (const end of [writer, reader]) assert.equal((await end.when(1, 'lost')).code, '');
  }

  /**
   * While nothing is read the writer fills the window and then its own queue, and no more: whatever is between the two,
   * in sockets, pages and processes, is never more than the window.
   * @param {number} received
   * @param {number} size
   */
  async #fill(received, size) {
    const least = Math.min(size, received + (WINDOW / 4) * 3);
    for (let left = 0; left < least; ) {
      const { sent, buffer, most } = await this.writer.state(1);
      left = sent - buffer;
      assert.ok(left <= received + WINDOW, `${left - received} bytes are on their way`);
      assert.ok(most <= HIGH + PIECE, `${most} bytes were queued`);
    }
  }

  /** @returns {Promise<Memory>} */
  async memory() {
    const { writer, reader } = this;
    const [one, other] = await Promise.all([writer.stats(), reader.stats()]);
    const modules = (one.memory + other.memory) >> 10;
    return { writer: writer.memory, reader: reader.memory, modules };
  }

  async collect() {
    await Promise.all([this.writer.collect(), this.reader.collect()]);
  }
}
