/**
 * Runs a scenario with the recorder compiled to wasm (tests/wasm/trace.c), in Node or in a browser.
 */

/**
 * @typedef {import('./traces/format.js').Line} Line
 * @typedef {import('./traces/format.js').Scenario} Scenario
 * @typedef {import('../js/module.js').Module} Module
 * @typedef {import('../js/webrtc/signalling.js').Signalling} Signalling
 */

/**
 * @typedef {object} Stage
 * @property {(code: BufferSource, options: import('../js/loader.js').LoadOptions) => Promise<Module>} load
 * @property {BufferSource} code of the module
 * @property {Scenario} scenario
 * @property {string} [spec] where the peer is (tests/peer/); none: the memory host in the module
 * @property {boolean} [framed] on the memory host, with Towline framing
 * @property {string} [child] the program that a subprocess runs
 * @property {(room: string) => Signalling | Promise<Signalling>} [signalling] how to find a peer of WebRTC; none: as the page says
 * @property {(line: Line) => void} print
 */

/**
 * Cuts what is printed into lines.
 * @param {(line: Line) => void} print
 */
export function lineReader(print) {
  let rest = '';
  return (/** @type {string} */ text) => {
    rest += text;
    if (!text.endsWith('\n')) return;
    for (const line of rest.split('\n')) if (line) print(JSON.parse(line));
    rest = '';
  };
}

/** What carries WebRTC: to this name, and nothing may get lost. @param {any} signalling */
async function peers(signalling) {
  const { webrtc } = await import('../js/webrtc/index.js');
  const reliable = { ordered: true, maxRetransmits: Number.POSITIVE_INFINITY };
  const carrier = webrtc({ signalling, name: 'subject', ...reliable });
  return { webrtc: carrier, 'webrtc-stream': carrier };
}

/**
 * A pipe on a descriptor, which JavaScript asks for.
 * @param {any} module in Node
 * @param {number} trace
 * @param {Scenario} scenario
 * @param {string} spec fd:N
 */
async function openPipe(module, trace, scenario, spec) {
  const fd = Number(spec.slice('fd:'.length));
  const options = { protocol: 'trace_protocol', context: trace };
  if (scenario.transport === 'pipe_w') await module.connectWritePipe(fd, options);
  else await module.connectReadPipe(fd, options);
}

/**
 * @param {Stage} stage
 * @returns {Promise<number>} 0 done, 2 malformed, 77 cannot run this one
 */
export async function runTrace(stage) {
  const { load, code, scenario, spec, framed, child = '', print } = stage;
  const { signalling = /** @type {any} */ (globalThis).signalling } = stage;
  /** @type {() => void} */
  let end = () => {};
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => {
    end = resolve;
  });
  const read = lineReader((line) => (line.log === 'ended' ? end() : print(line)));
  const complain = (/** @type {string} */ text) => console.error(text.trimEnd());
  const stdout = (/** @type {string} */ text, /** @type {number} */ descriptor) =>
    descriptor === 1 ? read(text) : complain(text);
  const transports = spec?.startsWith('webrtc') ? await peers(signalling) : {};
  const module = await load(code, { stdout, transports });
  try {
    const trace = Number(module.call('trace_new', JSON.stringify(scenario)));
    const status = Number(module.call('trace_status', trace));
    if (status !== 0) return status;
    if (framed) module.call('trace_frame', trace);
    if (spec === undefined) return Number(module.call('trace_run', trace));
    if (!spec.startsWith('fd:')) module.call('trace_open', trace, module.loop, spec, child);
    else if ('connectReadPipe' in module) await openPipe(module, trace, scenario, spec);
    else return 77;
    await ended;
    module.call('trace_abort', trace);
    return Number(module.call('trace_status', trace));
  } finally {
    await module.close();
  }
}
