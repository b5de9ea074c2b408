/** What only a real browser can show: its WebSocket under a module. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { openBrowser } from '../browser.js';
import { builds, loadProbe, Signal } from './probe.js';

/**
 * Runs in the page: connects a probe, hands its calls to `script`, and answers how it ended.
 * @param {{build: string, address: string, options: {stream?: boolean}, script: string}} task
 */
async function play({ build, address, options, script }) {
  const { load } = await import(new URL('/js/index.js', location.href).href);
  const names = 'made lost pauseWriting resumeWriting eof data getBuffer updated timer'.split(' ');
  /** @type {any} */
  const seen = { calls: [], text: '' };
  const act = new Function('seen', 'name', 'module', 'protocol', script);
  const app = {
    call(
      /** @type {number} */ protocol,
      /** @type {number} */ call,
      /** @type {number} */ a,
      /** @type {number} */ b,
    ) {
      const name = names[call];
      if (name === 'data') seen.text += new TextDecoder().decode(module.memory.bytes(a, b));
      else seen.calls.push(name);
      return act(seen, name, module, protocol) ?? 0;
    },
    opened() {},
  };
  const module = await load(fetch(`/build/${build}/probe.wasm`), {
    imports: { app },
    onerror: (/** @type {Error} */ error) => {
      seen.reported = error.message;
    },
  });
  try {
    const { transport } = await module.connect(address, {
      protocol: 'probe_stream',
      WebSocket: options.stream ? /** @type {any} */ (globalThis).WebSocketStream : undefined,
      ...options,
    });
    seen.url = transport.getExtraInfo('url');
    seen.backpressure = transport.getExtraInfo('read_backpressure');
    const error = await transport.closed;
    seen.error = error && [error.code, error.native, error.message];
  } catch (error) {
    seen.error = [/** @type {any} */ (error).code];
  }
  await module.close();
  return seen;
}

const write = (/** @type {string} */ bytes) =>
  `module.call('tow_transport_write', module.call('probe_transport', protocol), ${bytes})`;
const call = (/** @type {string} */ name) =>
  `module.call('${name}', module.call('probe_transport', protocol))`;

