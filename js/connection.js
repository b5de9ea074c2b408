/** @typedef {import('./instance.js').Instance} Instance */
/** @typedef {import('./errors.js').TowlineError} TowlineError */

/** The abilities of host.h. */
export const CAN_READ = 1;
export const CAN_WRITE = 2;
export const CAN_WRITE_EOF = 4;
export const CAN_STREAM = 15;
export const WANTS_CORK = 16;
export const HOLDS_LOANS = 32;

/** TOW_UNSET. */
export const UNSET = -0x80000000;

/** An export that a module may lack. */
export const SET_LIMITS = 'tow_transport_set_write_buffer_limits';

/** How many pieces of the queue are taken at a time. */
const LINES = 8;

/**
 * What carries the bytes of one transport of a module: the connection's side of host.h. A transport's file extends it.
 * The upper half are facts, to be told inside `instance.turn`; the lower half is asked by the core.
 */
export class Connection {
  /** @param {Instance} instance @param {number} abilities */
  constructor(instance, abilities) {
    this.instance = instance;
    this.abilities = abilities;
    this.id = instance.name(this);
    /** The transport in the module whose facts are told; 0: not yet, or no longer. */
    this.transport = 0;
    this.reading = false;
    /** The core has called close. */
    this.ended = false;
    /** What connection_lost was told. @type {Promise<TowlineError | null>} */
    this.lost = new Promise((/** @type {(error: TowlineError | null) => void} */ resolve) => {
      this.tellLost = resolve;
    });
  }

  /**
   * Its transport in the module, for a request of the module's or (0) for JavaScript's own; 0: it could not be made.
   * @param {number} request
   * @returns {number}
   */
  create(request) {
    const { instance, id, abilities } = this;
    return request === 0
      ? instance.call('tow_wasm_open', instance.loop, id, abilities)
      : instance.call('tow_wasm_opened', request, id, abilities);
  }

  /**
   * Opens it with a protocol of the module, which this answers; 0: none was made.
   * @param {import('./own-request.js').Options} options
   */
  open({ protocol, context = 0, high, low }) {
    const { instance } = this;
    let made = 0;
    this.construct = () => {
      made = instance.call(protocol, instance.loop, context);
      return made;
    };
    this.made(this.create(0));
    if (this.transport && this.writing && (high ?? low) !== undefined)
      instance.call(SET_LIMITS, this.writing, high ?? UNSET, low ?? UNSET);
    return made;
  }

  /** The module has made its transport, or (0) has not. @param {number} transport */
  made(transport) {
    this.transport = transport;
    if (transport !== 0) this.instance.holders.add(this);
    return transport !== 0;
  }

  /** The factory of the core: the protocol of a connection that is open now. */
  construct() {
    return 0;
  }

  /** The transport that the user is to know: with framing, the one above. */
  get top() {
    return this.transport;
  }

  /** What the user asks of the transport, while there is one. @param {string} name @param {...number} values */
  ask(name, ...values) {
    if (this.live) this.instance.call(name, this.top, ...values);
  }

  /** With Towline framing the peer may be told why. @param {number} _code @param {string} _reason */
  abort(_code, _reason) {
    this.ask('tow_transport_abort');
  }

  /** The transport that `high` and `low` are of; 0: none. */
  get writing() {
    return this.top;
  }

  get live() {
    return this.transport !== 0 && !this.ended && !this.instance.dead;
  }

  /**
   * Where the next bytes go, or null: not now.
   * @param {number} hint the bytes in hand, or -1
   */
  lend(hint) {
    if (!this.live) return null;
    const { instance } = this;
    const loan = instance.call('tow_host_lend', this.transport, hint);
    return loan === 0 ? null : this.#lent(loan);
  }

