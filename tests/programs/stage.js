/** Programs in Workers, driven through tests/js/probe.c, in Node and in a page alike. */

/** @typedef {import('../../js/module.js').Module} Module */

/**
 * @typedef {object} Place
 * @property {typeof import('../../js/index.js').load} load
 * @property {typeof import('../../js/worker/index.js').workers} workers
 * @property {any} code of probe.wasm
 * @property {Record<string, string>} programs
 * @property {import('../../js/worker/carrier.js').WorkerOptions['isolate']} [isolate] the way of the pipes, if not the best one
 */

const MADE = 0;
const PAUSE = 2;
const RESUME = 3;
const DATA = 11;
const LOST = 12;
const EXITED = 13;

/** A process as its protocol knows it. */
export class Child {
  output = '';
  errors = '';
  /** @type {number | undefined} */
  returncode;
  /** @type {Promise<unknown>} */
  closed = Promise.resolve();
  /** @type {Set<() => void>} */
  #looks = new Set();
  #decoders = [1, 2].map(() => new TextDecoder());

  // What a story may put in place of these.
  /** @param {number} fd @param {Uint8Array} bytes */
  data(fd, bytes) {
    const text = this.#decoders[fd - 1].decode(bytes, { stream: true });
    if (fd === 1) this.output += text;
    else this.errors += text;
  }
  pause() {}
  resume() {}
  /** @param {number} _fd */
  lost(_fd) {}

  /** @param {Module} module @param {number} protocol */
  constructor(module, protocol) {
    this.module = module;
    this.protocol = protocol;
  }

  get transport() {
    return this.module.call('probe_transport', this.protocol);
  }

  /** @param {number} fd */
  pipe(fd) {
    return this.module.call('tow_transport_get_pipe_transport', this.transport, fd);
  }

  /** @param {string | Uint8Array} bytes */
  write(bytes) {
    this.module.call('tow_transport_write', this.pipe(0), bytes);
  }

  end() {
    this.module.call('tow_transport_write_eof', this.pipe(0));
  }

  /** @param {number} signal */
  send(signal) {
    this.module.call('tow_transport_send_signal', this.transport, signal);
  }

  /** @param {number} fd @param {boolean} on */
  read(fd, on) {
    this.module.call(`tow_transport_${on ? 'resume' : 'pause'}_reading`, this.pipe(fd));
  }

  /** When something of the child's has made it so. @param {() => boolean} is @returns {Promise<void>} */
  until(is) {
    return new Promise((resolve) => {
      const look = () => {
        if (!is()) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  /** What comes after this line, up to the next prompt. @param {string} line */
  async ask(line) {
    const from = this.output.length;
    this.write(`${line}\n`);
    await this.until(() => this.output.length > from && this.output.endsWith('> '));
    return this.output.slice(from, -2);
  }

  /** @param {number} call @param {number} a @param {number} b */
  hear(call, a, b) {
    if (call === DATA) {
      const fd = this.module.call('probe_fd', this.protocol);
      this.data(fd, this.module.memory.bytes(a, b).slice());
    } else if (call === PAUSE) this.pause();
    else if (call === RESUME) this.resume();
    else if (call === LOST) this.lost(a);
    else if (call === EXITED) this.returncode = a;
    for (const look of this.#looks) look();
  }
}

/** @param {Place} place */
export async function openStage({ load, workers, code, programs, isolate }) {
  /** @type {Map<number, Child>} */
  const children = new Map();
  let last = new Child(/** @type {any} */ (undefined), 0);
  const app = {
    call(
      /** @type {number} */ protocol,
      /** @type {number} */ call,
      /** @type {number} */ a,
      /** @type {number} */ b,
    ) {
      if (call === MADE) {
        last = new Child(module, protocol);
        children.set(protocol, last);
      }
      children.get(protocol)?.hear(call, a, b);
      return 0;
    },
    opened() {},
  };
  const transports = { exec: workers({ programs }) };
  const module = await load(code, { imports: { app }, transports });
  return {
    module,
    /** One at a time. @param {string} command @param {object} [options] */
    async spawn(command, options) {
      const [name, ...list] = command.split(' ');
      const own = { protocol: 'probe_child', arguments: list, environment: {}, isolate };
      const { transport } = await module.spawn(`exec:${name}`, { ...own, ...options });
      last.closed = transport.closed;
      return last;
    },
  };
}
