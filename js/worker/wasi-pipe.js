/** @typedef {import('./command.js').Shim} Shim */
/** @typedef {import('@bjorn3/browser_wasi_shim').WASI} WASI */
/** @typedef {import('./stream.js').Reader} Reader */
/** @typedef {import('./stream.js').Writer} Writer */
/** @typedef {import('./waiting.js').Until<number>} Until */

/** WASI's errors. */
const SUCCESS = 0;
const AGAIN = 6;
const BADF = 8;
const INVAL = 28;
const PIPE = 64;
const SPIPE = 70;

const FLAG_NONBLOCK = 4;
const ALL_RIGHTS = 0xffffffffffffffffn;

/** A pipe is of none of WASI's types of files. */
const UNKNOWN = 0;

/**
 * The standard descriptors as the shim knows descriptors. What it says of them is what it says of a file, changed: who
 * takes one of its structures by name takes all of WASI's along, and every Worker starts later.
 * @param {Shim} shim
 */
export function pipeClass({ Fd, File, OpenFile }) {
  const file = new File([]);
  return class Pipe extends Fd {
    flags = 0;

    /** @param {{reader?: Reader, writer?: Writer}} ends */
    constructor({ reader, writer }) {
      super();
      this.reader = reader;
      this.writer = writer;
    }

    /** @override */
    fd_close() {
      this.reader?.close();
      this.writer?.end();
      return SUCCESS;
    }

    /** @override */
    fd_fdstat_get() {
      const found = new OpenFile(file).fd_fdstat_get();
      const own = { fs_filetype: UNKNOWN, fs_flags: this.flags, fs_rights_base: ALL_RIGHTS };
      Object.assign(found.fdstat ?? {}, own);
      return found;
    }

    /** @param {number} flags @override */
    fd_fdstat_set_flags(flags) {
      this.flags = flags;
      return SUCCESS;
    }

    /** @override */
    fd_filestat_get() {
      return { ret: SUCCESS, filestat: Object.assign(file.stat(), { filetype: UNKNOWN, ino: 0n }) };
    }

    /** @override */
    fd_seek() {
      return { ret: SPIPE, offset: 0n };
    }

    /** @override */
    fd_tell() {
      return { ret: SPIPE, offset: 0n };
    }
  };
}

/**
 * Fills from what waits, without waiting. Answers how many bytes.
 * @param {Reader} reader
 * @param {Uint8Array[]} places
 */
function fill(reader, places) {
  let filled = 0;
  for (const place of places)
    for (let at = 0; at < place.length; ) {
      const bytes = reader.peek().subarray(0, place.length - at);
      if (bytes.length === 0) return filled;
      place.set(bytes, at);
      reader.take(bytes.length);
      at += bytes.length;
      filled += bytes.length;
    }
  return filled;
}

/**
 * Those calls of WASI that may have to wait, for descriptors that are pipes; the shim has the others.
 * @param {WASI} wasi
 * @param {ReturnType<typeof pipeClass>} Pipe
 * @param {Until} until
 */
export function pipeImports(wasi, Pipe, until) {
  const shims = wasi.wasiImport;
  const memory = () => wasi.inst.exports.memory.buffer;
  /** The pieces that an array of iovecs names. @param {number} iovecs @param {number} count */
  const pieces = (iovecs, count) => {
    const view = new DataView(memory());
    return Array.from({ length: count >>> 0 }, (_, i) => {
      const at = (iovecs >>> 0) + 8 * i;
      return new Uint8Array(memory(), view.getUint32(at, true), view.getUint32(at + 4, true));
    });
  };
  /** @param {number} address @param {number} value */
  const answer = (address, value) => {
    new DataView(memory()).setUint32(address >>> 0, value, true);
    return SUCCESS;
  };

  /** @type {(fd: number, iovecs: number, count: number, at: number) => unknown} */
  const fd_read = (fd, iovecs, count, at) => {
    const pipe = wasi.fds[fd];
    if (!(pipe instanceof Pipe)) return shims.fd_read(fd, iovecs, count, at);
    const { reader, flags } = pipe;
    if (!reader) return BADF;
    const wanted = pieces(iovecs, count).reduce((sum, { length }) => sum + length, 0);
    return until(() => {
      const isEnd = reader.ended || wanted === 0;
      const size = fill(reader, pieces(iovecs, count));
      if (size > 0 || isEnd) return answer(at, size);
      return flags & FLAG_NONBLOCK ? AGAIN : undefined;
    });
  };

  /** As a blocking pipe: all of it is written. @type {typeof fd_read} */
  const fd_write = (fd, iovecs, count, at) => {
    const pipe = wasi.fds[fd];
    if (!(pipe instanceof Pipe)) return shims.fd_write(fd, iovecs, count, at);
    const { writer, flags } = pipe;
    if (!writer) return BADF;
    let done = 0;
    return until(() => {
      if (writer.closed) return done > 0 ? answer(at, done) : PIPE;
      let skip = done;
      for (const piece of pieces(iovecs, count)) {
        const rest = piece.subarray(skip);
        skip = Math.max(0, skip - piece.length);
        const size = writer.write(rest);
        done += size;
        if (size === rest.length) continue;
        if (!(flags & FLAG_NONBLOCK)) return undefined;
        return done > 0 ? answer(at, done) : AGAIN;
      }
      return answer(at, done);
    });
  };

  return { fd_read, fd_write, poll_oneoff: poll(wasi, Pipe, until) };
}

