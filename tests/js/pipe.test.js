import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { builds, codeOf, loadProbe } from './probe.js';

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;

/** Both ends of a FIFO. */
function makeFifo() {
  const folder = fs.mkdtempSync(join(tmpdir(), 'towline-'));
  try {
    const path = join(folder, 'fifo');
    execFileSync('mkfifo', [path]);
    const reader = fs.openSync(path, O_RDONLY | O_NONBLOCK);
    return { reader, writer: fs.openSync(path, O_WRONLY) };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Node's own end. @param {import('node:test').TestContext} t @param {number} fd @param {boolean} isReader */
function open(t, fd, isReader) {
  const socket = new net.Socket({ fd, readable: isReader, writable: !isReader });
  t.after(() => socket.destroy());
  return socket;
}

/** @param {import('node:test').TestContext} t @param {Parameters<typeof loadProbe>} values */
async function probeFor(t, ...values) {
  const loaded = await loadProbe(...values);
  t.after(() => loaded.module.close());
  return loaded;
}

const options = { protocol: 'probe_stream' };

for (const build of builds) {
  test(`reading from a pipe, ${build}`, async (t) => {
    for (const protocol of ['probe_stream', 'probe_buffered']) {
      const { reader, writer } = makeFifo();
      const { module, all } = await probeFor(t, build, { eof: () => 1 });
      const { transport } = await module.connectReadPipe(reader, { protocol });
      assert.equal(transport.getExtraInfo('pipe'), String(reader));
      open(t, writer, false).end('x'.repeat(200_000));
      assert.equal(module.call('tow_transport_write', all[0].transport, 'no'), -4);
      assert.equal(await transport.closed, null); // though the answer was 1 [E3]
      assert.equal(all[0].text, 'x'.repeat(200_000));
      assert.deepEqual(
        all[0].calls.filter((call) => call !== 'getBuffer'),
        ['made', 'eof', 'lost'],
      );
    }
  });

  test(`reading paused holds the writer back, ${build}`, async (t) => {
    const { reader, writer } = makeFifo();
    const { module, all } = await probeFor(t, build, { made: (probe) => probe.pauseReading() });
    const { transport } = await module.connectReadPipe(reader, options);
    const socket = open(t, writer, false);
    socket.write(new Uint8Array(1 << 20));
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    assert.equal(all[0].text, '');
    assert.ok(socket.writableLength > 0);
    all[0].resumeReading();
    socket.end();
    assert.equal(await transport.closed, null);
    assert.equal(all[0].text.length, 1 << 20);
  });

  test(`writing to a pipe, ${build}`, async (t) => {
    const { reader, writer } = makeFifo();
    const { module, all } = await probeFor(t, build, {});
    const { transport } = await module.connectWritePipe(writer, options);
    all[0].write(new Uint8Array(1 << 20));
    assert.equal(module.call('tow_transport_write_eof', all[0].transport), 0);
    const socket = open(t, reader, true);
    let size = 0;
    socket.on('data', (bytes) => {
      size += bytes.length;
    });
    const ended = new Promise((resolve) => socket.on('end', () => resolve(0)));
    assert.equal(await transport.closed, null); // write_eof is close [E2]
    await ended;
    assert.equal(size, 1 << 20);
    assert.deepEqual(all[0].calls, ['made', 'pauseWriting', 'resumeWriting', 'lost']);
  });

  test(`a reader that goes, ${build}`, async (t) => {
    const { module, all } = await probeFor(t, build);
    const idle = makeFifo();
    const one = await module.connectWritePipe(idle.writer, options);
    fs.closeSync(idle.reader);
    assert.equal(await one.transport.closed, null);
    const busy = makeFifo();
    const two = await module.connectWritePipe(busy.writer, options);
    all[1].write(new Uint8Array(1 << 20));
    fs.closeSync(busy.reader);
    assert.equal((await two.transport.closed)?.code, 'EPIPE');
    assert.deepEqual(all[1].calls, ['made', 'pauseWriting', 'lost']);
  });

  test(`a pipe that is open both ways is left what is in it, ${build}`, async (t) => {
    const { reader, writer } = makeFifo();
    const both = fs.openSync(`/proc/self/fd/${reader}`, O_RDWR);
    fs.closeSync(writer);
    const { module, all } = await probeFor(t, build);
    const { transport } = await module.connectWritePipe(both, options);
    all[0].write('for the reader');
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    transport.close();
    assert.equal(await transport.closed, null);
    const bytes = Buffer.alloc(100);
    assert.equal(bytes.toString('latin1', 0, fs.readSync(reader, bytes)), 'for the reader');
    fs.closeSync(reader);
  });

  test(`descriptors that are no pipes, ${build}`, async (t) => {
    const { reader, writer } = makeFifo();
    t.after(() => {
      for (const fd of [reader, writer]) fs.closeSync(fd);
    });
    const file = fs.openSync(new URL(import.meta.url), 'r');
    t.after(() => fs.closeSync(file));
    const { module, all } = await probeFor(t, build);
    assert.equal(await codeOf(module.connectReadPipe(9999, options)), 'EBADF');
    assert.equal(await codeOf(module.connectReadPipe(-1, options)), 'EBADF');
    assert.equal(await codeOf(module.connectReadPipe(writer, options)), 'EBADF');
    assert.equal(await codeOf(module.connectWritePipe(reader, options)), 'EBADF');
    assert.equal(await codeOf(module.connectReadPipe(file, options)), 'EPERM');
    assert.deepEqual(all, []);
    fs.fstatSync(reader); // they stay ours
    fs.fstatSync(file);
  });
}
