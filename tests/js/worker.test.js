/** Subprocesses in Workers, in Node: what process.test.js has of children, where a WASI command can do it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { workers } from '../../js/worker/node.js';
import { builds, codeOf, loadProbe, Signal } from './probe.js';
import { megabyteThroughCat, Story } from './story.js';

const protocol = 'probe_child';

/** @param {string} name */
const file = (name) =>
  fileURLToPath(new URL(`../../build/wasi/programs/${name}.wasm`, import.meta.url));

const names = ['bulk', 'cat', 'eat', 'end', 'files', 'poll', 'tell', 'upper'];
/** @type {Record<string, string>} */
const programs = {
  ...Object.fromEntries(names.map((name) => [name, file(name)])),
  module: fileURLToPath(new URL('./programs/module.js', import.meta.url)),
};

/**
 * A probe that is closed with the test.
 * @param {import('node:test').TestContext} t
 * @param {string} build
 * @param {import('./probe.js').Callbacks} [more]
 * @param {import('../../js/worker/carrier.js').WorkersOptions} [options]
 */
async function stage(t, build, more = {}, options = {}) {
  const story = new Story();
  const carrier = workers({ programs, ...options });
  const transports = { exec: carrier };
  const loaded = await loadProbe(build, story.with(more), { transports });
  t.after(() => loaded.module.close());
  /** @param {string} command @param {object} [options] */
  const run = (command, options) => {
    const [name, ...list] = command.split(' ');
    return loaded.module.spawn(`exec:${name}`, { protocol, arguments: list, ...options });
  };
  const send = (/** @type {number} */ signal) =>
    loaded.module.call('tow_transport_send_signal', loaded.all[0].transport, signal);
  return { ...loaded, story, run, send };
}

/** @param {() => boolean} is */
async function until(is) {
  while (!is()) await new Promise(setImmediate);
}

