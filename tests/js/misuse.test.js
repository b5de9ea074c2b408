// Whatever is called with what cannot be meant says so at once, in words: nothing hangs, nothing breaks.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as towline from '../../js/node.js';
import { probeFile } from './probe.js';

const {
  BufferedProtocol,
  Loop,
  Protocol,
  MemoryNetwork,
  StreamProtocol,
  StreamReader,
  TowlineError,
} = towline;

/** @type {any} */
let loop;
/** @type {any} */
let transport;
/** @type {any} */
let endpoint;
/** @type {any} */
let child;
/** @type {any} */
let connection;
/** @type {any} */
let module;

const factory = () => ({});
const childFactory = () => ({ processExited() {} });

/**
 * What is called, and what is said of it. Types are TypeErrors; values are TowlineErrors.
 * @type {Record<string, [string, () => unknown, RegExp][]>}
 */
const cases = {
  'a loop': [
    [
      'with a number for options',
      () => new Loop(/** @type {any} */ (5)),
      /options is an object, not 5/,
    ],
    [
      'onerror',
      () => new Loop(/** @type {any} */ ({ onerror: 'log' })),
      /onerror is a function, not "log"/,
    ],
    ['onlog', () => new Loop(/** @type {any} */ ({ onlog: 1 })), /onlog is a function, not 1/],
    [
      'transports',
      () => new Loop(/** @type {any} */ ({ transports: null })),
      /transports is an object, not null/,
    ],
    ['callSoon', () => loop.callSoon(), /the callback is a function, not undefined/],
    [
      'callLater without a delay',
      () => loop.callLater(() => {}),
      /the delay is a number, not a function/,
    ],
    [
      'callLater without a callback',
      () => loop.callLater(5),
      /the callback is a function, not undefined/,
    ],
    [
      'callLater never',
      () => loop.callLater(Number.NaN, () => {}),
      /the delay is NaN, which is no number/,
    ],
  ],
  connecting: [
    [
      'no address',
      () => loop.connect(undefined, factory),
      /the address is a string, not undefined/,
    ],
    [
      'an object',
      () => loop.connect({ port: 80 }, factory),
      /the address is a string, not an object/,
    ],
    ['no scheme', () => loop.connect('127.0.0.1:80', factory), /127\.0\.0\.1:80: not an address/],
    ['an empty text', () => loop.connect('', factory), /not an address/],
    [
      'an unknown scheme',
      () => loop.connect('gopher://x:70', factory),
      /this host cannot connect to gopher:/,
    ],
    ['no port', () => loop.connect('tcp://127.0.0.1', factory), /tcp:\/\/127\.0\.0\.1/],
    [
      'a port too high',
      () => loop.connect('tcp://127.0.0.1:70000', factory),
      /tcp:\/\/127\.0\.0\.1:70000/,
    ],
    ['no web address', () => loop.connect('ws://', factory), /ws:\/\//],
    [
      'options for a factory',
      () => loop.connect('mem:peer', { high: 1 }),
      /the factory is a function, not an object/,
    ],
    [
      'a protocol for a factory',
      () => loop.connect('mem:peer', new BufferedProtocol()),
      /the factory is a function, not a BufferedProtocol/,
    ],
    [
      'a class for a factory',
      () => loop.connect('mem:peer', BufferedProtocol),
      /Class constructor BufferedProtocol cannot be invoked without 'new'/,
    ],
    [
      'an async factory',
      () => loop.connect('mem:peer', async () => ({})),
      /a protocol is an object with callbacks, not a promise/,
    ],
    [
      'a factory of nothing',
      () => loop.connect('mem:peer', () => {}),
      /a protocol is an object with callbacks, not undefined/,
    ],
    [
      'a number for options',
      () => loop.connect('mem:peer', factory, 5),
      /options is an object, not 5/,
    ],
    ['timeout', () => loop.connect('mem:peer', factory, { timeout: 'soon' }), /timeout/],
    [
      'a timeout less than nothing',
      () => loop.connect('mem:peer', factory, { timeout: -1 }),
      /timeout/,
    ],
    ['signal', () => loop.connect('mem:peer', factory, { signal: 5 }), /signal/],
    ['high', () => loop.connect('mem:peer', factory, { high: 'much' }), /high/],
    ['low over high', () => loop.connect('mem:peer', factory, { high: 1, low: 2 }), /low/],
    ['inbox', () => loop.connect('mem:peer', factory, { inbox: -5 }), /inbox/],
    ['framing', () => loop.connect('mem:peer', factory, { framing: 'yes' }), /framing/],
  ],
  'serving and the rest': [
    [
      'listen without a factory',
      () => loop.listen('mem:x'),
      /the factory is a function, not undefined/,
    ],
    [
      'listen without an address',
      () => loop.listen(),
      /the factory is a function|the address is a string/,
    ],
    [
      'startServer without serve',
      () => loop.startServer('mem:x'),
      /serve is a function, not undefined/,
    ],
    [
      'startServer with a limit of 0',
      () => loop.startServer('mem:x', () => {}, { limit: 0 }),
      /limit/,
    ],
    [
      'openConnection with a limit',
      () => loop.openConnection('mem:peer', { limit: 'x' }),
      /limit is a number, not "x"/,
    ],
    [
      'openConnection with a factory',
      () => loop.openConnection('mem:peer', factory),
      /options is an object, not a function/,
    ],
    [
      'datagram over a stream',
      () => loop.datagram('mem:peer', () => new Protocol()),
      /the protocol of/,
    ],
    [
      'datagram to nowhere',
      () => loop.datagram('udp://127.0.0.1', factory),
      /udp:\/\/127\.0\.0\.1/,
    ],
    [
      'datagram with options of nothing',
      () => loop.datagram('udp://127.0.0.1:9', factory, null),
      /options is an object, not null/,
    ],
    ['spawn no program', () => loop.spawn('exec:', childFactory), /exec:: no program/],
    ['spawn what is not there', () => loop.spawn('exec:/nowhere/x', childFactory), /\/nowhere\/x/],
    ['spawn with stdio', () => loop.spawn('exec:cat', childFactory, { stdio: 'all' }), /stdio/],
    ['spawn with arguments', () => loop.spawn('exec:cat', childFactory, { arguments: 'x' }), /arg/],
    ['connectReadPipe', () => loop.connectReadPipe('stdin', factory), /fd/],
    ['connectWritePipe', () => loop.connectWritePipe(-1, factory), /fd/],
  ],
  'a transport': [
    [
      'write nothing',
      () => transport.write(),
      /what is written is a string, an ArrayBuffer or a view of one, not undefined/,
    ],
    ['write a number', () => transport.write(5), /not 5/],
    ['write an object', () => transport.write({}), /not an object/],
    ['writelines of a text', () => transport.writelines('text'), /lines is an array of bytes/],
    ['writelines of numbers', () => transport.writelines([5]), /not 5/],
    ['writelines of nothing', () => transport.writelines(), /lines is an array of bytes/],
    ['abort', () => transport.abort('why'), /code is a number, not "why"/],
    ['abort with a half', () => transport.abort(1.5), /code is not a whole number/],
    ['abort with a reason', () => transport.abort(1, 5), /reason is a string, not 5/],
    ['getExtraInfo', () => transport.getExtraInfo(), /name is a string, not undefined/],
    [
      'setProtocol',
      () => transport.setProtocol(null),
      /a protocol is an object with callbacks, not null/,
    ],
    ['setProtocol to a class', () => transport.setProtocol(BufferedProtocol), /not a function/],
    [
      'setProtocol of another kind',
      () => transport.setProtocol({ datagramReceived() {} }),
      /the protocol of an endpoint cannot be that of a stream/,
    ],
    [
      'setWriteBufferLimits',
      () => transport.setWriteBufferLimits({ high: '1' }),
      /high is a number, not "1"/,
    ],
    ['setWriteBufferLimits below 0', () => transport.setWriteBufferLimits({ high: -1 }), /high/],
    [
      'setWriteBufferLimits to no number',
      () => transport.setWriteBufferLimits({ low: Number.NaN }),
      /low/,
    ],
    [
      'setWriteBufferLimits to a number',
      () => transport.setWriteBufferLimits(5),
      /limits is an object, not 5/,
    ],
    ['sendto no one', () => endpoint.sendto('x'), /sendto/],
    ['sendto a number', () => endpoint.sendto('x', 9), /peer is a string, not 9/],
    ['sendto a name', () => endpoint.sendto('x', 'localhost'), /sendto/],
    ['sendto nothing', () => endpoint.sendto(undefined, '127.0.0.1:9'), /what is written/],
    ['getPipeTransport', () => child.getPipeTransport('stdin'), /fd is a number, not "stdin"/],
    ['sendSignal', () => child.sendSignal('SIGTERM'), /signal is a number, not "SIGTERM"/],
    ['sendSignal that there is not', () => child.sendSignal(1000), /sendSignal/],
  ],
  streams: [
    ['a limit', () => new StreamReader(/** @type {any} */ ('x')), /limit is a number, not "x"/],
    ['a limit of 0', () => new StreamReader(0), /limit/],
    [
      'serve',
      () => new StreamProtocol(/** @type {any} */ ({ serve: 5 })),
      /serve is a function, not 5/,
    ],
    [
      'a connection before it is there',
      () => new StreamProtocol().connection,
      /it is not connected/,
    ],
    [
      'feedData',
      () => new StreamReader().feedData(/** @type {any} */ ('x')),
      /data is a Uint8Array, not "x"/,
    ],
    ['read', () => connection.reader.read('5'), /size is a number, not "5"/],
    ['read of no number', () => connection.reader.read(Number.NaN), /size is NaN/],
    [
      'read with a signal',
      () => connection.reader.read(5, { signal: 5 }),
      /signal is an AbortSignal, not 5/,
    ],
    ['readExactly', () => connection.reader.readExactly(), /size is a number, not undefined/],
    [
      'readExactly of a half',
      () => connection.reader.readExactly(0.5),
      /size is not a whole number/,
    ],
    [
      'readUntil a number',
      () => connection.reader.readUntil(10),
      /the separator is a string or a Uint8Array, not 10/,
    ],
    ['readUntil nothing', () => connection.reader.readUntil(''), /the separator is empty/],
    ['write', () => connection.writer.write(5), /what is written/],
    ['writelines', () => connection.writer.writelines(5), /lines/],
  ],
  'a module': [
    [
      'load nothing',
      () => towline.load(/** @type {any} */ (undefined)),
      /not a WebAssembly module/,
    ],
    [
      'load something that is ok',
      () => towline.load(/** @type {any} */ ({ ok: true })),
      /not a WebAssembly module/,
    ],
    ['load a number', () => towline.load(/** @type {any} */ (5)), /not a WebAssembly module/],
    [
      'no such protocol',
      () => module.connect('mem:peer', { protocol: 'none' }),
      /no function none/,
    ],
    ['no options', () => module.connect('mem:peer'), /no function undefined/],
    ['no address', () => module.connect(undefined, { protocol: 'probe_stream' }), /not an address/],
    ['no such export', () => module.call('none'), /no function none/],
    [
      'timeout',
      () => module.connect('mem:peer', { protocol: 'probe_stream', timeout: 'x' }),
      /timeout/,
    ],
  ],
};

before(async () => {
  const network = new MemoryNetwork();
  network.serve('peer', () => {});
  loop = new Loop({ transports: { mem: network } });
  ({ transport } = await loop.connect('mem:peer', factory));
  const datagrams = () => ({ datagramReceived() {} });
  ({ transport: endpoint } = await loop.datagram('udp://127.0.0.1:0', datagrams, { bind: true }));
  ({ transport: child } = await loop.spawn('exec:cat', childFactory));
  connection = await loop.openConnection('mem:peer');
  module = await towline.load(probeFile('wasi'), {
    transports: { mem: network },
    imports: { app: { call: () => 0, opened: () => {} } },
  });
});

after(async () => {
  await loop.close();
  await module.close();
});

for (const [of, table] of Object.entries(cases))
  describe(`misuse of ${of}`, () => {
    for (const [what, call, message] of table)
      test(what, async () => {
        await assert.rejects(
          async () => call(),
          (error) => {
            assert(error instanceof TowlineError || error instanceof TypeError, `${error}`);
            assert.match(error.message, message);
            return true;
          },
        );
      });
  });

test('after all that everything still works', async () => {
  assert.equal(transport.isClosing(), false);
  assert.deepEqual(transport.getWriteBufferLimits(), { low: 16384, high: 65536 });
  transport.write('fine');
  await loop.connect(new URL('mem:peer'), factory, { timeout: 0 });
  connection.reader.feedData(Buffer.from('fine\n'));
  assert.equal((await connection.reader.readLine()).length, 5);
});
