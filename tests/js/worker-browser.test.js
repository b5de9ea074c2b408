/** Subprocesses in Workers, in Chromium: in a page that may share memory, and in one that may not. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openBrowser } from '../browser.js';
import { builds } from './probe.js';

/**
 * Runs in the page: spawns, hands what happens to `script`, and answers how it went.
 * @param {{build: string, command: string, options: any, workersOptions: object, script: string, times: number}} task
 */
async function play({ build, command, options, workersOptions, script, times }) {
  const { load } = await import(new URL('/js/index.js', location.href).href);
  const { workers } = await import(new URL('/js/worker/index.js', location.href).href);
  const names = { 0: 'made', 1: 'lost', 2: 'pauseWriting', 3: 'resumeWriting', 11: 'data' };
  /** @type {any} */
  const seen = { calls: [], text: '', bytes: 0, ends: [] };
  const act = new Function('seen', 'name', 'module', 'protocol', script);
  const app = {
    call(
      /** @type {number} */ protocol,
      /** @type {number} */ call,
      /** @type {number} */ a,
      /** @type {number} */ b,
    ) {
      const name = /** @type {Record<number, string>} */ (names)[call];
      if (call === 11) {
        seen.bytes += b;
        if (b < 1000) seen.text += new TextDecoder().decode(module.memory.bytes(a, b));
      } else if (call === 12) seen.ends.push(b === 0 ? `${a}` : `${a} ${b}`);
      else if (call === 13) seen.returncode = a;
      else seen.calls.push(name);
      return act(seen, name, module, protocol) ?? 0;
    },
    opened() {},
  };
  const module = await load(fetch(`/build/${build}/probe.wasm`), {
    imports: { app },
    transports: { worker: workers(workersOptions) },
  });
  const [name, ...list] = command.split(' ');
  const path = name.endsWith('.js')
    ? `/tests/js/programs/${name}`
    : `/build/wasi/programs/${name}.wasm`;
  const files = options.files && new Map(Object.entries(options.files));
  try {
    for (let i = 0; i < times; i++) {
      const { transport } = await module.spawn(`worker:${path}`, {
        protocol: 'probe_child',
        arguments: list,
        ...options,
        files,
      });
      seen.error = await transport.closed;
      seen.way = transport.getExtraInfo('process_pipes');
      seen.trap = transport.getExtraInfo('trap');
    }
  } catch (error) {
    seen.error = /** @type {any} */ (error).code;
    seen.message = /** @type {any} */ (error).message;
  }
  await module.close();
  seen.files = files && [...files.keys()].sort();
  seen.ends.sort();
  return seen;
}

const call = (/** @type {string} */ name, /** @type {string} */ more = '') =>
  `module.call('${name}', module.call('probe_transport', protocol)${more});`;
const pipe = (/** @type {number} */ fd) =>
  `module.call('tow_transport_get_pipe_transport', module.call('probe_transport', protocol), ${fd})`;
const write = (/** @type {string} */ bytes) =>
  `module.call('tow_transport_write', ${pipe(0)}, ${bytes});`;
const end = `module.call('tow_transport_write_eof', ${pipe(0)});`;

