/** What subprocesses in Workers cost, in Node and in a page: worker-bench.js prints it. */

/** Some of probe.c's calls. */
const GET_BUFFER = 6;
const UPDATED = 7;
const PIPE_DATA = 11;

const BUFFER_SIZE = 262144;

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

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
  /** @param {number} count @param {() => Promise<number>} work */
  const repeat = async (count, work) => {
    const values = [];
    for (let i = 0; i < count; i++) {
      values.push(await work());
      await new Promise((resolve) => setTimeout(resolve, 50)); // the next Worker of a pool starts meanwhile
    }
    return median(values);
  };

  await firstByte('cold:end'); // compiled from now on
  await firstByte('warm:end');
  const figures = {
    'an empty Worker, ms': await repeat(20, () => time(empty)),
    'spawn to the first byte without a pool, ms': await repeat(20, () => firstByte('cold:end')),
    'spawn to the first byte with a pool, ms': await repeat(20, () => firstByte('warm:end')),
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