describe('in Chromium', () => {
  /** @type {Awaited<ReturnType<typeof openBrowser>>} */
  let browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser?.close());

  /**
   * @param {import('node:test').TestContext} t
   * @param {string} build
   * @param {(socket: import('ws').WebSocket) => void} accept
   * @param {string} [script]
   * @param {object} [options]
   */
  async function scene(t, build, accept, script = '', options = {}) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    t.after(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    server.on('connection', accept);
    await once(server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    return browser.page.evaluate(play, {
      build,
      address: `ws://127.0.0.1:${port}/`,
      options,
      script,
    });
  }

  for (const build of builds) {
    test(`bytes both ways, and a clean end, ${build}`, async (t) => {
      const seen = await scene(
        t,
        build,
        (socket) =>
          socket.on('message', (data) => {
            socket.send(data);
            socket.close(1000);
          }),
        `if (name === 'made') ${write("'hello'")}`,
      );
      assert.deepEqual(
        [seen.text, seen.calls, seen.error],
        ['hello', ['made', 'eof', 'lost'], null],
      );
      assert.match(seen.url, /^ws:/);
    });

    test(`a code and a reason, ${build}`, async (t) => {
      const seen = await scene(t, build, (socket) => socket.close(4321, 'because'));
      assert.deepEqual(seen.error, ['ECLOSED', 4321, 'because']);
    });

    test(`a connection that breaks, ${build}`, async (t) => {
      const seen = await scene(t, build, (socket) => socket.terminate());
      assert.deepEqual(seen.error.slice(0, 2), ['ECLOSED', 1006]);
    });

    test(`text refused, ${build}`, async (t) => {
      const closed = new Signal();
      const accept = (/** @type {import('ws').WebSocket} */ socket) => {
        socket.on('close', (code) => closed.fire(code));
        socket.send('text');
      };
      const seen = await scene(t, build, accept, '', { refuseText: true });
      assert.deepEqual(seen.error.slice(0, 2), ['EPROTO', 4003]);
      assert.equal(await closed.fired, 4003);
    });

    test(`more than the inbox holds, ${build}`, async (t) => {
      const accept = (/** @type {import('ws').WebSocket} */ socket) => {
        for (let i = 0; i < 11; i++) socket.send(new Uint8Array(1000));
      };
      const script = `if (name === 'made') ${call('tow_transport_pause_reading')}`;
      const seen = await scene(t, build, accept, script, { inbox: 10000 });
      assert.equal(seen.backpressure, 'inbox');
      assert.equal(seen.error[0], 'EOVERFLOW');
    });

    test(`much is written, felt, and sent before the end, ${build}`, async (t) => {
      let size = 0;
      const closed = new Signal();
      const accept = (/** @type {import('ws').WebSocket} */ socket) => {
        socket.on('message', (/** @type {Buffer} */ data) => {
          size += data.length;
        });
        socket.on('close', (code) => closed.fire(code));
      };
      const script = `if (name === 'made') {
        ${write('new Uint8Array(5_000_000)')};
        ${call('tow_transport_close')};
      }`;
      const seen = await scene(t, build, accept, script);
      assert.deepEqual(seen.calls, ['made', 'pauseWriting', 'resumeWriting', 'lost']);
      assert.equal(await closed.fired, 1000);
      assert.equal(size, 5_000_000);
    });

    test(`E5: abort while much is written, ${build}`, async (t) => {
      let size = 0;
      const closed = new Signal();
      const accept = (/** @type {import('ws').WebSocket} */ socket) => {
        socket.on('message', (/** @type {Buffer} */ data) => {
          size += data.length;
        });
        socket.on('close', (code) => closed.fire(code));
      };
      const script = `if (name === 'made') {
        ${write('new Uint8Array(5_000_000)')};
        ${call('tow_transport_abort')};
      }`;
      const seen = await scene(t, build, accept, script);
      assert.deepEqual([seen.calls, seen.error], [['made', 'pauseWriting', 'lost'], null]);
      assert.equal(await closed.fired, 1000);
      assert.ok(size < 5_000_000, `${size}`);
    });

    test(`R1: pausing reading holds a plain peer back, ${build}`, async (t) => {
      const much = 64 << 20; // far more than the kernel and the browser hold, and than an inbox
      const ticks = 100; // each 10 ms: an end that reads has most of it by then
      let count = 0;
      let left = 0;
      const accept = (/** @type {import('ws').WebSocket} */ socket) => {
        socket.on('message', () => {
          if (++count === ticks) left = socket.bufferedAmount;
        });
        const piece = new Uint8Array(1 << 20);
        for (let size = 0; size < much; size += piece.length) socket.send(piece);
        socket.close(1000);
      };
      const script = `if (name === 'made') {
        ${call('tow_transport_pause_reading')};
        seen.ticks = seen.size = 0;
      }
      if (name === 'data') {
        seen.size += seen.text.length;
        seen.text = '';
      }
      if (name === 'timer') {
        ${write("'tick'")};
        if (++seen.ticks === ${ticks}) ${call('tow_transport_resume_reading')};
      }
      if (name === 'made' || (name === 'timer' && seen.ticks < ${ticks}))
        module.call('probe_later', protocol, 10);`;
      const seen = await scene(t, build, accept, script, { stream: true });
      assert.equal(seen.backpressure, 'stream');
      assert.ok(left > much / 2, `${left}`);
      assert.deepEqual([seen.size, seen.error], [much, null]);
    });

    test(`E3, E6: framing with a peer in Node, ${build}`, async (t) => {
      const { module } = await loadProbe(build, {
        data: (probe) => {
          if (probe.text === 'reset')
            probe.module.call('tow_framing_reset', probe.transport, 4321, 'b\u00e9cause');
        },
        eof: (probe) => void probe.write('answer'),
      });
      t.after(() => module.close());
      const { address } = await module.listen('ws://127.0.0.1:0', { protocol: 'probe_stream' });
      for (const stream of [false, true]) {
        const task = { build, address, options: { stream } };
        const ended = await browser.page.evaluate(play, {
          ...task,
          script: `if (name === 'made') {
            ${write("'question'")};
            ${call('tow_transport_write_eof')};
          }`,
        });
        assert.deepEqual(
          [ended.backpressure, ended.text, ended.calls, ended.error],
          ['credit', 'answer', ['made', 'eof', 'lost'], null],
        );
        const reset = await browser.page.evaluate(play, {
          ...task,
          script: `if (name === 'made') ${write("'reset'")}`,
        });
        assert.deepEqual(reset.error, ['ECONNRESET', 4321, 'b\u00e9cause']);
      }
    });

    test(`a trap, ${build}`, async (t) => {
      const script = `if (name === 'data') module.exports.probe_trap(0, 0)`;
      const seen = await scene(t, build, (socket) => socket.send(Buffer.from('x')), script);
      assert.equal(seen.error[0], 'ETRAP');
      assert.match(seen.reported, /trapped/);
    });

    test(`a server that is not there, ${build}`, async () => {
      const task = { build, address: 'ws://127.0.0.1:1/', options: {}, script: '' };
      const seen = await browser.page.evaluate(play, task);
      assert.deepEqual(seen.error, ['EUNKNOWN']);
      const bad = await browser.page.evaluate(play, { ...task, address: 'ws://[' });
      assert.deepEqual(bad.error, ['EADDRESS']);
      const other = await browser.page.evaluate(play, { ...task, address: 'tcp://127.0.0.1:1' });
      assert.deepEqual(other.error, ['ESCHEME']);
    });
  }
});
