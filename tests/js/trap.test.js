import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryNetwork } from '../../js/node.js';
import { MemoryEnd } from '../../js/transports/memory.js';
import { builds, codeOf, loadProbe, Signal } from './probe.js';

/** A module, and ends that its connections come to. @param {string} build @param {import('./probe.js').Callbacks} callbacks */
async function scene(build, callbacks) {
  const network = new MemoryNetwork();
  /** @type {import('../../js/transports/memory.js').MemoryEnd[]} */
  const ends = [];
  network.serve('peer', (end) => ends.push(end));
  const loaded = await loadProbe(build, callbacks, { transports: { mem: network } });
  const connect = (protocol = 'probe_stream') => loaded.module.connect('mem:peer', { protocol });
  return { ...loaded, ends, connect };
}

/** How a module can break, inside data_received. @type {Record<string, (probe: import('./probe.js').Probe) => void>} */
const accidents = {
  'a trap': ({ module }) => module.exports.probe_trap(0, 0),
  'a stack overflow': ({ module }) => module.exports.probe_recurse(0),
  'a write from outside memory': ({ module, transport }) =>
    module.exports.tow_transport_write(transport, -16, 64),
  'an exception of JavaScript': () => {
    throw new Error('of the application');
  },
};

for (const build of builds) {
  for (const [name, happen] of Object.entries(accidents)) {
    test(`${name} ends the module, and no other, ${build}`, async () => {
      const broken = await scene(build, { data: happen });
      const other = await scene(build, { data: (probe, bytes) => void probe.write(bytes) });
      const first = await broken.connect();
      const second = await broken.connect();
      const third = await other.connect();
      const pending = codeOf(broken.module.connect('mem:peer?never', { protocol: 'probe_stream' }));
      broken.ends[0].write(Buffer.from('x'));
      for (const { transport } of [first, second])
        assert.equal((await transport.closed)?.code, 'ETRAP');
      assert.equal(await pending, 'ETRAP');
      assert.deepEqual(
        broken.errors.map(({ code }) => code),
        ['ETRAP'],
      );
      assert.ok(broken.ends[1].closed && broken.ends[0].closed);
      assert.throws(() => broken.module.call('malloc', 1), { code: 'ETRAP' });
      assert.equal(await codeOf(broken.connect()), 'ETRAP');
      first.transport.close();
      await broken.module.close();

      const echo = new Signal();
      other.ends[0].onchange = () => !other.ends[0].isEmpty && echo.fire(other.ends[0].read());
      other.ends[0].write(Buffer.from('still here'));
      assert.equal(Buffer.from(/** @type {any} */ (await echo.fired)).toString(), 'still here');
      await other.module.close();
      assert.equal(await third.transport.closed, null);
    });
  }

  test(`a trap in the constructor, ${build}`, async () => {
    const { connect, errors, ends } = await scene(build, {});
    assert.equal(await codeOf(connect('probe_trap')), 'ETRAP');
    assert.equal(errors.length, 1);
    assert.ok(ends[0].closed);
  });

  test(`a trap on a timer, ${build}`, async () => {
    const { connect, module } = await scene(build, {
      made: ({ protocol }) => module.call('probe_later', protocol, 5),
      timer: () => module.exports.probe_trap(0, 0),
    });
    const { transport } = await connect();
    assert.equal((await transport.closed)?.code, 'ETRAP');
  });

  test(`no protocol is out of memory, ${build}`, async () => {
    const { connect, module, ends } = await scene(build, {});
    assert.equal(await codeOf(connect('probe_none')), 'ENOMEM');
    assert.ok(ends[0].closed);
    await module.close();
  });

  test(`get_buffer outside memory ends that connection only, ${build}`, async () => {
    for (const [base, size] of [
      [0xfffffff0, 64],
      [64, 0xffffffff],
      [0x3fffffff, 16],
    ]) {
      const { connect, module, ends, all } = await scene(build, {
        getBuffer: ({ protocol }) => {
          if (all[0].protocol === protocol) module.call('probe_set_buffer', protocol, base, size);
        },
      });
      const first = await connect('probe_buffered');
      const second = await connect('probe_buffered');
      ends[0].write(Buffer.from('hello'));
      ends[1].write(Buffer.from('hello'));
      const error = await first.transport.closed;
      assert.equal(error?.code, 'EBUFFER');
      assert.match(error.message, /outside the module/);
      assert.equal(all[1].text, 'hello');
      await module.close();
      assert.equal(await second.transport.closed, null);
    }
  });

  test(`a callback that fails ends its connection and is reported, ${build}`, async () => {
    const { connect, module, ends, errors } = await scene(build, { data: () => -77 });
    const { transport } = await connect();
    ends[0].write(Buffer.from('x'));
    const error = await transport.closed;
    assert.deepEqual([error?.code, error?.native], ['ECALLBACK', -77]);
    assert.match(errors[0].message, /^data_received\(\): /);
    await module.close();
  });

  test(`closing delivers every end, ${build}`, async () => {
    const { connect, module, all } = await scene(build, {});
    const { transport } = await connect();
    const pending = codeOf(module.connect('mem:peer?never', { protocol: 'probe_stream' }));
    await module.close();
    assert.equal(await transport.closed, null);
    assert.equal(await pending, 'ECANCELED');
    assert.deepEqual(all[0].calls, ['made', 'lost']);
  });

  test(`a module closed by a callback of its own, ${build}`, async () => {
    const { connect, module, ends, all } = await scene(build, { data: () => void module.close() });
    const { transport } = await connect();
    ends[0].write(Buffer.from('x'));
    assert.equal(await transport.closed, null);
    await module.close();
    assert.deepEqual(all[0].calls, ['made', 'lost']);
  });

  test(`a connection that C asks for, ${build}`, async () => {
    const { module, ends, opened } = await scene(build, {
      made: (probe) => void probe.write('hi'),
    });
    module.call('probe_connect', module.loop, 'mem:peer', 5);
    module.call('probe_connect', module.loop, 'mem:nobody', 6);
    const come = new Signal();
    ends[0].onchange = () => come.fire(ends[0].read());
    assert.equal(Buffer.from(/** @type {any} */ (await come.fired)).toString(), 'hi');
    assert.equal(opened.length, 2);
    assert.deepEqual([opened[0][0], opened[0][2]], [5, 0]);
    assert.equal(opened[1][0], 6);
    assert.equal(module.memory.string(module.call('tow_error_name', opened[1][2])), 'ECONNREFUSED');
    await module.close();
  });
}

test('ends joined in memory are bounded', () => {
  const [one, other] = MemoryEnd.pair();
  assert.equal(one.write(new Uint8Array(70000)), 65536);
  assert.equal(other.read(100)?.length, 100);
  assert.equal(one.room, 100);
});
