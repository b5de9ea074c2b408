/** One program with a terminal: what it says is shown, what is typed goes to it. */
import { button, choice, explain, field, make, sayStatus, statusLine } from '../../page/dom.js';
import { Workbench } from '../../views/workbench.js';
import { commandsOf, files, listed, parse } from './programs.js';
import { ending, listenerOf, Shell, WAYS } from './shell.js';
import { Terminal, terminalPlace } from './terminal.js';

/** @typedef {import('./shell.js').Program} Program */

const SIGINT = 2;
const SIGKILL = 9;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What is typed into a program, and what happens to it. */
class Session {
  /** @type {Program | undefined} */
  program;
  /** What the program has no room for yet; null: the end. @type {(Uint8Array | null)[]} */
  #typed = [];
  #isStarting = false;
  /** What is to be started when the one that runs has ended. @type {string | undefined} */
  #following;

  /**
   * @param {Workbench} bench
   * @param {string[]} names of the programs that are there
   * @param {(state: string, text: string) => void} say
   */
  constructor(bench, names, say) {
    this.recording = bench.recording;
    this.say = say;
    this.shell = new Shell(listenerOf(bench.recording), names);
    this.files = files();
    /** @type {Terminal | undefined} */
    this.terminal = undefined;
    this.command = '';
  }

  get isOpen() {
    return this.program?.isOpen === true;
  }

  /** Ends what runs, if something does, and starts this. @param {string} command */
  async start(command) {
    this.command = command;
    if (!this.isOpen && !this.#isStarting) return this.#run(command);
    this.#following = command;
    this.signal(SIGKILL, 'kill');
  }

  /** @param {string} command */
  async #run(command) {
    this.#isStarting = true;
    this.say('busy', `Starting ${command}`);
    this.recording.clear();
    this.#typed = [];
    this.terminal?.say(`$ ${command}`);
    try {
      const [{ program: name, arguments: list }] = parse(command);
      const program = await this.shell.start({
        program: name,
        arguments: list,
        files: this.files,
        onprint: (fd, bytes) => this.terminal?.print(fd, bytes),
        onready: () => this.#pass(),
      });
      this.program = program;
      this.recording.limits = program.connection.writeBufferLimits;
      this.say('open', `${name} runs. Its pipes: ${WAYS[program.pipes] ?? program.pipes}.`);
      program.closed?.then(() => this.#ended(program, name));
      if (this.#following !== undefined) this.signal(SIGKILL, 'kill');
    } catch (error) {
      this.say('failed', explain(error));
      this.terminal?.say(explain(error));
    } finally {
      this.#isStarting = false;
    }
    this.#pass();
    if (!this.isOpen) this.#follow();
  }

  /** @param {Program} program @param {string} name */
  #ended(program, name) {
    const { returncode = 0, trap } = program;
    const how = `${name}: ${ending(returncode)}${trap ? `: ${trap}` : ''}`;
    this.terminal?.say(`${how}. Enter starts it again.`);
    this.say(returncode < 0 ? 'failed' : 'idle', how);
    if (!this.#isStarting) this.#follow();
  }

  #follow() {
    const following = this.#following;
    this.#following = undefined;
    if (following !== undefined) this.#run(following);
  }

  // ---- What is typed ----

  /** @param {string} line */
  enter(line) {
    if (!this.isOpen && !this.#isStarting) this.start(this.command);
    else {
      this.#typed.push(encoder.encode(`${line}\n`));
      this.#pass();
    }
  }

  end() {
    this.#typed.push(null);
    this.#pass();
  }

  /** As much as the program has room for; `onready` tells when it has again. */
  #pass() {
    const { program } = this;
    while (program?.isOpen && this.#typed.length > 0) {
      const [bytes] = this.#typed;
      if (bytes === null) {
        this.recording.asked('end of input', 'shell_end');
        program.end();
      } else {
        this.recording.asked(`type ${JSON.stringify(decoder.decode(bytes))}`, 'shell_type');
        if (!program.type(bytes)) return;
        this.recording.sample('sent', bytes.length);
      }
      this.#typed.shift();
    }
  }

  /** @param {number} signal @param {string} text */
  signal(signal, text) {
    if (!this.isOpen) return;
    this.recording.asked(text, 'shell_signal');
    this.program?.signal(signal);
  }

  interrupt() {
    this.#typed = [];
    this.signal(SIGINT, 'interrupt');
  }
}

/** What is in the files, and a button for those that can be run. @param {Session} session */
function fileList(session) {
  const list = make('div', { class: 'file-list' });
  const draw = () => {
    const open = [...list.querySelectorAll('[open] summary')].map((one) => one.textContent);
    const items = [...session.files].map(([path, content]) => {
      const name = path.slice(1);
      const text = typeof content === 'string' ? content : decoder.decode(content);
      return make(
        'details',
        { open: open.includes(name) },
        make('summary', {}, name),
        make('pre', { tabindex: 0, 'aria-label': name }, text),
      );
    });
    list.replaceChildren(...items);
  };
  draw();
  return { list, draw };
}

/**
 * @param {string} panel
 * @param {string[]} names of the programs that are there
 */
export async function makeConsole(panel, names) {
  const bench = new Workbench({
    panel,
    calls: ['CM', 'PD', 'PL', 'PX', 'CL', 'PW', 'RW'],
    source: ['shell.c'],
    gauge: true,
    charts: ['throughput'],
  });
  const status = statusLine('Nothing runs');
  const session = new Session(bench, names, (state, text) => {
    sayStatus(status, state, text);
    update();
  });
  const place = terminalPlace();
  bench.addStage(make('section', { class: 'card terminal', 'aria-label': 'Terminal' }, place));

  const restart = () => {
    session.start(select.value);
    session.terminal?.focus();
  };
  const select = choice(listed(commandsOf(names)), restart);
  const start = button('Restart', restart);
  const interrupt = button('Ctrl-C', () => session.terminal?.line.input('\x03'), {
    title: 'SIGINT',
  });
  const end = button('Ctrl-D', () => session.terminal?.line.input('\x04'), {
    title: 'End of input',
  });
  const kill = button('Kill', () => session.signal(SIGKILL, 'kill'), { title: 'SIGKILL' });
  const { list, draw } = fileList(session);
  bench.controls.append(
    make(
      'div',
      { class: 'card controls' },
      make(
        'fieldset',
        {},
        make('legend', {}, 'Program'),
        status,
        field('Command', select),
        make('div', { class: 'row' }, start, interrupt, end, kill),
      ),
      make('fieldset', {}, make('legend', {}, 'Its files, in memory'), list),
    ),
  );

  function update() {
    const isOpen = status.dataset.state === 'open';
    start.textContent = isOpen ? 'Restart' : 'Start';
    for (const one of [interrupt, end, kill]) one.disabled = !isOpen;
    if (!isOpen) draw();
  }
  update();

  return {
    bench,
    /** When it is in the page: a terminal has to be measured. */
    async begin() {
      session.terminal = await Terminal.open(place, {
        enter: (line) => session.enter(line),
        interrupt: () => session.interrupt(),
        end: () => session.end(),
        hold: (isHeld) => session.program?.hold(isHeld),
      });
      await session.start(select.value);
    },
  };
}
