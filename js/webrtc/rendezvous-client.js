import { TowlineError } from '../errors.js';
import { isName, overflow, TEXT_LIMIT, WAITING_LIMIT } from './signalling.js';

/** @typedef {import('./signalling.js').Signalling} Signalling */

/**
 * @typedef {object} RendezvousOptions
 * @property {new (address: string, ...more: any[]) => object} [WebSocket] a WebSocket class; without it the browser's, or in
 *   Node that of `ws`
 * @property {(error: TowlineError) => void} [onerror] told of every failure, also of those after which it tries again:
 *   ECONNREFUSED, the rendezvous could not be reached; ECLOSED, it was lost, `native` is the WebSocket's close code;
 *   EOVERFLOW, too much waits to be sent; EADDRESS, no WebSocket can be made of the address
 * @property {number} [firstPause] milliseconds until it tries again: each pause is twice the last one...
 * @property {number} [longestPause] ...up to this
 */

const OPEN = 1;
/** Closed with these, trying again would end the same way: what this end said was wrong. */
const FINAL = [1002, 1003, 1007, 1008, 1009];

/** The place of one participant in one room of a rendezvous. @implements {Signalling} */
class Place {
  #address;
  #options;
  /** @type {(text: string) => void} */
  #take = () => {};
  /** @type {(error: TowlineError) => void} */
  #fail = () => {};
  /** @type {any} */
  #socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;
  #pauses = 0;
  /** Said again after each reconnection: it is what joins the room. @type {string | undefined} */
  #first;
  /** Until the socket is open. @type {string[]} */
  #waiting = [];
  #size = 0;
  #isOver = false;

  /** @param {string} address @param {RendezvousOptions} options */
  constructor(address, options) {
    this.#address = address;
    this.#options = { onerror: () => {}, firstPause: 250, longestPause: 30000, ...options };
  }

  /** @param {(text: string) => void} take @param {(error: TowlineError) => void} [fail] */
  receive(take, fail = () => {}) {
    this.#take = take;
    this.#fail = fail;
    this.#connect();
  }

  /** @param {string} text */
  send(text) {
    if (this.#isOver) return;
    this.#first ??= text;
    if (this.#socket?.readyState === OPEN) {
      this.#socket.send(text);
    } else {
      this.#waiting.push(text);
      this.#size += text.length;
    }
    if (Math.max(this.#size, this.#socket?.bufferedAmount ?? 0) > WAITING_LIMIT)
      this.#end(overflow(`more than ${WAITING_LIMIT} bytes wait for ${this.#address}`));
  }

  close() {
    this.#fail = () => {};
    this.#letGo();
  }

  #letGo() {
    this.#isOver = true;
    clearTimeout(this.#pause);
    this.#waiting = [];
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => {};
    socket.close();
  }

  async #connect() {
    try {
      const WebSocket =
        this.#options.WebSocket ?? globalThis.WebSocket ?? (await import('ws')).WebSocket;
      if (this.#isOver) return;
      // What comes third is for `ws`; browsers have such limits of their own.
      this.#socket = new WebSocket(this.#address, [], {
        perMessageDeflate: false,
        maxPayload: 4 * TEXT_LIMIT,
        handshakeTimeout: 10000,
        closeTimeout: 1000,
      });
    } catch (cause) {
      this.#end(new TowlineError('EADDRESS', `no WebSocket to ${this.#address}`, { cause }));
      return;
    }
    this.#listen(this.#socket);
  }

  /** @param {any} socket */
  #listen(socket) {
    /** @type {Error | undefined} */
    let cause;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      if (this.#first !== undefined && this.#waiting[0] !== this.#first) socket.send(this.#first);
      for (const text of this.#waiting.splice(0)) socket.send(text);
      this.#size = 0;
    };
    socket.onmessage = (/** @type {{data: unknown}} */ { data }) => {
      if (typeof data !== 'string' || data.length > TEXT_LIMIT) return;
      this.#pauses = 0;
      this.#take(data);
    };
    socket.onerror = (/** @type {{error?: Error}} */ { error }) => {
      cause = error;
    };
    socket.onclose = (/** @type {{code: number, reason: string}} */ { code, reason }) => {
      const text = reason || cause?.message || (wasOpen ? 'the connection was lost' : 'no answer');
      const error = new TowlineError(
        wasOpen ? 'ECLOSED' : 'ECONNREFUSED',
        `${this.#address}: ${text}`,
        { native: code, cause },
      );
      if (FINAL.includes(code)) this.#end(error);
      else this.#again(error);
    };
  }

  /** @param {TowlineError} error */
  #again(error) {
    const { onerror, firstPause, longestPause } = this.#options;
    const pause = Math.min(firstPause * 2 ** this.#pauses++, longestPause);
    // Up to a quarter longer, so that not all that were lost together come back together.
    this.#pause = setTimeout(() => this.#connect(), pause * (1 + Math.random() / 4));
    onerror(error);
  }

  /** @param {TowlineError} error */
  #end(error) {
    if (this.#isOver) return;
    this.#letGo();
    queueMicrotask(() => {
      this.#options.onerror(error);
      this.#fail(error);
    });
  }
}

/**
 * Signalling over a rendezvous (`towline/rendezvous`) at a WebSocket's address: room ROOM is at URL/ROOM. What is sent
 * before the connection is open waits; one that is lost is opened again, after growing pauses, until it is closed or the
 * rendezvous says that this end is at fault.
 * @param {string} url 'wss://example.org/rendezvous'
 * @param {RendezvousOptions} [options]
 * @returns {(room: string) => Signalling}
 */
export function rendezvous(url, options = {}) {
  if (!/^wss?:\/\/[^/?#]+[^?#]*$/.test(url) || !URL.canParse(url))
    throw new TowlineError('EADDRESS', `not the address of a rendezvous: ${url}`);
  return (room) => {
    if (!isName(room)) throw new TowlineError('EADDRESS', `not a room: ${room}`);
    return new Place(`${url.replace(/\/$/, '')}/${room}`, options);
  };
}
