// towline/trace: the calls of a module's protocols, and of one in JavaScript, as they are made.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Loop, load, MemoryNetwork } from '../../js/node.js';
import { describe, traced, watched } from '../../js/trace/index.js';
import { builds, codeOf, probeFile, Signal } from './probe.js';

/** @typedef {import('../../js/trace/index.js').TraceCall} TraceCall */
/** @typedef {import('../../js/trace/index.js').WatchedConnection} WatchedConnection */

const file = (/** @type {string} */ path) =>
  fileURLToPath(new URL(`../../build/${path}`, import.meta.url));
const encoder = new TextEncoder();
/** What probe.c imports: callbacks that do nothing. */
const imports = { app: { call: () => 0, opened() {} } };

/** An end in memory that a test plays: what it says, and what it hears. @param {MemoryNetwork} network */
function serve(network) {
  /** @type {import('../../js/transports/memory.js').MemoryEnd[]} */
  const ends = [];
  network.serve('peer', (end) => void ends.push(end));
  return ends;
}

/** What there is to say of a call, but for times. @param {TraceCall} call */
const word = ({ name, size, fd, hint, error }) =>
  [name, fd === undefined ? '' : `fd${fd}`, hint, size, error?.code]
    .filter((one) => one || one === 0)
    .join(' ');

