/** What the protocol does: the steps {"proto": ...}. */
import { errorName, Payloads } from './lines.js';

/**
 * @typedef {import('../traces/format.js').Line} Line
 * @typedef {import('./recorder.js').Recorder} Recorder
 */

/** What a step "raise" throws. */
class Raised extends Error {}

/** @param {string} code */
const failed = (code) => Object.assign(new Error(code), { code });

export class Ops {
  #recorder;
  #written = new Payloads();
  #pipes = [new Payloads(), new Payloads(), new Payloads()];
  /** @type {{cancel(): void}[]} */
  #laters = [];

  /** @param {Recorder} recorder */
  constructor(recorder) {
    this.#recorder = recorder;
  }

  get areScheduled() {
    return this.#laters.length > 0;
  }

  cancelLaters() {
    for (const later of this.#laters) later.cancel();
  }

  /** Throws if one of them is "raise". @param {Line[]} steps */
  runAll(steps) {
    for (const step of steps) this.run(step);
  }

  /** @param {Line} step */
  run(step) {
    if (step.proto === 'raise') throw new Raised('raise');
    try {
      const ret = this.#run(step);
      if (ret !== undefined) this.#recorder.print({ op: step.proto, ret });
    } catch (error) {
      this.#recorder.print({ op: step.proto, raised: errorName(error) });
    }
  }

  /** The bytes are spoilt at once: what the transport has not taken by then is found out [W2, D5]. */
  #send(/** @type {Uint8Array} */ bytes, /** @type {(bytes: Uint8Array) => void} */ send) {
    try {
      send(bytes);
    } finally {
      bytes.fill(0);
    }
  }

  /** @param {Line} step */
  #writeUntilPaused({ chunk, max }) {
    const { transport } = this.#recorder;
    let total = 0;
    while (!this.#recorder.isPaused && total < max) {
      const size = Math.min(chunk, max - total);
      this.#send(this.#written.next(size), (bytes) => transport.write(bytes));
      total += size;
    }
    return total;
  }

  /** @param {Line} step */
  #sendto(step) {
    const { transport, peer, other } = this.#recorder;
    const to = step.addr === 'peer' ? peer : step.addr === 'other' ? other : undefined;
    this.#send(this.#written.of(step), (bytes) => transport.sendto(bytes, to));
  }

  /** @param {Line} step */
  #schedule(step) {
    const { loop } = this.#recorder;
    const mark = () => this.#recorder.mark(step.label);
    this.#laters.push(
      step.proto === 'call_soon' ? loop.callSoon(mark) : loop.callLater(step.ms, mark),
    );
  }

  /** @param {Line} step */
  #pipe({ fd }) {
    const pipe = this.#recorder.transport.getPipeTransport(fd);
    if (!pipe) throw failed('EBADF');
    return pipe;
  }

  /** @param {Line} step @returns {unknown} what it answers, if that is to be printed */
  #run(step) {
    const { transport } = this.#recorder;
    switch (step.proto) {
      case 'write':
        return this.#send(this.#written.of(step), (bytes) => transport.write(bytes));
      case 'writelines':
        return transport.writelines(
          step.ns.map((/** @type {number} */ n) => this.#written.next(n)),
        );
      case 'write_until_paused':
        return this.#writeUntilPaused(step);
      case 'sendto':
        return this.#sendto(step);
      case 'write_eof':
        return transport.writeEof();
      case 'close':
        return transport.close();
      case 'abort':
        return transport.abort();
      case 'pause_reading':
        return transport.pauseReading();
      case 'resume_reading':
        return transport.resumeReading();
      case 'is_reading':
        return transport.isReading();
      case 'is_closing':
        return transport.isClosing();
      case 'can_write_eof':
        return transport.canWriteEof();
      case 'get_write_buffer_size':
        return transport.getWriteBufferSize();
      case 'get_write_buffer_limits': {
        const { low, high } = transport.getWriteBufferLimits();
        return [low, high];
      }
      case 'set_write_buffer_limits':
        return transport.setWriteBufferLimits({ high: step.high, low: step.low });
      case 'set_protocol':
        return transport.setProtocol(this.#recorder.protocols[step.to - 1]);
      case 'get_extra_info':
        if (transport.getExtraInfo(step.label) === undefined) throw failed('ENOENT');
        return true;
      case 'call_soon':
      case 'call_later':
        return this.#schedule(step);
      case 'mark':
        return this.#recorder.mark(step.label);
      default:
        return this.#runChild(step);
    }
  }

  /** Of a subprocess. @param {Line} step @returns {unknown} */
  #runChild(step) {
    const { transport } = this.#recorder;
    switch (step.proto) {
      case 'get_returncode':
        return transport.getReturncode();
      case 'has_pid':
        return transport.getPid() > 0;
      case 'has_pipe':
        return transport.getPipeTransport(step.fd) !== null;
      case 'send_signal':
        return transport.sendSignal(step.sig);
      case 'terminate':
        return transport.terminate();
      case 'kill':
        return transport.kill();
      case 'pipe_write':
        return this.#send(this.#pipes[step.fd].of(step), (bytes) => this.#pipe(step).write(bytes));
      case 'pipe_write_eof':
        return this.#pipe(step).writeEof();
      case 'pipe_close':
        return this.#pipe(step).close();
      case 'pipe_pause_reading':
        return this.#pipe(step).pauseReading();
      case 'pipe_resume_reading':
        return this.#pipe(step).resumeReading();
      default:
        throw new Error(`no such step: ${step.proto}`);
    }
  }
}
