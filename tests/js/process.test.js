import assert from 'node:assert/strict';
import { readdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { builds, codeOf, loadProbe, Signal } from './probe.js';
import { megabyteThroughCat, Story } from './story.js';

const protocol = 'probe_child';

/**
 * A probe that is closed with the test.
 * @param {import('node:test').TestContext} t
 * @param {string} build
 * @param {import('./probe.js').Callbacks} [more]
 */
async function stage(t, build, more = {}) {
  const story = new Story();
  const loaded = await loadProbe(build, { ...story.callbacks, ...more });
  t.after(() => loaded.module.close());
  /** @param {string} script @param {object} [options] */
  const shell = (script, options) =>
    loaded.module.spawn('exec:sh', { protocol, arguments: ['-c', script], ...options });
  return { ...loaded, story, shell };
}

/** The descriptors of this process. */
const descriptors = async () => (await readdir('/proc/self/fd')).length;

for (const build of builds) {
  test(`a megabyte each way through cat, ${build}`, async (t) => {
    const scene = await stage(t, build);
    const { transport } = await scene.module.spawn('exec:cat', { protocol });
    await megabyteThroughCat(scene, transport);
  });

  test(`how children end, ${build}`, async (t) => {
    for (const [script, returncode] of /** @type {const} */ ([
      ['exit 0', 0],
      ['exit 3', 3],
      ['exit 255', 255],
      ['kill -TERM $$', -15],
      ['kill -KILL $$', -9],
      ['kill -SEGV $$', -11],
    ])) {
      const { story, shell, all } = await stage(t, build);
      const { transport } = await shell(script);
      assert.equal(await transport.closed, null);
      assert.equal(story.returncode, returncode, script);
      assert.deepEqual(story.ends.sort(), ['0', '1', '2']);
      assert.equal(all[0].calls.at(-1), 'lost');
    }
  });

  test(`signals, ${build}`, async (t) => {
    const ready = new Signal();
    const { module, all, story, shell } = await stage(t, build, {
      pipeData: () => void ready.fire(0),
    });
    const { transport } = await shell("trap '' TERM; echo ready; exec cat");
    await ready.fired;
    const send = (/** @type {number} */ signal) =>
      module.call('tow_transport_send_signal', all[0].transport, signal);
    assert.equal(send(0), 0);
    assert.equal(send(15), 0);
    assert.equal(send(999), -2);
    assert.equal(story.returncode, undefined);
    assert.equal(send(9), 0);
    assert.equal(await transport.closed, null);
    assert.equal(story.returncode, -9);
  });

  test(`standard output, errors, environment and directory, ${build}`, async (t) => {
    const { story, shell } = await stage(t, build);
    const directory = await realpath(tmpdir());
    const environment = { PATH: process.env.PATH ?? '', NAME: 'a=b\nc' };
    const run = await shell('echo "$NAME"; echo bad >&2; pwd', { directory, environment });
    await run.transport.closed;
    assert.equal(story.out, `a=b\nc\n${directory}\n`);
    assert.equal(story.errors, 'bad\n');
  });

  test(`errors merged into output, ${build}`, async (t) => {
    const { all, story, shell } = await stage(t, build);
    const run = await shell('echo 1; echo 2 >&2; echo 3; echo 4 >&2', {
      stdio: ['null', 'pipe', 'stdout'],
    });
    assert.deepEqual(
      [0, 1, 2].map((fd) => all[0].pipe(fd) !== 0),
      [false, true, false],
    );
    await run.transport.closed;
    assert.equal(story.out, '1\n2\n3\n4\n');
    assert.deepEqual(story.ends, ['1']);
  });

  test(`nothing to read and nobody to write to, ${build}`, async (t) => {
    const { story, shell } = await stage(t, build);
    const run = await shell('cat; echo gone; echo gone >&2; exit 5', {
      stdio: ['null', 'null', 'stdout'],
    });
    await run.transport.closed;
    assert.equal(story.returncode, 5);
    assert.deepEqual(story.ends, []);
    const own = await shell('exit 6', { stdio: ['inherit', 'inherit', 'inherit'] });
    await own.transport.closed;
    assert.equal(story.returncode, 6);
  });

  test(`F1, X8: limits of a child are those of its standard input, ${build}`, async (t) => {
    const { module, all, shell } = await stage(t, build);
    const { transport } = await shell('exec sleep 1000', { high: 2 << 20 });
    const megabyte = new Uint8Array(1 << 20);
    module.call('tow_transport_write', all[0].pipe(0), megabyte);
    assert.ok(!all[0].calls.includes('pauseWriting'));
    for (let i = 0; i < 3; i++) module.call('tow_transport_write', all[0].pipe(0), megabyte);
    assert.ok(all[0].calls.includes('pauseWriting'));
    transport.close();
    await transport.closed;
    const without = await shell('exit 0', { stdio: ['null', 'pipe', 'pipe'], low: 5 });
    assert.equal(await without.transport.closed, null);
  });

  test(`children that cannot be, ${build}`, async (t) => {
    const { module, all } = await stage(t, build);
    const spawn = (/** @type {string} */ address, /** @type {object} */ options = {}) =>
      codeOf(module.spawn(address, { protocol, ...options }));
    const before = await descriptors();
    assert.equal(await spawn('exec:/nowhere/program'), 'ENOENT');
    assert.equal(await spawn('exec:no-such-program'), 'ENOENT');
    assert.equal(await spawn('exec:cat', { directory: '/nowhere' }), 'ENOENT');
    assert.equal(await spawn('exec:/etc/passwd'), 'EACCES');
    assert.equal(await spawn('exec:cat', { arguments: ['x'.repeat(4 << 20)] }), 'E2BIG');
    assert.equal(await spawn('exec:cat', { arguments: ['a\0b'] }), 'EINVAL');
    assert.equal(await spawn('exec:cat', { stdio: ['stdout', 'pipe', 'pipe'] }), 'EINVAL');
    assert.equal(await spawn('exec:cat', { stdio: ['pipe', 'pipe', 'what'] }), 'EINVAL');
    assert.equal(await spawn('exec:'), 'EADDRESS');
    assert.equal(await spawn('exec://host/cat'), 'EADDRESS');
    assert.equal(await spawn('tcp://127.0.0.1:1'), 'ESCHEME');
    assert.equal(await spawn('exec:cat', { protocol: 'probe_stream' }), 'EINVAL');
    assert.equal(await spawn('exec:cat', { signal: AbortSignal.abort() }), 'ECANCELED');
    const { message } = await module
      .spawn('exec:cat', { protocol, directory: '/nowhere' })
      .catch((error) => error);
    assert.match(message, /^exec:cat: cat in \/nowhere: /);
    assert.deepEqual(
      all.flatMap((probe) => probe.calls),
      [],
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok((await descriptors()) <= before);
  });

  test(`a child that closes its standard input is noticed, ${build}`, async (t) => {
    const lost = new Signal();
    const { all, story, shell, module } = await stage(t, build, {
      pipeLost: (_probe, fd, code) => void (fd === 0 && lost.fire(code)),
    });
    const { transport } = await shell('exec <&-; exec sleep 100');
    assert.equal(await lost.fired, 0);
    assert.equal(story.returncode, undefined);
    module.call('tow_transport_send_signal', all[0].transport, 9);
    await transport.closed;
  });

  test(`a child that ends with its input unread, ${build}`, async (t) => {
    const { all, story, shell, module } = await stage(t, build);
    const { transport } = await shell('read line; exit 2');
    module.call('tow_transport_write', all[0].pipe(0), new Uint8Array(1 << 20).fill(10));
    assert.equal(await transport.closed, null);
    assert.equal(story.returncode, 2);
    assert.ok(story.ends.includes('0 -10') || story.ends.includes('0 -8'), String(story.ends));
  });

  test(`a grandchild that keeps standard output is waited for, ${build}`, async (t) => {
    const exited = new Signal();
    const { all, story, shell, module } = await stage(t, build, {
      exited: (_probe, returncode) => void exited.fire(returncode),
    });
    const { transport } = await shell('exec 3<&0; (read line <&3; echo "$line") 2>&- & exit 0');
    assert.equal(await exited.fired, 0);
    assert.ok(!story.ends.includes('1'));
    module.call('tow_transport_write', all[0].pipe(0), 'still here\n');
    assert.equal(await transport.closed, null);
    assert.equal(story.out, 'still here\n');
  });

  test(`output that nobody reads stays in the pipe, ${build}`, async (t) => {
    const { all, story, shell, module } = await stage(t, build, {
      made: (probe) => module.call('tow_transport_pause_reading', probe.pipe(1)),
    });
    const { transport } = await shell('head -c 3000000 /dev/zero; echo all >&2');
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    assert.equal(story.bytes, 0);
    module.call('tow_transport_resume_reading', all[0].pipe(1));
    assert.equal(await transport.closed, null);
    assert.equal(story.bytes, 3_000_000 + 4);
  });

  test(`close kills, ${build}`, async (t) => {
    const { story, shell, module } = await stage(t, build);
    const { transport } = await shell("trap '' TERM; exec sleep 100");
    transport.close();
    assert.equal(await transport.closed, null);
    assert.equal(story.returncode, -9);
    await shell('exec sleep 100');
    await module.close(); // does not wait for it
    assert.equal(module.connections, 0);
  });

  test(`a hundred children, and nothing is left, ${build}`, { timeout: 120_000 }, async (t) => {
    const { module, all, story, shell } = await stage(t, build);
    await (await shell('exit 0')).transport.closed;
    const before = await descriptors();
    for (let round = 0; round < 5; round++)
      await Promise.all(
        Array.from({ length: 20 }, async () => (await shell('exit 0')).transport.closed),
      );
    assert.equal(all.filter(({ calls }) => calls.at(-1) === 'lost').length, 101);
    assert.equal(story.ends.length, 303);
    while (module.connections > 0 || (await descriptors()) > before)
      await new Promise(setImmediate);
  });

  test(`a child that C asks for, ${build}`, async (t) => {
    const { module, story, opened } = await stage(t, build);
    module.call('probe_spawn', module.loop, 'exec:/bin/sh', 7);
    module.call('probe_spawn', module.loop, 'exec:/nowhere', 8);
    while (opened.length < 2 || story.returncode === undefined || !story.ends.includes('1'))
      await new Promise(setImmediate);
    assert.deepEqual(opened.find(([context]) => context === 8)?.slice(1), [0, -19]);
    assert.ok(opened.find(([context]) => context === 7)?.[1]);
    assert.equal(story.out, 'first second a=b\n\n/\n');
  });
}
