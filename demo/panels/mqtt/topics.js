/** What is subscribed to, and what is published by hand: the forms, and what came of it. */
import { button, bytes, explain, field, make, milliseconds } from '../../page/dom.js';
import { choice } from './connection.js';
import { BURST_TOPIC } from './names.js';

/** @typedef {import('../../session.js').MqttClient} MqttClient */
/** @typedef {(text: string, name: string) => void} Asked */

const MEGABYTE = 1 << 20;
const MOST_MEGABYTES = 64;

/** @param {string} value */
const topicField = (value) =>
  make('input', { value, required: true, spellcheck: 'false', autocapitalize: 'off' });

/** @param {() => void} send @param {HTMLFieldSetElement} fieldset */
const formOf = (send, fieldset) =>
  make(
    'form',
    {
      class: 'card controls',
      autocomplete: 'off',
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        send();
      },
    },
    fieldset,
  );

export class Topics {
  /** @type {MqttClient | undefined} */
  #client;

  /** @param {Asked} asked told of each request before it is made */
  constructor(asked) {
    this.asked = asked;
    this.filter = topicField('demo/#');
    this.filterQos = choice(['0', '1'], '1');
    this.filters = make('ul', { class: 'filters', 'aria-label': 'Subscriptions' });
    this.topic = topicField('demo/hello');
    this.qos = choice(['0', '1'], '1');
    this.retain = make('input', { type: 'checkbox' });
    this.message = make(
      'textarea',
      {
        rows: 2,
        'aria-keyshortcuts': 'Control+Enter',
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey))
            this.publication.requestSubmit();
        },
      },
      'Hello from C',
    );
    this.megabytes = make('input', {
      type: 'number',
      min: 1,
      max: MOST_MEGABYTES,
      value: 8,
      required: true,
    });
    this.burst = button('Burst', () => this.#burst(), {
      title: `Messages of 1 MB each on the topic ${BURST_TOPIC}`,
    });
    this.result = make('p', { class: 'result', role: 'status' });
    const row = (/** @type {Node[]} */ ...children) => make('div', { class: 'row' }, ...children);
    this.subscription = formOf(
      () => this.subscribe(this.filter.value, Number(this.filterQos.value)),
      make(
        'fieldset',
        {},
        make('legend', {}, 'Subscribe'),
        row(field('Topic filter', this.filter), field('QoS', this.filterQos)),
        row(make('button', { type: 'submit' }, 'Subscribe')),
        this.filters,
      ),
    );
    this.publication = formOf(
      () => this.#publishForm(),
      make(
        'fieldset',
        {},
        make('legend', {}, 'Publish'),
        row(field('Topic', this.topic), field('QoS', this.qos)),
        field('Message', this.message),
        row(
          make('button', { type: 'submit' }, 'Publish'),
          make('label', { class: 'check' }, this.retain, 'Retain'),
        ),
        row(field('Megabytes', this.megabytes), this.burst),
        this.result,
      ),
    );
    this.fieldsets = [this.subscription, this.publication].flatMap((form) => [
      ...form.querySelectorAll('fieldset'),
    ]);
    this.client = undefined;
  }

  /** Undefined: there is no connection. */
  set client(/** @type {MqttClient | undefined} */ client) {
    this.#client = client;
    for (const fieldset of this.fieldsets) fieldset.disabled = !client;
    this.burst.disabled = false;
    this.filters.replaceChildren();
    this.#say('');
  }

  // ---- Subscriptions ----

  /** @param {string} filter @param {number} qos */
  async subscribe(filter, qos) {
    const client = this.#client;
    if (!client) return;
    const remove = button('×', () => this.#unsubscribe(client, filter, item), {
      'aria-label': `Unsubscribe from ${filter}`,
    });
    const item = make('li', { 'data-filter': filter, 'data-state': 'waiting' }, filter, remove);
    for (const old of [...this.filters.children])
      if (/** @type {HTMLElement} */ (old).dataset.filter === filter) old.remove();
    this.filters.append(item);
    this.asked(`subscribe ${filter}`, 'mqtt_subscribe');
    const granted = await this.#act(client.subscribe(filter, qos), '');
    if (granted === undefined) return item.remove();
    item.dataset.state = 'granted';
    item.title = `QoS ${granted}`;
  }

  /** @param {MqttClient} client @param {string} filter @param {HTMLElement} item */
  async #unsubscribe(client, filter, item) {
    item.dataset.state = 'waiting';
    this.asked(`unsubscribe ${filter}`, 'mqtt_unsubscribe');
    await this.#act(client.unsubscribe(filter), '');
    item.remove();
  }

  // ---- Publishing ----

  /** @param {string} topic @param {string} message @param {{qos?: number, retain?: boolean}} options @param {string} [done] */
  async publish(topic, message, options, done = '') {
    if (!this.#client) return;
    this.asked(`publish ${topic}`, 'mqtt_publish');
    await this.#act(this.#client.publish(topic, message, options), done);
  }

  #publishForm() {
    const topic = this.topic.value;
    const qos = Number(this.qos.value);
    const done = qos === 1 ? `Published; the broker has it` : `Published`;
    return this.publish(topic, this.message.value, { qos, retain: this.retain.checked }, done);
  }

  async #burst() {
    const client = this.#client;
    if (!client || !this.megabytes.reportValidity()) return;
    const messages = this.megabytes.valueAsNumber;
    const start = performance.now();
    this.burst.disabled = true;
    this.asked(`burst of ${messages} MB`, 'mqtt_session_burst');
    const sent = client.burst(messages, MEGABYTE, (left) =>
      this.#say(`Burst: ${messages - left} of ${messages} messages`),
    );
    await this.#act(
      sent.then(() => {
        const time = milliseconds(performance.now() - start);
        this.#say(`Burst: ${bytes(messages * MEGABYTE)} in ${time}`);
      }),
    );
    this.burst.disabled = false;
  }

  /**
   * Waits for a request, and says what came of it.
   * @template T
   * @param {Promise<T>} request
   * @param {string} [done]
   */
  async #act(request, done) {
    try {
      const result = await request;
      if (done !== undefined) this.#say(done);
      return result;
    } catch (error) {
      if (this.#client) this.#say(explain(error), 'failure');
    }
  }

  /** @param {string} text @param {string} [kind] */
  #say(text, kind = '') {
    this.result.textContent = text;
    this.result.className = `result ${kind}`;
  }
}