  /** @param {number} loan the address of a `tow_buffer` */
  #lent(loan) {
    const { memory } = this.instance;
    const base = memory.word(loan);
    const size = memory.word(loan + 4);
    if (size === 0) return null;
    if (memory.holds(base, size)) return { base, size };
    this.failed('EBUFFER', 0, 'get_buffer() gave memory outside the module');
    return null;
  }

  /**
   * The first `size` bytes of what was lent are there. Answers how many were taken, and what is lent for the next.
   * @param {number} size
   * @param {number} hint 0: there is no next
   */
  received(size, hint) {
    const { instance } = this;
    const taken = instance.call('tow_wasm_received', this.transport, size, hint, instance.scratch);
    return { taken, next: this.#lent(instance.scratch) };
  }

  /** Puts bytes where the protocol wants them. Answers how many were taken; keep the rest. @param {Uint8Array} bytes */
  deliver(bytes) {
    const { memory } = this.instance;
    let done = 0;
    let room = bytes.length > 0 ? this.lend(bytes.length) : null;
    while (room) {
      const size = Math.min(room.size, bytes.length - done);
      const isAll = size === bytes.length; // most often: then no view of it is made
      memory.u8.set(isAll ? bytes : bytes.subarray(done, done + size), room.base);
      const { taken, next } = this.received(size, bytes.length - done - size);
      done += taken;
      room = next;
    }
    return done;
  }

  eof() {
    if (this.live) this.instance.call('tow_host_eof', this.transport);
  }

  /** @param {string} code @param {number} native @param {string} message */
  failed(code, native, message) {
    if (this.live)
      this.instance.call(
        'tow_host_failed',
        this.transport,
        this.instance.error(code, native, message),
      );
  }

  /**
   * The oldest bytes that wait, `limit` at most, as `gather` gives them; null: none.
   * @param {number} limit
   */
  peek(limit) {
    if (!this.live) return null;
    const { instance } = this;
    const count = instance.call('tow_host_peek', this.transport, instance.scratch, LINES, limit);
    return count > 0 ? instance.memory.gather(instance.scratch, count, limit) : null;
  }

  /** That many of them have left: it is told in steps [F7]. @param {number} size */
  sent(size) {
    for (let step = 0; size > 0 && this.live; size -= step) {
      step = Math.min(size, this.step);
      this.instance.call('tow_host_sent', this.transport, step);
    }
  }

  /** The most that may be on its way unreported [F7]. */
  get step() {
    return this.instance.call('tow_host_step', this.transport);
  }

  /** Everything is let go of. */
  closed() {
    this.instance.things.delete(this.id);
    if (this.transport !== 0 && !this.instance.dead)
      this.instance.call('tow_host_closed', this.transport);
    this.transport = 0;
    this.instance.release(this);
  }

  /** It ends: connection_lost was called, or never will be. @param {TowlineError | null} error */
  end(error) {
    this.ended = true;
    this.reading = false;
    this.tellLost(error);
  }

  /** There is nobody to serve: the module is broken, or made no protocol. @param {TowlineError} error */
  abandon(error) {
    this.instance.things.delete(this.id);
    this.instance.release(this);
    this.transport = 0;
    this.end(error);
    this.destroy();
  }

  // ---- Asked by the core ----

  /**
   * Takes what it can of `tow_iovec`s, and answers how many bytes.
   * @param {number} _lines
   * @param {number} _count
   * @returns {number}
   */
  write(_lines, _count) {
    return 0;
  }

  flush() {}

  shutdown() {}

  /** @param {boolean} on */
  setReading(on) {
    this.reading = on;
  }

  /** Lets go of what was lent: 0, or negative if it cannot. */
  revoke() {
    return 0;
  }

  /** connection_lost was called: let go of everything, then `closed`. @param {TowlineError | null} _error */
  close(_error) {
    this.closed();
  }

  /** Let go at once, and tell nothing any more. */
  destroy() {}

  /** @param {string} _name @returns {string | undefined} */
  extraInfo(_name) {
    return undefined;
  }
}