for (const isIsolated of [true, false]) {
  const place = isIsolated ? 'in an isolated page' : 'in a plain page';
  describe(`in Chromium, ${place}`, () => {
    /** @type {Awaited<ReturnType<typeof openBrowser>>} */
    let browser;
    before(async () => {
      browser = await openBrowser({ isIsolated });
    });
    after(() => browser?.close());

    /** @param {string} build @param {string} command @param {string} [script] @param {any} [options] */
    const run = (build, command, script = '', { workers = {}, times = 1, ...options } = {}) =>
      browser.page.evaluate(play, {
        build,
        command,
        options,
        workersOptions: workers,
        script,
        times,
      });

    for (const build of builds) {
      test(`a megabyte each way through cat, ${build}`, async () => {
        const script = `if (name === 'made') { ${write('new Uint8Array(1 << 20)')} ${end} }`;
        const seen = await run(build, 'cat', script);
        assert.deepEqual([seen.bytes, seen.returncode, seen.error], [1 << 20, 0, null]);
        assert.deepEqual(seen.calls, ['made', 'pauseWriting', 'resumeWriting', 'lost']);
        assert.deepEqual(seen.ends, ['0', '1', '2']);
        assert.equal(seen.way, isIsolated ? 'shared' : 'suspending');
      });

      test(`the deferred way, ${build}`, async () => {
        const script = `if (name === 'made') { ${write('new Uint8Array(1 << 20)')} ${end} }`;
        const seen = await run(build, 'cat', script, { isolate: 'deferred' });
        assert.deepEqual([seen.bytes, seen.returncode, seen.error], [1 << 20, 0, null]);
        assert.equal(seen.way, 'deferred');
        const stdio = ['null', 'pipe', 'pipe'];
        const pause = `if (name === 'made') module.call('tow_transport_pause_reading', ${pipe(1)});
          if (seen.returncode !== undefined) module.call('tow_transport_close', ${pipe(1)});`;
        const options = { isolate: 'deferred', inbox: 1 << 20, stdio };
        assert.equal((await run(build, 'bulk 3000000', pause, options)).returncode, -9);
      });

      test(`a line's answer, before the input ends, ${build}`, async () => {
        const seen = await run(
          build,
          'upper',
          `if (name === 'made') { ${write("'line\\n'")} }
           if (name === 'data' && seen.text.length < 500) { ${write("'line\\n'")} }
           else if (name === 'data') { ${end} }`,
        );
        assert.equal(seen.text, 'LINE\n'.repeat(100));
      });

      test(`output that nobody reads stays in the pipe, ${build}`, async () => {
        const seen = await run(
          build,
          'bulk 3000000',
          `if (name === 'made') {
             module.call('tow_transport_pause_reading', ${pipe(1)});
             const { port1, port2 } = new MessageChannel();
             let turns = 1000;
             port1.onmessage = () => {
               if (--turns > 0) return port2.postMessage(0);
               seen.early = [seen.bytes, seen.returncode ?? null];
               module.call('tow_transport_resume_reading', ${pipe(1)});
             };
             port2.postMessage(0);
           }`,
        );
        assert.deepEqual(seen.early, [0, null]);
        assert.equal(seen.bytes, 3_000_000 + 4);
      });

      test(`how programs end, ${build}`, async () => {
        const three = await run(build, 'end 3');
        assert.deepEqual([three.returncode, three.ends], [3, ['0', '1', '2']]);
        const trap = await run(build, 'end trap');
        assert.deepEqual([trap.returncode, trap.ends], [-6, ['0', '1 -37', '2 -37']]);
        assert.match(trap.trap, /unreachable/);
        const eat = await run(build, 'eat');
        assert.equal(eat.returncode, -6);
      });

      test(`H4, a Worker that spins is given up at once, ${build}`, async () => {
        for (const [signal, returncode] of [
          [9, -9],
          [15, -15],
        ]) {
          const script = `if (name === 'data') { ${call('tow_transport_send_signal', `, ${signal}`)} }`;
          const seen = await run(build, 'end spin', script);
          assert.deepEqual([seen.returncode, seen.error], [returncode, null]);
          assert.deepEqual(seen.ends, ['0', '1', '2']);
        }
      });

      test(`a program that closes its input sleeps and is killed, ${build}`, async () => {
        const script = `if (seen.ends.includes('0') && seen.returncode === undefined) {
          ${call('tow_transport_send_signal', ', 9')} }`;
        const seen = await run(build, 'end close', script);
        assert.equal(seen.returncode, -9);
      });

      test(`poll waits for input, and for a time, ${build}`, async () => {
        const script = `if (name === 'data' && seen.bytes === 5) { ${write("'x'")} ${end} }`;
        const seen = await run(build, 'poll 1', script);
        assert.equal(seen.text, 'time\nx\n');
      });

      test(`files, given and given back, ${build}`, async () => {
        const seen = await run(build, 'files /in /out', '', { files: { '/in': 'hello' } });
        assert.deepEqual([seen.returncode, seen.files], [0, ['/in', '/out']]);
      });

      test(`the Worker file by file, with its package where that is, ${build}`, async () => {
        const shim = '/node_modules/@bjorn3/browser_wasi_shim/dist/index.js';
        const script = `if (name === 'made') { ${write("'line\\n'")} ${end} }`;
        const seen = await run(build, 'upper', script, { workers: { shim } });
        assert.deepEqual([seen.text, seen.returncode], ['LINE\n', 0]);
      });

      test(`programs in JavaScript, ${build}`, async () => {
        const environment = { NAME: 'a=b' };
        const seen = await run(build, 'module.js tell 3', '', { environment });
        assert.deepEqual([seen.returncode, seen.way], [3, 'messages']);
        assert.equal(seen.bytes, 8);
        const script = `if (name === 'data') { ${call('tow_transport_send_signal', ', 15')} }`;
        const listens = await run(build, 'module.js listen', script);
        assert.deepEqual([listens.text, listens.returncode], ['ready\nsignal 15\n', 0]);
      });

      test(`programs that cannot be, ${build}`, async () => {
        assert.equal((await run(build, 'nothing')).error, 'ENOENT');
        assert.equal((await run(build, 'nothing.js')).error, 'ENOENT');
        assert.equal((await run(build, '../echo')).error, 'EINVAL');
        const none = await run(build, 'cat', '', { workers: { shim: '/nowhere.js' } });
        assert.equal(none.error, 'ENOTSUP');
        assert.match(none.message, /browser_wasi_shim/);
      });

      test(`a hundred processes, one after another, ${build}`, async () => {
        const seen = await run(build, 'end 0', '', { times: 100 });
        assert.equal(seen.calls.length, 200);
        assert.equal(seen.ends.length, 300);
      });
    }
  });
}
