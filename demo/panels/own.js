/** The panel for a module of the visitor's own: its file is read, one of its protocols is connected and watched. */
import { load } from '../../js/index.js';
import { describe, traced } from '../../js/trace/index.js';
import {
  button,
  bytes,
  choice,
  explain,
  field,
  make,
  number,
  sayStatus,
  statusLine,
} from '../page/dom.js';
import { Workbench } from '../views/workbench.js';
import { compiled } from './own-compiler.js';
import { Peers } from './own-peers.js';

/** @typedef {import('../../js/index.js').Module} Module */
/** @typedef {import('../../js/trace/index.js').WatchedConnection} WatchedConnection */
/** @typedef {ReturnType<typeof describe>} Description */

export const id = 'own';
export const title = 'Your own';
export const about =
  'A module that you have built with towline build, on this page: drop it here, choose its protocol and an address, and see ' +
  'its calls as they come. Nothing of it leaves the page but what it sends.';

const SAMPLE = new URL('../../build/wasi/sample.wasm', import.meta.url);
const LARGEST = 64 << 20;
const LARGEST_SOURCE = 256 << 10;
/** How much is kept of what was printed and heard. */
const HEARD = 4000;
const LOOK = 250;
/** What tells of the write buffer. */
const TELLING = ['tow_transport_get_write_buffer_size', 'tow_transport_get_write_buffer_limits'];

/** @param {string} address of a room: WebRTC is fetched only then */
async function carriersFor(address) {
  const scheme = /^(webrtc|webrtc-stream):/.exec(address)?.[1];
  if (!scheme) return {};
  const { rendezvous, webrtc } = await import('../../js/webrtc/index.js');
  const place = `${location.origin.replace(/^http/, 'ws')}/rendezvous/`;
  return { [scheme]: webrtc({ signalling: rendezvous(place) }) };
}

/**
 * @typedef {{close: () => void, abort: () => void, closed: Promise<Error | null>}} Open
 * @typedef {import('../../js/index.js').Server} Server
 */

/** Serves until it is told to close. @param {Server} server @returns {Open} */
function serving(server) {
  /** @type {(error: null) => void} */
  let end = () => {};
  const closed = new Promise((resolve) => {
    end = resolve;
  });
  const close = (/** @type {'closeClients' | 'abortClients'} */ how) => {
    server[how]();
    server.close();
    end(null);
  };
  return { close: () => close('closeClients'), abort: () => close('abortClients'), closed };
}

/** @type {Record<'connect' | 'listen' | 'bind', (module: Module, address: string, options: any) => Promise<Open>>} */
const VERBS = {
  connect: async (module, address, options) => (await module.connect(address, options)).transport,
  bind: async (module, address, options) => (await module.bind(address, options)).transport,
  listen: async (module, address, options) => serving(await module.listen(address, options)),
};

/** @type {import('../page/panels.js').Panel['mount']} */
export function mount(element, { config }) {
  new Own(config.compile).mount(element);
}