for (const build of builds) {
  test(`${build}: each call with its bytes, right before it is made; the level where it can be asked`, async () => {
    const network = new MemoryNetwork();
    const ends = serve(network);
    /** @type {TraceCall[]} */
    const begun = [];
    /** @type {string[]} */
    const done = [];
    /** @type {WatchedConnection | undefined} */
    let connection;
    const module = await traced(load, {
      keep: 3,
      oncall: (call) => {
        assert.equal(call.duration, undefined);
        begun.push(call);
      },
      onreturn: (call) => {
        assert.ok(/** @type {number} */ (call.duration) >= 0);
        done.push(call.name);
      },
      onconnection: (made) => {
        connection = made;
      },
    })(file(`${build}/sample.wasm`), { transports: { mem: network } });
    const { transport, protocol } = await module.connect('mem:peer', { protocol: 'echo_new' });
    assert.equal(connection?.protocol, protocol);
    assert.deepEqual(connection?.writeBufferLimits, { low: 16384, high: 65536 });
    assert.equal(connection?.writeBufferSize, 0);
    const [end] = ends;
    await new Promise((resolve) => {
      end.onchange = () => end.isEmpty || resolve(undefined);
      end.write(encoder.encode('hello'));
    });
    assert.equal(new TextDecoder().decode(end.read() ?? undefined), 'hello');
    end.close();
    assert.equal(await transport.closed, null);
    const calls = begun.map(({ name, size }) => `${name} ${size ?? ''}`);
    assert.deepEqual(calls.slice(0, 3), ['CM ', 'GB 4096', 'BU 5']);
    assert.equal(calls.at(-1), 'CL ');
    assert.deepEqual(begun.find(({ name }) => name === 'BU')?.bytes, encoder.encode('hel'));
    assert.equal(begun.at(-1)?.error, null);
    assert.deepEqual(
      done,
      begun.map(({ name }) => name),
    );
    assert.equal(connection?.writeBufferSize, undefined, 'there is no transport any more');
    await module.close();
  });

  test(`${build}: F2 PW inside the call that goes over the mark, with the level that it saw`, async () => {
    const network = new MemoryNetwork();
    const ends = serve(network);
    /** @type {TraceCall[]} */
    const calls = [];
    /** @type {WatchedConnection | undefined} */
    let connection;
    let sent = 0;
    const module = await traced(load, {
      oncall: (call) => calls.push(call),
      onconnection: (made) => {
        connection = made;
      },
      onfact: ({ name, size }) => {
        if (name === 'sent') sent += size;
      },
    })(file(`${build}/stream.wasm`), { transports: { mem: network } });
    const { transport } = await module.connect('mem:peer', { protocol: 'stream_new' });
    const total = 400_000;
    module.call('stream_burst', /** @type {WatchedConnection} */ (connection).protocol, total);
    const pause = calls.find(({ name }) => name === 'PW');
    assert.ok(pause?.level && pause.level > 65536 && pause.level <= 65536 + 1024);
    let taken = 0;
    await new Promise((resolve) => {
      ends[0].onchange = () => {
        taken += ends[0].read()?.length ?? 0;
        if (taken === total) resolve(undefined);
      };
      ends[0].onchange();
    });
    const resumes = calls.filter(({ name }) => name === 'RW');
    assert.ok(resumes.length > 1);
    for (const { level } of resumes) assert.ok(/** @type {number} */ (level) <= 16384);
    assert.ok(
      calls.some(({ name, depth }) => name === 'PW' && depth === 1),
      'inside RW, which writes',
    );
    assert.ok(sent > 0 && sent < total, 'what the host took at once is not told as sent');
    transport.abort();
    await transport.closed;
    await module.close();
  });

  test(`${build}: many connections share what is made, and are told apart`, async () => {
    const network = new MemoryNetwork();
    serve(network);
    /** @type {string[]} */
    const calls = [];
    const options = {
      oncall: (/** @type {TraceCall} */ call) => calls.push(`${call.connection} ${call.name}`),
    };
    const module = await traced(load, options)(file(`${build}/echo.wasm`), {
      transports: { mem: network },
    });
    const table = /** @type {WebAssembly.Table} */ (
      /** @type {any} */ (module.exports).__indirect_function_table
    );
    const open = () => module.connect('mem:peer', { protocol: 'echo_new' });
    const { transport } = await open();
    const { length } = table;
    for (let i = 0; i < 3; i++) {
      const one = await open();
      one.transport.abort();
      await one.transport.closed;
    }
    assert.equal(table.length, length, 'a table of callbacks is copied once');
    transport.abort();
    await transport.closed;
    assert.deepEqual(
      calls.filter((call) => /C[ML]/.test(call)),
      ['1 CM', '2 CM', '2 CL', '3 CM', '3 CL', '4 CM', '4 CL', '1 CL'],
    );
    await module.close();
  });

  test(`${build}: datagrams, and children with their descriptors`, async () => {
    /** @type {string[]} */
    const calls = [];
    /** @type {Signal<Uint8Array | undefined>} */
    const datagram = new Signal();
    const oncall = (/** @type {TraceCall} */ call) => {
      calls.push(word(call));
      if (call.name === 'DG') datagram.fire(call.bytes);
    };
    const module = await traced(load, { keep: 8, oncall })(probeFile(build), { imports });
    const child = await module.spawn('exec:/bin/sh', {
      protocol: 'probe_child',
      arguments: ['-c', 'printf out; printf err! >&2; exec 0<&-'],
    });
    await child.transport.closed;
    assert.equal(calls[0], 'CM');
    assert.equal(calls.at(-1), 'CL');
    for (const call of ['PD fd1 3', 'PD fd2 4', 'PL fd0', 'PL fd1', 'PL fd2', 'PX'])
      assert.ok(calls.includes(call), `${call} in ${calls}`);
    calls.length = 0;
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { transport } = await module.bind('udp://127.0.0.1:0', { protocol: 'probe_datagram' });
    const port = Number(transport.getExtraInfo('sockname')?.split(':')[1]);
    socket.send('a datagram', port, '127.0.0.1', () => socket.close());
    assert.deepEqual(await datagram.fired, encoder.encode('a datag'.padEnd(8, 'r')));
    transport.close();
    await transport.closed;
    assert.deepEqual(calls, ['CM', 'DG 10', 'CL']);
    await module.close();
  });

  test(`${build}: X8 the write buffer of a child is its standard input's; what it writes is a fact`, async () => {
    /** @type {TraceCall[]} */
    const calls = [];
    /** @type {string[]} */
    const facts = [];
    const heard = new Signal();
    /** @type {WatchedConnection | undefined} */
    let connection;
    const module = await traced(load, {
      oncall: (call) => calls.push(call),
      onfact: ({ name, size }) => {
        facts.push(`${name} ${size}`);
        heard.fire(undefined);
      },
      onconnection: (made) => {
        connection = made;
      },
    })(probeFile(build), { imports });
    const { transport } = await module.spawn('exec:/bin/sh', {
      protocol: 'probe_child',
      arguments: ['-c', 'printf out; exec sleep 1000'],
    });
    await heard.fired;
    assert.deepEqual(facts, ['received 3']);
    const input = module.call('tow_transport_get_pipe_transport', connection?.transport ?? 0, 0);
    module.call('tow_transport_write', input, new Uint8Array(1 << 20));
    const waiting = module.call('tow_transport_get_write_buffer_size', input);
    assert.ok(waiting > 65536);
    assert.equal(connection?.writeBufferSize, waiting);
    assert.equal(calls.find(({ name }) => name === 'PW')?.level, waiting);
    transport.abort();
    await transport.closed;
    await module.close();
  });
}

