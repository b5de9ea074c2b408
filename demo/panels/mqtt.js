/** The panel of MQTT: mqtt.c on this page, the demo's broker on the server, and whoever else is there. */
import { load } from '../../js/index.js';
import { traced } from '../../js/trace/index.js';
import { loadMqtt } from '../mqtt.js';
import { explain, make } from '../page/dom.js';
import { Command } from '../views/command.js';
import { Workbench } from '../views/workbench.js';
import { Chat, PREVIEW } from './mqtt/chat.js';
import { ConnectionForm } from './mqtt/connection.js';
import { FILTERS, presenceTopic, speechTopic } from './mqtt/names.js';
import { Topics } from './mqtt/topics.js';

/** @typedef {import('../mqtt.js').Mqtt} Mqtt */
/** @typedef {import('../session.js').MqttClient} MqttClient */
/** @typedef {import('../../js/trace/index.js').WatchedConnection} WatchedConnection */

export const id = 'mqtt';
export const title = 'MQTT';
export const about =
  'An MQTT client in one C file, here over a WebSocket: pages talk to each other through the broker on the server. ' +
  'The same file, unchanged, is the program that joins from a terminal over TCP.';

class MqttPanel {
  #bench = new Workbench({
    panel: id,
    calls: ['CM', 'GB', 'BU', 'PW', 'RW', 'ER', 'CL'],
    source: ['mqtt.c', 'mqtt_wasm.c'],
    gauge: true,
    charts: ['level', 'throughput'],
  });
  #form = new ConnectionForm({
    onconnect: () => this.connect(),
    ondisconnect: () => this.#disconnect(),
    onrename: () => this.#present(),
  });
  #topics = new Topics((text, name) => this.#bench.recording.asked(text, name));
  #chat = new Chat((text) => this.#topics.publish(speechTopic(this.#form.name), text, { qos: 1 }));
  /** @type {Promise<Mqtt> | undefined} */
  #mqtt;
  /** @type {MqttClient | undefined} */
  #client;
  /** @type {WatchedConnection | undefined} */
  #watched;
  /** @type {AbortController | undefined} */
  #attempt;

  /** @param {HTMLElement} element @param {string} tcp the broker's address */
  mount(element, tcp) {
    const href = new URL('mqtt.css', import.meta.url).href;
    document.head.append(make('link', { rel: 'stylesheet', href }));
    const { subscription, publication } = this.#topics;
    this.#bench.controls.append(this.#form.element, subscription, publication);
    this.#bench.addStage(this.#chat.element, shell(tcp));
    this.#bench.mount(element);
    this.connect();
  }

  #load() {
    const { listener } = this.#bench.recording;
    const watching = traced(load, {
      ...listener,
      onconnection: (watched) => {
        this.#watched = watched;
      },
    });
    return loadMqtt(watching, new URL('../../build/wasi/mqtt.wasm', import.meta.url));
  }

  async connect() {
    const address = this.#form.address.value;
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#form.say('busy', `Connecting to ${address}`);
    try {
      this.#mqtt ??= this.#load();
      const mqtt = await this.#mqtt;
      const { recording } = this.#bench;
      recording.clear();
      recording.asked(`connect to ${address}`, 'mqtt_session_new');
      const client = await mqtt.connect(address, {
        ...this.#form.settings,
        signal: attempt.signal,
        keep: PREVIEW,
        onmessage: (message) => this.#chat.add(message),
        onclosed: (error) => this.#closed(error),
      });
      recording.limits = this.#watched?.writeBufferLimits;
      this.#opened(client, address);
    } catch (error) {
      if (attempt.signal.aborted) this.#form.say('idle', 'Not connected');
      else this.#form.say('failed', explain(error));
    }
  }

  /** @param {MqttClient} client @param {string} address */
  #opened(client, address) {
    this.#client = client;
    this.#form.say('open', `Connected to ${address}`);
    this.#chat.name = this.#form.name;
    this.#chat.id = this.#form.idField.value;
    this.#chat.isOpen = true;
    this.#topics.client = client;
    for (const filter of FILTERS) this.#topics.subscribe(filter, 1);
    this.#present();
  }

  /** @param {Error | null} error */
  #closed(error) {
    this.#client = undefined;
    this.#topics.client = undefined;
    this.#chat.isOpen = false;
    if (error) this.#form.say('failed', explain(error));
    else this.#form.say('idle', 'Disconnected');
  }

  /** Says who this is, for all who come later, too. */
  #present(name = this.#form.name) {
    this.#chat.name = this.#form.name;
    if (this.#client && this.#chat.id)
      this.#topics.publish(presenceTopic(this.#chat.id), name, { retain: true });
  }

  #disconnect() {
    if (!this.#client) return this.#attempt?.abort();
    this.#present('');
    this.#bench.recording.asked('disconnect', 'mqtt_disconnect');
    this.#client.disconnect();
  }
}

/** How the native client joins. @param {string} tcp */
function shell(tcp) {
  const commands = [
    new Command('Hears what is said', `build/mqtt ${tcp} sub 'demo/chat/+' --verbose`),
    new Command('Says something', `build/mqtt ${tcp} pub demo/chat/shell 'Hello from a shell'`),
    new Command('Sends and takes back 10 MB, with its calls', `build/mqtt ${tcp} check --trace`),
  ];
  return make(
    'section',
    { class: 'card shell', 'aria-label': 'From a terminal' },
    make(
      'div',
      { class: 'title' },
      make('h2', {}, 'From a terminal'),
      make('span', { class: 'muted' }, 'after ', make('code', {}, 'make demo-native')),
    ),
    ...commands.map(({ element }) => element),
  );
}

/** The broker as this page's visitor reaches it: one that listens everywhere is where the page comes from. @param {string} tcp */
const reachable = (tcp) =>
  tcp.replace(/^tcp:\/\/(0\.0\.0\.0|\[::\]):/, `tcp://${location.hostname}:`);

/** @type {import('../page/panels.js').Panel['mount']} */
export function mount(element, { config }) {
  new MqttPanel().mount(element, reachable(config.tcp));
}
