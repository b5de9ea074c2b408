/** The recording protocols: each callback prints its line, then does what the scenario has for this call of it. */
import {
  BufferedProtocol,
  DatagramProtocol,
  Protocol,
  SubprocessProtocol,
} from '../../js/protocols/protocol.js';
import { errorName, hexOf } from './lines.js';

/**
 * @typedef {import('../traces/format.js').Line} Line
 * @typedef {import('../traces/format.js').Scenario} Scenario
 * @typedef {import('./recorder.js').Recorder} Recorder
 */

/** What the recording protocols have in common. */
class Recording {
  /** @type {Record<string, number>} */
  #calls = {};

  /** @param {Recorder} recorder @param {Line} script @param {boolean} isSecond */
  constructor(recorder, script, isSecond) {
    this.recorder = recorder;
    this.script = script;
    this.isSecond = isSecond;
  }

  /** @param {string} name @param {Line} [more] @param {Uint8Array} [data] */
  called(name, more = {}, data = undefined) {
    const { recorder, script } = this;
    /** @type {Line} */
    const line = { cb: name, ...more };
    if (data) line.hex = hexOf(data);
    if (this.isSecond) line.p = 2;
    recorder.print(line);
    if (recorder.hasEnded) return;
    this.#calls[name] = (this.#calls[name] ?? 0) + 1;
    recorder.count(name, data?.length ?? 0);
    const call = this.#calls[name];
    for (const [trigger, steps] of Object.entries(script.on ?? {})) {
      const [cb, nth = '1'] = trigger.split('#');
      if (cb === name && Number(nth) === call) recorder.ops.runAll(steps);
    }
  }

  /** @param {any} transport */
  made(transport) {
    this.recorder.transport = transport;
    try {
      this.called('connection_made');
    } finally {
      this.recorder.begin();
    }
  }

  /** @param {any} error */
  lost(error) {
    this.called('connection_lost', { exc: errorName(error) });
  }

  /** @param {boolean} isPaused */
  paused(isPaused) {
    this.recorder.isPaused = isPaused;
    this.called(isPaused ? 'pause_writing' : 'resume_writing');
  }

  ended() {
    this.called('eof_received');
    return this.script.eof_returns === true;
  }
}

/**
 * A class with the callbacks that all have.
 * @template {new (...values: any[]) => any} C
 * @param {C} Base
 */
const recording = (Base) =>
  class extends Base {
    /** @param {any[]} values of Recording */
    constructor(...values) {
      super();
      const [recorder, script, isSecond] = values;
      this.recording = new Recording(recorder, script, isSecond);
    }

    connectionMade(/** @type {any} */ transport) {
      this.recording.made(transport);
    }

    connectionLost(/** @type {any} */ error) {
      this.recording.lost(error);
    }

    pauseWriting() {
      this.recording.paused(true);
    }

    resumeWriting() {
      this.recording.paused(false);
    }
  };

class StreamRecording extends recording(Protocol) {
  dataReceived(/** @type {Uint8Array} */ data) {
    this.recording.called('data_received', {}, data);
  }

  eofReceived() {
    return this.recording.ended();
  }
}

class BufferedRecording extends recording(BufferedProtocol) {
  #gets = 0;
  #buffer = new Uint8Array(0);

  getBuffer(/** @type {number} */ hint) {
    const sizes = this.recording.script.buffer_sizes ?? [65536];
    const size = sizes[Math.min(this.#gets++, sizes.length - 1)];
    this.#buffer = new Uint8Array(size);
    this.recording.called('get_buffer', { hint, ret: size });
    return this.#buffer;
  }

  bufferUpdated(/** @type {number} */ size) {
    this.recording.called('buffer_updated', { n: size }, this.#buffer.subarray(0, size));
  }

  eofReceived() {
    return this.recording.ended();
  }
}

class DatagramRecording extends recording(DatagramProtocol) {
  datagramReceived(/** @type {Uint8Array} */ data) {
    this.recording.called('datagram_received', {}, data);
  }

  errorReceived(/** @type {any} */ error) {
    this.recording.called('error_received', { exc: errorName(error) });
  }
}

class SubprocessRecording extends recording(SubprocessProtocol) {
  pipeDataReceived(/** @type {number} */ fd, /** @type {Uint8Array} */ data) {
    this.recording.called('pipe_data_received', { fd }, data);
  }

  pipeConnectionLost(/** @type {number} */ fd, /** @type {any} */ error) {
    this.recording.called('pipe_connection_lost', { fd, exc: errorName(error) });
  }

  processExited() {
    this.recording.called('process_exited');
  }
}

/** @type {Record<string, new (recorder: Recorder, script: Line, isSecond: boolean) => any>} */
const classes = {
  stream: StreamRecording,
  buffered: BufferedRecording,
  datagram: DatagramRecording,
  subprocess: SubprocessRecording,
};

/** The scenario's protocols. @param {Recorder} recorder @param {Scenario} scenario */
export function protocolsOf(recorder, { kind, proto, proto2 }) {
  const first = new classes[kind](recorder, proto, false);
  return proto2 ? [first, new classes[proto2.kind ?? 'stream'](recorder, proto2, true)] : [first];
}