test('a listener that throws disturbs no protocol', async () => {
  const network = new MemoryNetwork();
  serve(network);
  const errors = new Signal();
  const uncaught = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => errors.fire(error.message));
  try {
    const oncall = () => {
      throw new Error('mine');
    };
    const module = await traced(load, { oncall })(file('wasi/echo.wasm'), {
      transports: { mem: network },
    });
    const { transport } = await module.connect('mem:peer', { protocol: 'echo_new' });
    assert.equal(await errors.fired, 'mine');
    process.on('uncaughtException', () => {});
    transport.close();
    assert.equal(await transport.closed, null);
    await module.close();
    await new Promise(setImmediate);
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of uncaught) process.on('uncaughtException', listener);
  }
});

test('what cannot be traced is refused: compiled modules, and what is none', async () => {
  const bytes = await readFile(file('wasi/echo.wasm'));
  const loadTraced = traced(load, {});
  assert.equal(await codeOf(loadTraced(await WebAssembly.compile(bytes))), 'EABI');
  assert.equal(await codeOf(loadTraced(bytes.subarray(0, 300))), 'EABI');
  assert.equal(await codeOf(loadTraced(encoder.encode('no module'))), 'EABI');
  const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
  assert.equal(await codeOf(loadTraced(empty)), 'EABI');
  const module = await loadTraced(bytes);
  await module.close();
});

test("a trap in a call is the module's end, as ever", async () => {
  const network = new MemoryNetwork();
  const ends = serve(network);
  /** @type {TraceCall[]} */
  const calls = [];
  const trapped = new Signal();
  const call = (/** @type {number} */ _protocol, /** @type {number} */ which) => {
    if (which === 5) throw new Error('thrown inside'); // data_received
    return 0;
  };
  const module = await traced(load, { oncall: (call) => calls.push(call) })(probeFile('wasi'), {
    imports: { app: { ...imports.app, call } },
    transports: { mem: network },
    onerror: (error) => trapped.fire(error.code),
  });
  const { transport } = await module.connect('mem:peer', { protocol: 'probe_stream' });
  ends[0].write(encoder.encode('x'));
  assert.equal(await trapped.fired, 'ETRAP');
  assert.equal((await transport.closed)?.code, 'ETRAP');
  assert.deepEqual(calls.map(word), ['CM', 'DR 1']);
  assert.equal(calls[1].duration, undefined, 'it never returned');
});

test('a protocol in JavaScript: the same words', async () => {
  /** @type {TraceCall[]} */
  const calls = [];
  const listener = { keep: 2, oncall: (/** @type {TraceCall} */ call) => void calls.push(call) };
  const network = new MemoryNetwork();
  const ends = serve(network);
  const own = new Loop({ transports: { mem: network } });
  const buffer = new Uint8Array(4);
  const protocol = {
    getBuffer: () => buffer,
    bufferUpdated() {},
    eofReceived: () => false,
    note: () => 'mine',
  };
  const seen = watched(protocol, listener);
  assert.equal(seen.note(), 'mine');
  const { transport } = await own.connect('mem:peer', () => seen);
  ends[0].write(encoder.encode('hello'));
  ends[0].close();
  await transport.closed;
  assert.deepEqual(
    calls.map(word).filter((call) => call !== 'GB -1'),
    ['GB 5 4', 'BU 4', 'GB 1 4', 'BU 1', 'ER'],
  );
  assert.deepEqual(calls.find(({ name }) => name === 'BU')?.bytes, encoder.encode('he'));
  await own.close();
});

test('what a module is, from its bytes', async () => {
  const found = describe(await readFile(file('wasi/sample.wasm')));
  assert.deepEqual(found.protocols, ['echo_new']);
  assert.deepEqual(found.families, ['streams', 'framing', 'timers']);
  assert.deepEqual(found.functions, []);
  assert.deepEqual(found.problems, []);
  assert.throws(() => describe(encoder.encode('text')), { code: 'EABI' });
});