class Own {
  #bench = new Workbench({
    panel: id,
    calls: ['CM', 'GB', 'BU', 'DR', 'PW', 'RW', 'ER', 'CL'],
    gauge: true,
    charts: ['level', 'throughput', 'memory'],
  });
  /** The module's bytes. @type {Uint8Array | undefined} */
  #bytes;
  /** @type {Module | undefined} */
  #module;
  /** @type {WatchedConnection | undefined} */
  #connection;
  /** @type {AbortController | undefined} */
  #opening;
  #peers = new Peers((heard) => this.#heard(new TextDecoder().decode(heard)));

  // ---- What is on the page ----

  #status = statusLine('No module yet');
  #found = make('div', { class: 'found' });
  #protocol = make('select', { required: true });
  #address = make('input', {
    required: true,
    value: 'mem:typed',
    list: 'own-addresses',
    spellcheck: false,
    autocapitalize: 'off',
  });
  #subprotocol = make('input', { placeholder: 'none', spellcheck: false, autocapitalize: 'off' });
  #framing = make(
    'select',
    {},
    ...['offered', 'demanded', 'refused'].map((how) => make('option', {}, how)),
  );
  #verb = choice([
    ['connect', 'connects to it'],
    ['listen', 'serves it'],
    ['bind', 'is bound to it (datagrams)'],
  ]);
  #connect = make('button', { type: 'submit', class: 'primary' }, 'Connect');
  #close = button('Close', () => this.#open?.close());
  #abort = button('Abort', () => (this.#open ? this.#open.abort() : this.#opening?.abort()));
  #line = make('input', { value: 'Hello', spellcheck: false });
  #log = make('pre', { class: 'heard', role: 'log', tabindex: 0, 'aria-label': 'What came back' });
  #reads = make('input', {
    type: 'checkbox',
    checked: true,
    onchange: () => {
      const isReading = this.#reads.checked;
      this.#bench.recording.asked(`the other end reads ${isReading ? 'again' : 'no more'}`);
      this.#peers.isReading = isReading;
    },
  });
  #speech = make('fieldset');
  #talk = make('section', { class: 'card talk', 'aria-label': 'The other end', hidden: true });
  /** What is open: a connection, or a server of them. @type {Open | undefined} */
  #open;

  /** @param {string | undefined} compiler the server's token, if it compiles */
  constructor(compiler) {
    this.compiler = compiler;
    this.form = make(
      'form',
      {
        class: 'card controls',
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          this.#start();
        },
      },
      make(
        'fieldset',
        { disabled: true },
        make('legend', {}, 'Connection'),
        field('Protocol', this.#protocol),
        field('Address', this.#address),
        make(
          'datalist',
          { id: 'own-addresses' },
          make('option', { value: 'mem:typed' }, 'you are the other end'),
          make('option', { value: 'mem:echo' }, 'what is sent comes back'),
          make(
            'option',
            { value: `${location.origin.replace(/^http/, 'ws')}/stream/${crypto.randomUUID()}` },
            'the server',
          ),
          make('option', { value: 'webrtc-stream:room' }, 'another page'),
        ),
        make(
          'div',
          { class: 'row' },
          field('Subprotocol', this.#subprotocol),
          field('Framing', this.#framing),
        ),
        field('How', this.#verb),
        make('div', { class: 'row' }, this.#connect, this.#close, this.#abort),
      ),
    );
    this.connection = /** @type {HTMLFieldSetElement} */ (this.form.firstElementChild);
  }

  /** @param {HTMLElement} element */
  mount(element) {
    const input = make('input', {
      type: 'file',
      multiple: true,
      accept: '.wasm,.c,application/wasm',
      'aria-label': 'A module, or C files',
      hidden: true,
      onchange: () => {
        this.#take([...(input.files ?? [])]);
        input.value = '';
      },
    });
    const drop = make(
      'div',
      { class: 'card controls drop' },
      make(
        'fieldset',
        {},
        make('legend', {}, 'Module'),
        make(
          'p',
          { class: 'muted' },
          this.compiler
            ? 'Drop a .wasm here, or a .c: the server has a compiler.'
            : 'Drop a .wasm here; with its .c it is shown beside.',
        ),
        make(
          'div',
          { class: 'row' },
          button('Choose…', () => input.click()),
          button('Try the echo', () => this.#sample()),
        ),
        input,
        this.#status,
      ),
      this.#found,
    );
    this.#bench.controls.append(drop, this.form);
    this.#talk.append(
      make('div', { class: 'title' }, make('h2', {}, 'The other end')),
      this.#log,
      make(
        'form',
        {
          class: 'controls',
          onsubmit: (/** @type {Event} */ event) => {
            event.preventDefault();
            this.#say(`${this.#line.value}\n`);
          },
        },
        this.#speech,
      ),
    );
    const row = make(
      'div',
      { class: 'row' },
      field('Line', this.#line),
      make('button', { type: 'submit' }, 'Send'),
      button('Send 1 MB', () => this.#say('.'.repeat(1 << 20))),
      button('End', () => {
        this.#bench.recording.asked('the other end sends no more');
        this.#peers.end();
      }),
      make('label', { class: 'check' }, this.#reads, 'Reads'),
    );
    this.#speech.append(row);
    this.#bench.addStage(this.#talk);
    const link = make('link', {
      rel: 'stylesheet',
      href: new URL('own.css', import.meta.url).href,
    });
    document.head.append(link);
    this.#dropping(element);
    this.#bench.mount(element);
    this.#update();
    setInterval(() => this.#look(), LOOK);
  }

  /** @param {HTMLElement} element */
  #dropping(element) {
    element.addEventListener('dragover', (event) => {
      event.preventDefault();
      element.classList.add('dropping');
    });
    element.addEventListener('dragleave', () => element.classList.remove('dropping'));
    element.addEventListener('drop', (event) => {
      event.preventDefault();
      element.classList.remove('dropping');
      this.#take([...(event.dataTransfer?.files ?? [])]);
    });
  }

  /** @param {string} state @param {string} text */
  #tell(state, text) {
    sayStatus(this.#status, state, text);
    this.#update();
  }

  #update() {
    const isOpen = this.#open !== undefined;
    this.connection.disabled = !this.#bytes;
    this.#connect.disabled = isOpen || this.#opening !== undefined;
    this.#close.disabled = !isOpen;
    this.#abort.disabled = !isOpen && this.#opening === undefined;
    const isTyped = isOpen && this.#address.value === 'mem:typed';
    this.#talk.hidden = !isTyped && this.#log.textContent === '';
    this.#speech.disabled = !isTyped;
    this.#bench.stage.hidden = this.#talk.hidden;
  }

  // ---- A module ----

  async #sample() {
    try {
      const files = await Promise.all([fetch(SAMPLE), fetch('echo.c')]);
      for (const { ok, url, status } of files) if (!ok) throw new Error(`${url}: HTTP ${status}`);
      this.#use('sample.wasm', new Uint8Array(await files[0].arrayBuffer()));
      this.#bench.source.clear();
      this.#bench.source.add('echo.c', await files[1].text());
    } catch (error) {
      this.#tell('failed', explain(error));
    }
  }

  /** @param {File[]} files */
  async #take(files) {
    const module = files.find(({ name }) => name.endsWith('.wasm'));
    const sources = files.filter(({ name }) => /\.[ch]$/.test(name));
    try {
      if (!module && !sources.some(({ name }) => name.endsWith('.c')))
        throw new Error('a module is a .wasm, made by `npx towline build`');
      for (const { name, size } of files)
        if (size > (name.endsWith('.wasm') ? LARGEST : LARGEST_SOURCE))
          throw new Error(`${name} is too large: ${bytes(size)}`);
      const texts = await Promise.all(sources.map((file) => file.text()));
      if (!module && !this.compiler)
        throw new Error(
          'C files need a compiler: start the demo with DEMO=--compile, or run `npx towline build`',
        );
      if (!module) this.#tell('busy', 'Compiling');
      const code = module
        ? new Uint8Array(await module.arrayBuffer())
        : await compiled(
            this.compiler ?? '',
            sources.map(({ name }, index) => ({ name, text: texts[index] })),
          );
      this.#bench.source.clear();
      for (const [index, { name }] of sources.entries()) this.#bench.source.add(name, texts[index]);
      this.#use(module?.name ?? `${sources[0].name.replace(/\.c$/, '')}.wasm`, code);
    } catch (error) {
      this.#tell('failed', explain(error));
    }
  }

  /** @param {string} name @param {Uint8Array} code */
  #use(name, code) {
    this.#module?.close();
    this.#module = this.#bytes = this.#open = undefined;
    this.#log.textContent = '';
    this.#bench.recording.clear();
    this.#found.replaceChildren();
    this.#protocol.replaceChildren();
    try {
      const found = describe(code);
      if (!WebAssembly.validate(/** @type {BufferSource} */ (code)))
        throw new Error('its head is a module, but it is not valid');
      if (found.problems.length > 0) throw new Error(found.problems.join('; '));
      if (found.protocols.length === 0)
        throw new Error(
          'it exports no constructor: tow_protocol *NAME(tow_loop *loop, void *context)',
        );
      this.#bytes = code;
      this.#protocol.append(...found.protocols.map((one) => make('option', {}, one)));
      this.#list(name, found);
      this.#tell('idle', `${name} is a module of Towline`);
    } catch (error) {
      this.#tell('failed', `${name}: ${explain(error)}`);
    }
  }

  /** @param {string} name @param {Description} found */
  #list(name, { protocols, families, imports, sizes, functions }) {
    const more = Object.keys(imports).filter(
      (from) => !['towline', 'wasi_snapshot_preview1'].includes(from),
    );
    const isTelling = TELLING.every((one) =>
      new TextDecoder('latin1').decode(this.#bytes).includes(one),
    );
    this.#bench.gauge?.element.toggleAttribute('hidden', !isTelling);
    /** @type {[string, string][]} */
    const facts = [
      ['file', `${name}, ${bytes(sizes.file)}`],
      ['protocols', protocols.join(', ')],
      ['it can', families.join(', ')],
      ...(functions.length > 0
        ? [/** @type {[string, string]} */ (['functions', functions.join(', ')])]
        : []),
      ...(more.length > 0
        ? [
            /** @type {[string, string]} */ ([
              'it lacks',
              `imports of ${more.join(', ')}: nobody supplies them here`,
            ]),
          ]
        : []),
    ];
    this.#found.replaceChildren(
      make(
        'dl',
        { class: 'facts' },
        ...facts.flatMap(([term, text]) => [make('dt', {}, term), make('dd', {}, text)]),
      ),
      isTelling
        ? ''
        : make(
            'p',
            { class: 'muted' },
            'Its write buffer cannot be seen. Build it with ',
            ...TELLING.map((one) => make('code', {}, `--export ${one} `)),
          ),
    );
  }

  // ---- A connection ----

  async #start() {
    if (!this.#bytes || !this.form.reportValidity()) return;
    const { recording } = this.#bench;
    const address = this.#address.value.trim();
    this.#opening = new AbortController();
    this.#log.textContent = '';
    this.#tell('busy', `Connecting to ${address}`);
    try {
      this.#module?.close();
      const module = await traced(load, {
        ...recording.listener,
        onconnection: (connection) => {
          this.#connection = connection;
        },
      })(this.#bytes, {
        transports: { mem: this.#peers.network, ...(await carriersFor(address)) },
        stdout: (text) => this.#heard(text),
        onerror: (error) => this.#heard(`${explain(error)}\n`),
      });
      this.#module = module;
      recording.clear();
      recording.limits = undefined;
      const verb = /** @type {keyof typeof VERBS} */ (this.#verb.value);
      const open = await VERBS[verb](module, address, {
        protocol: this.#protocol.value,
        framing: /** @type {'offered'} */ (this.#framing.value),
        subprotocols: this.#subprotocol.value,
        signal: this.#opening.signal,
      });
      this.#opening = undefined;
      this.#open = open;
      this.#tell('open', `${verb === 'connect' ? 'Connected to' : 'There for'} ${address}`);
      this.#look();
      const error = await open.closed;
      if (module === this.#module) {
        this.#open = undefined;
        this.#tell(error ? 'failed' : 'idle', error ? `Lost: ${explain(error)}` : 'Closed');
      }
    } catch (error) {
      this.#opening = undefined;
      this.#tell('failed', explain(error));
    }
  }

  /** @param {string} text */
  #say(text) {
    this.#bench.recording.asked(`the other end sends ${number(text.length)} bytes`);
    this.#peers.say(new TextEncoder().encode(text));
  }

  /** @param {string} text */
  #heard(text) {
    this.#log.textContent = `${this.#log.textContent}${text}`.slice(-HEARD);
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#update();
  }

  #look() {
    const { recording } = this.#bench;
    if ((this.#connection?.transport ?? 0) === 0) return;
    recording.limits = this.#connection?.writeBufferLimits ?? recording.limits;
    const level = this.#connection?.writeBufferSize;
    if (level !== undefined) recording.sample('level', level);
    recording.sample('memory', this.#module?.exports.memory.buffer.byteLength);
  }
}