const CLOCK = 0;
const FD_READ = 1;
const SUBSCRIPTION_SIZE = 48;
const EVENT_SIZE = 32;
const ABSOLUTE = 1;
const HANGUP = 1;

/**
 * poll_oneoff, which sleeps.
 * @param {WASI} wasi
 * @param {ReturnType<typeof pipeClass>} Pipe
 * @param {Until} until
 */
function poll(wasi, Pipe, until) {
  const memory = () => new DataView(wasi.inst.exports.memory.buffer);

  /** When a clock's subscription is due, on the clock of performance.now(). @param {DataView} view @param {number} at */
  const due = (view, at) => {
    const timeout = Number(view.getBigUint64(at + 24, true)) / 1e6;
    const isAbsolute = (view.getUint16(at + 40, true) & ABSOLUTE) !== 0;
    if (!isAbsolute) return performance.now() + timeout;
    return view.getUint32(at + 16, true) === 0 ? timeout - Date.now() + performance.now() : timeout;
  };

  /** What has happened to a descriptor: [error, bytes, hang-up]; undefined: nothing. @param {number} fd @param {number} type */
  const look = (fd, type) => {
    const pipe = wasi.fds[fd];
    if (pipe === undefined) return [BADF, 0, 0];
    if (!(pipe instanceof Pipe)) return [SUCCESS, 1, 0];
    const { reader, writer } = pipe;
    if (type === FD_READ && reader) {
      const { ended } = reader;
      const { length } = reader.peek();
      return length > 0 || ended ? [SUCCESS, length, length === 0 ? HANGUP : 0] : undefined;
    }
    if (type !== FD_READ && writer)
      return writer.closed || writer.room > 0
        ? [SUCCESS, Math.min(writer.room, 65536), writer.closed ? HANGUP : 0]
        : undefined;
    return [BADF, 0, 0];
  };

  return (
    /** @type {number} */ subscriptions,
    /** @type {number} */ events,
    /** @type {number} */ count,
    /** @type {number} */ eventsAt,
  ) => {
    const total = count >>> 0;
    if (total === 0) return INVAL;
    const from = subscriptions >>> 0;
    const view = memory();
    const times = new Map();
    for (let i = 0; i < total; i++) {
      const at = from + i * SUBSCRIPTION_SIZE;
      if (view.getUint8(at + 8) === CLOCK) times.set(i, due(view, at));
    }
    const deadline = Math.min(...times.values());
    return until(() => {
      const view = memory();
      const now = performance.now();
      let found = 0;
      for (let i = 0; i < total; i++) {
        const at = from + i * SUBSCRIPTION_SIZE;
        const type = view.getUint8(at + 8);
        const isDue = type === CLOCK && times.get(i) <= now ? [SUCCESS, 0, 0] : undefined;
        const event = type === CLOCK ? isDue : look(view.getUint32(at + 16, true), type);
        if (!event) continue;
        const to = (events >>> 0) + EVENT_SIZE * found++;
        view.setBigUint64(to, view.getBigUint64(at, true), true);
        view.setUint16(to + 8, event[0], true);
        view.setUint8(to + 10, type);
        view.setBigUint64(to + 16, BigInt(event[1]), true);
        view.setUint16(to + 24, event[2], true);
      }
      if (found === 0) return undefined;
      view.setUint32(eventsAt >>> 0, found, true);
      return SUCCESS;
    }, deadline);
  };
}
