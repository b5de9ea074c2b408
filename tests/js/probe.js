/** The other side of probe.c: a protocol in C whose callbacks are a JavaScript object's. */
import { fileURLToPath } from 'node:url';
import { load } from '../../js/node.js';

export const builds = ['wasi', 'emscripten'];

const names = [
  'made',
  'lost',
  'pauseWriting',
  'resumeWriting',
  'eof',
  'data',
  'getBuffer',
  'updated',
  'timer',
  'datagram',
  'error',
  'pipeData',
  'pipeLost',
  'exited',
  'joined',
];

/** @param {string} build */
export const probeFile = (build) =>
  fileURLToPath(new URL(`../../build/${build}/probe.wasm`, import.meta.url));

/**
 * What a test says of a protocol. A callback that answers nothing answers 0.
 * @typedef {object} Callbacks
 * @property {(probe: Probe) => number | void} [made]
 * @property {(probe: Probe, bytes: Uint8Array) => number | void} [data]
 * @property {(probe: Probe, bytes: Uint8Array) => number | void} [updated]
 * @property {(probe: Probe, hint: number) => number | void} [getBuffer]
 * @property {(probe: Probe) => number | void} [eof]
 * @property {(probe: Probe, code: number, native: number) => number | void} [lost]
 * @property {(probe: Probe) => number | void} [pauseWriting]
 * @property {(probe: Probe) => number | void} [resumeWriting]
 * @property {(probe: Probe) => number | void} [timer]
 * @property {(probe: Probe, bytes: Uint8Array) => number | void} [datagram]
 * @property {(probe: Probe, code: number, native: number) => number | void} [error]
 * @property {(probe: Probe, bytes: Uint8Array) => number | void} [pipeData]
 * @property {(probe: Probe, fd: number, code: number) => number | void} [pipeLost]
 * @property {(probe: Probe, returncode: number) => number | void} [exited]
 * @property {(probe: Probe) => number | void} [joined]
 */

/** One protocol, as the callbacks see it. */
export class Probe {
  /** What has come, as Latin-1. */
  text = '';
  /** The calls in order, data left out. @type {string[]} */
  calls = [];

  /** @param {import('../../js/index.js').Module} module @param {number} protocol */
  constructor(module, protocol) {
    this.module = module;
    this.protocol = protocol;
  }

  get transport() {
    return this.module.call('probe_transport', this.protocol);
  }

  /** @param {string | Uint8Array} bytes */
  write(bytes) {
    return this.module.call('tow_transport_write', this.transport, bytes);
  }

  pauseReading() {
    this.module.call('tow_transport_pause_reading', this.transport);
  }

  resumeReading() {
    this.module.call('tow_transport_resume_reading', this.transport);
  }

  /** To the one connected to, or to whom the last call was about. @param {string | Uint8Array} bytes */
  send(bytes, isConnected = true) {
    const peer = isConnected ? 0 : this.module.call('probe_peer', this.protocol);
    return this.module.call('tow_transport_sendto', this.transport, bytes, peer);
  }

  /** The descriptor that a pipe's call is of. */
  get fd() {
    return this.module.call('probe_fd', this.protocol);
  }

  /** @param {number} fd */
  pipe(fd) {
    return this.module.call('tow_transport_get_pipe_transport', this.transport, fd);
  }
}

/**
 * Loads probe.wasm; every protocol in it gets these callbacks.
 * @param {string} build
 * @param {Callbacks} [callbacks]
 * @param {import('../../js/loader.js').LoadOptions} [options]
 */
export async function loadProbe(build, callbacks = {}, options = {}) {
  /** Those alive, by address. @type {Map<number, Probe>} */
  const probes = new Map();
  /** Every one that ever was. @type {Probe[]} */
  const all = [];
  /** What C's own requests came to: [context, transport, code]. @type {number[][]} */
  const opened = [];
  const app = {
    call(
      /** @type {number} */ protocol,
      /** @type {number} */ call,
      /** @type {number} */ a,
      /** @type {number} */ b,
    ) {
      let probe = probes.get(protocol);
      if (!probe) {
        probe = new Probe(module, protocol);
        probes.set(protocol, probe);
        all.push(probe);
      }
      const name = names[call];
      if (name === 'lost') probes.delete(protocol);
      if (name === 'data' || name === 'updated' || name === 'datagram' || name === 'pipeData') {
        const bytes = module.memory.bytes(a, b).slice();
        probe.text += Buffer.from(bytes).toString('latin1');
        return callbacks[name]?.(probe, bytes) ?? 0;
      }
      probe.calls.push(name);
      return /** @type {any} */ (callbacks)[name]?.(probe, a, b) ?? 0;
    },
    opened: (/** @type {number[]} */ ...result) => opened.push(result),
  };
  /** @type {import('../../js/errors.js').TowlineError[]} */
  const errors = [];
  const module = await load(probeFile(build), {
    onerror: (error) => errors.push(error),
    ...options,
    imports: { app },
  });
  return { module, probes, all, errors, opened };
}

/** @template T */
export class Signal {
  /** @type {(value: T) => void} */
  fire = () => {};
  /** @type {Promise<T>} */
  fired = new Promise((resolve) => {
    this.fire = resolve;
  });
}

/** The code that a promise is rejected with. @param {Promise<unknown>} promise */
export const codeOf = (promise) =>
  promise.then(
    () => 'nothing',
    (error) => error.code,
  );
