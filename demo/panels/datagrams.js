/** The panel of datagrams: netcode.c on this page, and on others, over WebRTC. */
import { load } from '../../js/index.js';
import { traced } from '../../js/trace/index.js';
import { rendezvous, webrtc } from '../../js/webrtc/index.js';
import { loadNetcode, roomOf } from '../netcode.js';
import { button, explain, make } from '../page/dom.js';
import { Command } from '../views/command.js';
import { Workbench } from '../views/workbench.js';
import { Arena } from './datagrams/arena.js';
import { Network } from './datagrams/network.js';
import { Others } from './datagrams/others.js';
import { RoomForm } from './datagrams/room.js';
import { sliders } from './datagrams/sliders.js';
import { Steering } from './datagrams/steering.js';

/** @typedef {import('../netcode.js').Netcode} Netcode */
/** @typedef {import('../netcode.js').Player} Player */

export const id = 'datagrams';
export const title = 'Datagrams';
export const about =
  'Boats tell each other where they are sixty times a second, from page to page over WebRTC, by one protocol in C. ' +
  'Make the network worse, and see what the C measures of it.';

/** How often the figures are written anew, and go into the charts, in milliseconds. */
const FIGURES = 250;
/** How long the rendezvous is let be before it is tried again, at most; a failure is shown for a little longer. */
const PAUSE = 4000;
const FAILURE = 1.5 * PAUSE;
const SECOND_PLAYER = 'popup,width=760,height=860';

