/** What subprocesses in Workers cost, in Node and in a page: worker-bench.js prints it. */

/** Some of probe.c's calls. */
const GET_BUFFER = 6;
const UPDATED = 7;
const PIPE_DATA = 11;

const BUFFER_SIZE = 262144;

/** How often each is measured. */
const TIMES = 50;

/** @typedef {number | number[]} Figure a median may have the bounds between which it is, at 95 percent */

/** @param {number[]} values @returns {Figure} */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const least = Math.floor((sorted.length - 1.96 * Math.sqrt(sorted.length)) / 2);
  return [sorted.length >> 1, least, sorted.length - 1 - least].map((at) => sorted[at]);
}

/** Milliseconds until `done` is called. @param {(done: () => void) => unknown} work */
async function time(work) {
  const start = performance.now();
  await new Promise((/** @type {(_: void) => void} */ resolve, reject) =>
    Promise.resolve(work(resolve)).catch(reject),
  );
  return performance.now() - start;
}

/**
 * @param {object} place
 * @param {Function} place.load
 * @param {Function} place.workers
 * @param {any} place.probe probe.wasm
 * @param {Record<string, any>} place.programs
 * @param {string} [place.shim]
 * @param {(done: () => void) => void} place.empty starts a Worker that does nothing but say so
 */
export async function measure({ load, workers, probe, programs, shim, empty }) {
  /** @type {(call: number, protocol: number, a: number, b: number) => void} */
  let on = () => {};
  const app = {
    call(
      /** @type {number} */ protocol,
      /** @type {number} */ call,
      /** @type {number} */ a,
      /** @type {number} */ b,
    ) {
      on(call, protocol, a, b);
      return 0;
    },
    opened() {},
  };
  const transports = {
    cold: workers({ programs, shim, pool: 0 }),
    warm: workers({ programs, shim, pool: 1 }),
  };
  const module = await load(probe, { imports: { app }, transports });
  const spawn = (/** @type {string} */ address, /** @type {string[]} */ ...list) =>
    module.spawn(address, { protocol: 'probe_child', arguments: list });
  const pipe = (/** @type {number} */ protocol, /** @type {number} */ fd) =>
    module.call('tow_transport_get_pipe_transport', module.call('probe_transport', protocol), fd);

  /** From the call to the program's first byte. @param {string} address */
  const firstByte = async (address) => {
    /** @type {any} */
    let child;
    const taken = await time(async (done) => {
      on = (call) => call === PIPE_DATA && done();
      child = await spawn(address, '0');
    });
    await child.transport.closed;
    return taken;
  };
  /** In turns, so that what else goes on here meets them alike. @param {(() => Promise<number>)[]} works */
  const inTurns = async (...works) => {
    /** @type {number[][]} */
    const values = works.map(() => []);
    for (let i = 0; i < TIMES; i++)
      for (const [at, work] of works.entries()) {
        values[at].push(await work());
        await new Promise((resolve) => setTimeout(resolve, 50)); // the next Worker of a pool starts meanwhile
      }
    return values;
  };

  const first = await firstByte('cold:end'); // compiled from now on
  await firstByte('warm:end');
  const [alone, cold, warm] = await inTurns(
    () => time(empty),
    () => firstByte('cold:end'),
    () => firstByte('warm:end'),
  );
  /** @type {Record<string, Figure>} */
  const figures = {
    'an empty Worker, ms': median(alone),
    'spawn to the first byte without a pool, ms': median(cold),
    '  over the empty Worker before it, ms': median(cold.map((value, i) => value - alone[i])),
    '  the first of all, its program compiled, ms': first,
    'spawn to the first byte with a pool, ms': median(warm),
    "a line's round trip, ms": await roundTrip(),
    'standard output into a buffered reader, MB/s': await throughput(),
  };
  await module.close();
  return figures;

  async function roundTrip() {
    const count = 2000;
    let left = count;
    const { transport, protocol } = await spawn('warm:upper');
    const stdin = pipe(protocol, 0);
    const taken = await time((done) => {
      on = (call) => {
        if (call !== PIPE_DATA) return;
        if (--left > 0) module.call('tow_transport_write', stdin, 'a line\n');
        else done();
      };
      module.call('tow_transport_write', stdin, 'a line\n');
    });
    transport.close();
    await transport.closed;
    return taken / count;
  }

  async function throughput() {
    const size = 1 << 30;
    const { transport, protocol } = await spawn('warm:bulk', String(size));
    const reader = module.call('probe_buffered', module.loop, 0);
    const buffer = module.call('malloc', BUFFER_SIZE);
    module.call('probe_set_buffer', reader, buffer, BUFFER_SIZE);
    const stdout = pipe(protocol, 1);
    const own = module.call('tow_transport_get_protocol', stdout);
    let bytes = 0;
    const taken = await time((done) => {
      on = (call, _protocol, _a, b) => {
        if (call === UPDATED) bytes += b;
        if (call !== GET_BUFFER && bytes === size) done();
      };
      module.call('tow_transport_set_protocol', stdout, reader);
    });
    module.call('tow_transport_set_protocol', stdout, own);
    await transport.closed;
    return size / 1e3 / taken;
  }
}