for (const build of builds) {
  test(`a megabyte each way through cat, ${build}`, async (t) => {
    const scene = await stage(t, build);
    const { transport } = await scene.run('cat');
    assert.equal(transport.getExtraInfo('process_pipes'), 'shared');
    await megabyteThroughCat(scene, transport);
  });

  test(`X5, how programs end, ${build}`, async (t) => {
    for (const [how, returncode] of /** @type {const} */ ([
      ['0', 0],
      ['3', 3],
      ['255', 255],
    ])) {
      const { story, run, all } = await stage(t, build);
      const { transport } = await run(`end ${how}`);
      assert.equal(await transport.closed, null);
      assert.equal(story.returncode, returncode, how);
      assert.deepEqual(story.ends.sort(), ['0', '1', '2']);
      assert.equal(all[0].calls.at(-1), 'lost');
    }
  });

  test(`X5, traps end as an abort, with the message, ${build}`, async (t) => {
    for (const [command, message] of /** @type {const} */ ([
      ['end trap', /unreachable/],
      ['end abort', /unreachable/],
      ['end recurse', /out of bounds|stack/],
      ['eat', /unreachable/],
    ])) {
      const { story, run } = await stage(t, build);
      const { transport } = await run(command);
      assert.equal(await transport.closed, null);
      assert.equal(story.returncode, -6, command);
      assert.deepEqual(story.ends.sort(), ['0', '1 -37', '2 -37']);
      assert.match(transport.getExtraInfo('trap') ?? '', message);
    }
  });

  test(`every byte in its place, ${build}`, async (t) => {
    let at = 0;
    let wrong = 0;
    const { story, run } = await stage(t, build, {
      pipeData: ({ fd }, bytes) => {
        if (fd === 1) for (const byte of bytes) wrong += Number(byte !== at++ % 251);
      },
    });
    const { transport } = await run('bulk 5000001');
    assert.equal(await transport.closed, null);
    assert.deepEqual([at, wrong, story.returncode], [5_000_001, 0, 0]);
  });

  test(`H4, SIGKILL whatever it does, ${build}`, async (t) => {
    for (const command of ['end spin', 'end sleep', 'cat', 'bulk 100000000']) {
      const ready = new Signal();
      const { all, story, run, send } = await stage(t, build, {
        pipeData: () => void ready.fire(0),
      });
      const { transport } = await run(command);
      if (command !== 'cat') await ready.fired;
      assert.equal(send(9), 0);
      assert.equal(send(9), 0);
      assert.equal(await transport.closed, null);
      assert.equal(story.returncode, -9, command);
      assert.deepEqual(story.ends.sort(), ['0', '1', '2']);
      assert.equal(all[0].calls.at(-1), 'lost');
    }
  });

  test(`X6, signals, ${build}`, async (t) => {
    for (const [signal, returncode] of [
      [15, -15],
      [2, -2],
    ]) {
      const { story, run, send } = await stage(t, build);
      const { transport } = await run('end spin');
      assert.equal(send(0), 0);
      assert.equal(send(999), -2);
      assert.equal(send(-1), -2);
      assert.equal(send(1), -4);
      assert.equal(story.returncode, undefined);
      assert.equal(send(signal), 0);
      assert.equal(send(1), 0); // it has just ended
      assert.equal(await transport.closed, null);
      assert.equal(story.returncode, returncode);
    }
  });

  test(`arguments, environment, standard errors, ${build}`, async (t) => {
    const { story, run } = await stage(t, build);
    const environment = { NAME: 'a=b', ü: '☃' };
    const { transport } = await run('tell', { arguments: ['ü', '', 'x y'], environment });
    await transport.closed;
    assert.equal(Buffer.from(story.out).toString(), 'tell\nü\n\nx y\nNAME=a=b\nü=☃\n1\n3\n');
    assert.equal(story.errors, '2\n');
  });

  test(`errors merged into output, ${build}`, async (t) => {
    const { all, story, run } = await stage(t, build);
    const stdio = ['null', 'pipe', 'stdout'];
    const { transport } = await run('tell', { stdio, environment: {} });
    assert.deepEqual(
      [0, 1, 2].map((fd) => all[0].pipe(fd) !== 0),
      [false, true, false],
    );
    await transport.closed;
    assert.equal(story.out, 'tell\n1\n2\n3\n');
    assert.deepEqual(story.ends, ['1']);
  });

  test(`nothing to read and nobody to write to, ${build}`, async (t) => {
    const { story, run } = await stage(t, build);
    const nobody = await run('bulk 1000000', { stdio: ['null', 'null', 'stdout'] });
    await nobody.transport.closed;
    assert.equal(story.returncode, 0);
    const nothing = await run('cat', { stdio: ['null', 'null', 'null'] });
    await nothing.transport.closed;
    assert.equal(story.returncode, 0);
    assert.deepEqual(story.ends, []);
  });

  test(`files, given and given back, ${build}`, async (t) => {
    const { story, run } = await stage(t, build);
    const files = new Map([
      ['/in', /** @type {string | Uint8Array} */ ('hello')],
      ['/there/x', new Uint8Array([1])],
    ]);
    const { transport } = await run('files /in /there/out', { files });
    await transport.closed;
    assert.equal(story.returncode, 0);
    assert.equal(story.out, 'in\nthere\n');
    assert.deepEqual([...files.keys()].sort(), ['/in', '/there/out', '/there/x']);
    assert.equal(Buffer.from(files.get('/there/out') ?? '').toString(), 'HELLO');
  });

  test(`the working directory, ${build}`, async (t) => {
    const { story, run } = await stage(t, build);
    const files = new Map([
      ['/data/in', 'hello'],
      ['/tmp/', ''],
    ]);
    const options = { files, directory: '/data' };
    await (await run('files in /tmp/out .', options)).transport.closed;
    assert.equal(story.returncode, 0);
    assert.equal(story.out, 'in\n');
    assert.deepEqual([...files.keys()], ['/data/in', '/tmp/out']);
    assert.equal(await codeOf(run('cat', { directory: '/nowhere' })), 'ENOENT');
  });

  test(`empty directories, given and given back, ${build}`, async (t) => {
    const { story, run } = await stage(t, build);
    const files = new Map([
      ['/in', 'hello'],
      ['/empty/', ''],
      ['/other/empty/', ''],
      ['/full/', ''],
    ]);
    await (await run('files /in /full/out', { files })).transport.closed;
    assert.equal(story.out, 'in\nempty\nother\nfull\n');
    assert.deepEqual([...files.keys()], ['/in', '/empty/', '/other/empty/', '/full/out']);
    await (await run('files /in /empty/out /other', { files })).transport.closed;
    assert.equal(story.returncode, 0);
    assert.ok(story.out.endsWith('\nempty\n'));
    assert.deepEqual([...files.keys()], ['/in', '/empty/out', '/other/empty/', '/full/out']);
  });

  test(`the Worker file by file, with its package where that is, ${build}`, async (t) => {
    const shim = fileURLToPath(import.meta.resolve('@bjorn3/browser_wasi_shim'));
    const { story, run } = await stage(t, build, {}, { shim });
    const { transport } = await run('tell', { environment: {} });
    await transport.closed;
    assert.deepEqual([story.out, story.returncode], ['tell\n1\n3\n', 0]);
  });

  test(`X9, programs that cannot be, ${build}`, async (t) => {
    const { module, all, run } = await stage(t, build);
    const spawn = (/** @type {string} */ address, /** @type {object} */ options = {}) =>
      codeOf(module.spawn(address, { protocol, ...options }));
    const reactor = fileURLToPath(new URL('../../build/wasi/echo.wasm', import.meta.url));
    assert.equal(await spawn('exec:/nowhere/program'), 'ENOENT');
    assert.equal(await spawn('exec:http://127.0.0.1:1/'), 'EIO');
    assert.equal(await spawn('exec:/'), 'EACCES');
    assert.equal(await spawn('exec:/etc/passwd'), 'EINVAL');
    assert.equal(await spawn(`exec:${reactor}`), 'EINVAL');
    assert.equal(await spawn('exec:x', { program: new Uint8Array(3) }), 'EINVAL');
    assert.equal(await spawn('exec:cat', { arguments: ['a\0b'] }), 'EINVAL');
    assert.equal(await spawn('exec:cat', { stdio: ['stdout', 'pipe', 'pipe'] }), 'EINVAL');
    assert.equal(await spawn('exec:'), 'EADDRESS');
    assert.equal(await spawn('exec://host/cat'), 'EADDRESS');
    assert.equal(await spawn('exec:cat', { protocol: 'probe_stream' }), 'EINVAL');
    assert.equal(await spawn('exec:cat', { signal: AbortSignal.abort() }), 'ECANCELED');
    const cancelled = codeOf(run('cat', { signal: AbortSignal.timeout(1) }));
    assert.equal(await cancelled, 'ECANCELED');
    const none = await stage(t, build, {}, { shim: '/nowhere/shim.js' });
    assert.equal(await codeOf(none.run('cat')), 'ENOTSUP');
    assert.deepEqual(
      all.flatMap((probe) => probe.calls),
      [],
    );
  });

  test(`a program that closes its standard input is noticed, ${build}`, async (t) => {
    const lost = new Signal();
    const { story, run, send } = await stage(t, build, {
      pipeLost: (_probe, fd, code) => void (fd === 0 && lost.fire(code)),
    });
    const { transport } = await run('end close');
    assert.equal(await lost.fired, 0);
    assert.equal(story.returncode, undefined);
    send(9);
    await transport.closed;
  });

  test(`X8, a program that ends with its input unread, ${build}`, async (t) => {
    const { all, story, run, module } = await stage(t, build);
    const { transport } = await run('end 2');
    module.call('tow_transport_write', all[0].pipe(0), new Uint8Array(1 << 20).fill(10));
    assert.equal(await transport.closed, null);
    assert.equal(story.returncode, 2);
    assert.ok(story.ends.includes('0 -10'), String(story.ends));
  });

  test(`X10, output that nobody reads stays in the pipe, ${build}`, async (t) => {
    const { all, story, run, module } = await stage(t, build, {
      made: (probe) => module.call('tow_transport_pause_reading', probe.pipe(1)),
    });
    const { transport } = await run('bulk 3000000');
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    assert.equal(story.bytes, 0);
    assert.equal(story.returncode, undefined);
    module.call('tow_transport_resume_reading', all[0].pipe(1));
    assert.equal(await transport.closed, null);
    assert.equal(story.bytes, 3_000_000 + 4);
  });

  test(`output that nobody wants is an error of the program, ${build}`, async (t) => {
    const { all, story, run, module } = await stage(t, build, {
      made: (probe) => module.call('tow_transport_pause_reading', probe.pipe(1)),
    });
    const { transport } = await run('bulk 3000000');
    module.call('tow_transport_close', all[0].pipe(1));
    assert.equal(await transport.closed, null);
    assert.equal(story.returncode, 3);
  });

  test(`a line's answer, before the input ends, ${build}`, async (t) => {
    /** @type {string[]} */
    const lines = [];
    const { all, run, module } = await stage(t, build, {
      pipeData: (probe, bytes) => {
        lines.push(String(Buffer.from(bytes)));
        if (lines.length < 100)
          module.call('tow_transport_write', probe.pipe(0), `line ${lines.length}\n`);
        else module.call('tow_transport_write_eof', probe.pipe(0));
      },
    });
    const { transport } = await run('upper');
    module.call('tow_transport_write', all[0].pipe(0), 'line 0\n');
    assert.equal(await transport.closed, null);
    assert.deepEqual(
      lines,
      Array.from({ length: 100 }, (_, i) => `LINE ${i}\n`),
    );
  });

  test(`poll waits for input, and for a time, ${build}`, async (t) => {
    const timed = new Signal();
    const { all, story, run, module } = await stage(t, build, {
      pipeData: () => void timed.fire(0),
    });
    const { transport } = await run('poll 1');
    await timed.fired;
    module.call('tow_transport_write', all[0].pipe(0), 'x');
    module.call('tow_transport_write_eof', all[0].pipe(0));
    await transport.closed;
    assert.equal(story.out, 'time\nx\n');
    assert.equal(story.returncode, 0);
  });

  test(`X7, close kills, and the module's end, ${build}`, async (t) => {
    const { story, run, module } = await stage(t, build);
    const { transport } = await run('end spin');
    transport.close();
    assert.equal(await transport.closed, null);
    assert.equal(story.returncode, -9);
    await run('end spin');
    await module.close(); // does not wait for it
    assert.equal(module.connections, 0);
  });

  test(`as many processes as the limit allows, ${build}`, async (t) => {
    const { story, run, send } = await stage(t, build, {}, { limit: 2 });
    const first = await run('end spin');
    const second = await run('cat');
    assert.equal(await codeOf(run('cat')), 'EMFILE');
    send(9);
    await first.transport.closed;
    assert.equal(story.returncode, -9);
    let third = await run('cat').catch((error) => error);
    while (third.code === 'EMFILE') {
      await new Promise(setImmediate); // while it spins
      third = await run('cat').catch((error) => error);
    }
    assert.ok(third.transport);
    second.transport.close();
  });

  test(`programs in JavaScript, ${build}`, async (t) => {
    const { all, story, run, module } = await stage(t, build);
    const tell = await run('module tell 3', { environment: { NAME: 'a=b' } });
    assert.equal(tell.transport.getExtraInfo('process_pipes'), 'messages');
    await tell.transport.closed;
    assert.deepEqual([story.out, story.errors, story.returncode], ['a=b\n', 'bad\n', 3]);
    const cat = await run('module cat');
    module.call('tow_transport_write', all[1].pipe(0), new Uint8Array(1 << 20));
    module.call('tow_transport_write_eof', all[1].pipe(0));
    await cat.transport.closed;
    assert.deepEqual([story.bytes, story.returncode], [(1 << 20) + 8, 0]);
    const broken = await run('module throw');
    await broken.transport.closed;
    assert.equal(story.returncode, -6);
    assert.equal(broken.transport.getExtraInfo('trap'), 'of the program');
    const nonsense = await run('module nonsense 4');
    await nonsense.transport.closed;
    assert.equal(story.returncode, 4);
    assert.equal(await codeOf(run('cat', { program: '/nowhere/program.js' })), 'ENOENT');
  });

  test(`a program in JavaScript is not read faster than wanted, ${build}`, async (t) => {
    const { all, story, run, module } = await stage(t, build, {
      made: (probe) => module.call('tow_transport_pause_reading', probe.pipe(1)),
    });
    const bulk = await run('module bulk 3000000');
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    assert.deepEqual([story.bytes, story.returncode], [0, undefined]);
    module.call('tow_transport_resume_reading', all[0].pipe(1));
    await bulk.transport.closed;
    assert.equal(story.bytes, 3_000_000);
    const flood = await run('module flood', { inbox: 1 << 20 });
    await flood.transport.closed;
    assert.equal(story.returncode, -9);
    assert.ok(story.ends.includes('1 -30'), String(story.ends));
  });

  test(`signals to a program that listens, ${build}`, async (t) => {
    for (const [command, returncode] of /** @type {const} */ ([
      ['module listen', 0],
      ['module listen on', -15],
    ])) {
      const ready = new Signal();
      const more = { pipeData: () => void ready.fire(0) };
      const { story, run, send } = await stage(t, build, more, { grace: 20 });
      const { transport } = await run(command);
      await ready.fired;
      assert.equal(send(15), 0);
      await transport.closed;
      assert.equal(story.out, 'ready\nsignal 15\n');
      assert.equal(story.returncode, returncode);
    }
  });

  test(`the deferred way: run when its input has ended, ${build}`, async (t) => {
    const { all, story, run, module } = await stage(t, build);
    const isolate = 'deferred';
    const cat = await run('cat', { isolate });
    module.call('tow_transport_write', all[0].pipe(0), new Uint8Array(1 << 20));
    module.call('tow_transport_write_eof', all[0].pipe(0));
    await cat.transport.closed;
    assert.deepEqual([story.bytes, story.returncode], [1 << 20, 0]);
    assert.equal(cat.transport.getExtraInfo('process_pipes'), 'deferred');
    const stdio = ['null', 'pipe', 'pipe'];
    const much = await run('bulk 3000000', { isolate, stdio, inbox: 1 << 20 });
    module.call('tow_transport_pause_reading', all[1].pipe(1));
    await until(() => story.returncode === -9);
    much.transport.close();
    await much.transport.closed;
    const fed = await run('cat', { isolate, inbox: 1 << 16 });
    module.call('tow_transport_write', all[2].pipe(0), new Uint8Array(1 << 17));
    await fed.transport.closed;
    assert.ok(story.ends.includes('0 -30'), String(story.ends));
  });

  test(`a thousand processes, and nothing is left, ${build}`, { timeout: 120_000 }, async (t) => {
    const { module, all, story, run } = await stage(t, build, {}, { pool: 4 });
    const round = () =>
      Promise.all(
        Array.from({ length: 4 }, async (_, i) => (await run(`end ${i}`)).transport.closed),
      );
    const rounds = build === 'wasi' ? 250 : 5;
    for (let i = 0; i < rounds; i++) await round();
    assert.equal(all.filter(({ calls }) => calls.at(-1) === 'lost').length, 4 * rounds);
    assert.equal(story.ends.length, 12 * rounds);
    while (module.connections > 0) await new Promise(setImmediate);
  });

  test(`a program that C asks for, ${build}`, async (t) => {
    const { module, story, opened } = await stage(t, build);
    module.call('probe_spawn', module.loop, 'exec:tell', 7);
    module.call('probe_spawn', module.loop, 'exec:/nowhere', 8);
    while (opened.length < 2 || story.returncode === undefined || !story.ends.includes('1'))
      await new Promise(setImmediate);
    assert.deepEqual(opened.find(([context]) => context === 8)?.slice(1), [0, -19]);
    assert.ok(opened.find(([context]) => context === 7)?.[1]);
    assert.match(story.out, /^tell\n-c\n.*\nfirst\nsecond\nA=a=b\nB=\nC=?\n1\n2\n3\n$/);
  });
}

test('what is inherited is printed, and Node does not stay for Workers that wait', async () => {
  const script = `
    import { loadProbe } from ${JSON.stringify(new URL('./probe.js', import.meta.url))};
    import { workers } from ${JSON.stringify(new URL('../../js/worker/node.js', import.meta.url))};
    const { module } = await loadProbe('wasi', {}, { transports: { worker: workers() } });
    const stdio = ['inherit', 'inherit', 'inherit'];
    const options = { protocol: 'probe_child', stdio, environment: {} };
    await module.spawn('worker:${programs.tell}', options);`;
  const node = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const { stdout, stderr } = await node;
  assert.equal(stdout, `${programs.tell}\n1\n3\n`);
  assert.equal(stderr, '2\n');
});