class DatagramsPanel {
  #bench = new Workbench({
    panel: id,
    calls: ['CM', 'PJ', 'DG', 'EE', 'PW', 'RW', 'CL'],
    source: ['netcode.c', 'netcode_peer.c'],
    charts: ['roundTrip', 'loss'],
  });
  #canvas = make('canvas', {
    tabindex: 0,
    role: 'application',
    'aria-label': "Everybody's boat. Steer with the arrow keys or a pointer.",
  });
  #arena = new Arena(this.#canvas);
  #steering = new Steering(
    this.#canvas,
    (event) => this.#arena.place(event),
    ({ x, y }, isFirst) => {
      if (isFirst && this.#player) this.#asked('steer', 'netcode_game_steer');
      this.#player?.steer(x, y);
    },
  );
  #room = new RoomForm({ onjoin: () => this.#join(), onleave: () => this.#leave() });
  #network = new Network();
  #others = new Others();
  #command = new Command('A player in Node, in this room');
  /** @type {Player | null} */
  #player = null;
  /** @type {{ text: string, time: number } | null} */
  #failure = null;
  /** @type {Promise<Netcode> | undefined} */
  #netcode;
  #isShown = false;

  /** @param {string} text @param {string} [name] of the function in C */
  #asked(text, name) {
    this.#bench.recording.asked(text, name);
  }

  /** @param {HTMLElement} element */
  async mount(element) {
    const style = make('link', {
      rel: 'stylesheet',
      href: new URL('datagrams.css', import.meta.url).href,
    });
    const styled = new Promise((resolve) => {
      style.onload = style.onerror = resolve;
    });
    document.head.append(style);
    await styled; // its colours are what is drawn with
    const arena = make(
      'section',
      { class: 'card arena', 'aria-label': 'Arena' },
      this.#canvas,
      make(
        'p',
        {},
        'Steer with a pointer, a finger or the arrow keys; round the buoys in their order. ' +
          'The others are shown where they were a tenth of a second ago.',
      ),
    );
    const second = button('Open a second player', () => this.#openSecond());
    this.#room.actions.append(second);
    const shell = make(
      'section',
      { class: 'card', 'aria-label': 'From a shell' },
      make('h2', {}, 'From a shell'),
      this.#command.element,
    );
    const side = make('div', { class: 'stack' }, this.#room.element, sliders(this.#network), shell);
    element.append(make('div', { class: 'game' }, arena, side), this.#bench.charts);
    this.#bench.controls.append(this.#others.element);
    this.#bench.mount(element);
    this.#watchShown(element);
    setInterval(() => this.#look(), FIGURES);
    this.#showCommand();
    this.#join();
  }

  /** Nothing is drawn that nobody sees. @param {HTMLElement} element */
  #watchShown(element) {
    const show = () => {
      if (this.#isShown) return;
      this.#isShown = true;
      requestAnimationFrame((time) => this.#frame(time));
    };
    element.addEventListener('show', show);
    element.addEventListener('hide', () => {
      this.#isShown = false;
    });
    if (!element.hidden) show();
  }

  /** @param {number} time */
  #frame(time) {
    if (!this.#isShown) return;
    const look = this.#player?.look() ?? null;
    if (look) this.#steering.frame(look, time);
    this.#arena.draw(look, time);
    requestAnimationFrame((next) => this.#frame(next));
  }

  // ---- The room ----

  /** This page's address, with the room: who opens it is there, too. */
  get #page() {
    const page = new URL(location.href);
    page.searchParams.set('room', this.#room.room);
    page.hash = id;
    return page;
  }

  #openSecond() {
    const opened = open(this.#page, '_blank', SECOND_PLAYER);
    this.#room.note.hidden = opened !== null;
    if (!opened) this.#room.note.textContent = `The browser has not opened it: ${this.#page}`;
  }

  #showCommand() {
    this.#command.text = `node demo/netcode-node.js '${this.#page}'`;
  }

  #load() {
    const { rendezvous: meeting } = roomOf(location.href);
    const carrier = webrtc({
      signalling: rendezvous(meeting, {
        longestPause: PAUSE,
        onerror: ({ message }) => {
          this.#failure = { text: message, time: performance.now() };
        },
      }),
    });
    const watching = traced(load, this.#bench.recording.listener);
    const source = new URL('../../build/wasi/netcode.wasm', import.meta.url);
    return loadNetcode(watching, source, { transports: { webrtc: this.#network.over(carrier) } });
  }

  async #join() {
    const { room, name } = this.#room;
    if (location.hash === `#${id}`) history.replaceState(null, '', this.#page);
    this.#showCommand();
    this.#failure = null;
    this.#room.say('busy', `Joining ${room}`);
    try {
      this.#netcode ??= this.#load();
      const netcode = await this.#netcode;
      this.#bench.recording.clear();
      this.#arena.course.clear();
      this.#steering.clear();
      this.#asked(`join ${room}`, 'netcode_init');
      this.#player = await netcode.join(`webrtc:${room}`, { name });
      this.#look();
      const error = await this.#player.closed;
      this.#player = null;
      this.#look();
      this.#room.say(error ? 'failed' : 'idle', error ? explain(error) : 'Not in a room');
    } catch (error) {
      this.#room.say('failed', explain(error));
    }
  }

  #leave() {
    this.#asked('leave: close the transport');
    this.#player?.leave();
  }

  /** What the C knows by now. */
  #look() {
    const peers = this.#player?.look()?.peers ?? [];
    const { recording } = this.#bench;
    const [first] = peers;
    if (first?.roundTrip >= 0) recording.sample('roundTrip', first.roundTrip);
    if (first?.loss >= 0) recording.sample('loss', first.loss * 100);
    if (this.#isShown) this.#others.show(peers, this.#arena.course);
    if (!this.#player) return;
    const failure = this.#failure;
    if (peers.length === 0 && failure && performance.now() - failure.time < FAILURE)
      return this.#room.say('failed', failure.text, true);
    const company = peers.length === 1 ? '1 other' : `${peers.length} others`;
    this.#room.say(
      'open',
      `In ${this.#room.room} ${peers.length > 0 ? `with ${company}` : 'alone'}`,
    );
  }
}

/** @type {import('../page/panels.js').Panel['mount']} */
export const mount = (element) => new DatagramsPanel().mount(element);
