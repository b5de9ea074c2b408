/** The demo page: its forms and lists around the client of mqtt.js. */
import { load } from '../js/index.js';
import { bytes, CallList, make, number } from './calls.js';
import { loadMqtt } from './mqtt.js';

/** @typedef {import('./session.js').Message} Message */
/** @typedef {import('./session.js').MqttClient} MqttClient */

const BURST_MESSAGES = 8;
const BURST_SIZE = 1 << 20;

/** How much of a payload is shown, and how many messages are. */
const PREVIEW = 2000;
const MESSAGES = 200;

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

/** @param {string} id */
function form(id) {
  const element = /** @type {HTMLFormElement} */ (byId(id));
  const fieldset = element.querySelector('fieldset');
  /** @param {string} name */
  const field = (name) => /** @type {HTMLInputElement} */ (element.elements.namedItem(name));
  return { element, fieldset, field, text: (/** @type {string} */ name) => field(name).value };
}

const connection = form('connection');
const subscription = form('subscription');
const publication = form('publication');
const calls = new CallList(byId('calls'), byId('totals'));

// ---- Saying how it stands ----

/** @param {string} id @param {string} text @param {string} [state] */
function say(id, text, state = '') {
  const element = byId(id);
  element.textContent = text;
  element.dataset.state = state;
}

/** @param {unknown} error */
function explain(error) {
  const { code, message, native } = /** @type {import('../js/errors.js').TowlineError} */ (error);
  const detail = [code, native].filter(Boolean).join(' ');
  return detail ? `${message} (${detail})` : message;
}

/** @param {'idle' | 'connecting' | 'connected' | 'failed'} state @param {string} text */
function setState(state, text) {
  const open = state === 'connected';
  say('status', text, state);
  byId('connect').toggleAttribute('disabled', open || state === 'connecting');
  byId('disconnect').toggleAttribute('disabled', !open && state !== 'connecting');
  subscription.fieldset?.toggleAttribute('disabled', !open);
  publication.fieldset?.toggleAttribute('disabled', !open);
  if (!open) byId('topics').replaceChildren();
  if (!open) say('sent', '');
}

// ---- The connection ----

/** @type {MqttClient | null} */
let client = null;
/** @type {AbortController | null} */
let attempt = null;

const mqtt = loadMqtt(load, new URL('../build/wasi/mqtt.wasm', import.meta.url));
mqtt.catch((error) => setState('failed', `The module could not be loaded: ${explain(error)}`));

function settings() {
  const { text, field } = connection;
  const topic = text('willTopic');
  const will = {
    topic,
    message: text('willMessage'),
    qos: Number(text('willQos')),
    retain: field('willRetain').checked,
  };
  return {
    id: text('id'),
    user: text('user'),
    password: text('password'),
    subprotocols: text('subprotocols'),
    keepAlive: Number(text('keepAlive')),
    clean: field('clean').checked,
    will: topic ? will : undefined,
  };
}

async function connect() {
  const address = connection.text('address');
  attempt = new AbortController();
  setState('connecting', `Connecting to ${address} …`);
  try {
    client = await (await mqtt).connect(address, {
      ...settings(),
      signal: attempt.signal,
      keep: PREVIEW,
      oncall: (call) => calls.add(call),
      onmessage: showMessage,
      onclosed: (error) => {
        client = null;
        if (error) setState('failed', explain(error));
        else setState('idle', 'Disconnected');
      },
    });
    setState('connected', `Connected to ${address}`);
  } catch (error) {
    if (attempt.signal.aborted) setState('idle', 'Not connected');
    else setState('failed', explain(error));
  }
}

connection.element.addEventListener('submit', (event) => {
  event.preventDefault();
  connect();
});

byId('disconnect').addEventListener('click', () => {
  if (client) client.disconnect();
  else attempt?.abort();
});

// ---- Subscriptions ----

/** @param {MqttClient} at @param {string} topic @param {number} qos */
async function subscribe(at, topic, qos) {
  const remove = make('button', '', '×');
  remove.setAttribute('type', 'button');
  remove.setAttribute('aria-label', `Unsubscribe from ${topic}`);
  const item = make('li', '', topic, remove);
  item.dataset.topic = topic;
  item.dataset.state = 'waiting';
  for (const old of byId('topics').children)
    if (/** @type {HTMLElement} */ (old).dataset.topic === topic) old.remove();
  byId('topics').append(item);
  remove.addEventListener('click', async () => {
    item.dataset.state = 'waiting';
    await act(at.unsubscribe(topic), '');
    item.remove();
  });
  const granted = await act(at.subscribe(topic, qos), '');
  if (granted === undefined) return item.remove();
  item.dataset.state = 'granted';
  item.title = `QoS ${granted}`;
}

/**
 * Waits for a request, and says what came of it.
 * @template T
 * @param {Promise<T>} request
 * @param {string} done
 */
async function act(request, done) {
  try {
    const result = await request;
    say('sent', done);
    return result;
  } catch (error) {
    if (client) say('sent', explain(error), 'failed');
  }
}

subscription.element.addEventListener('submit', (event) => {
  event.preventDefault();
  if (client) subscribe(client, subscription.text('topic'), Number(subscription.text('qos')));
});

// ---- Publishing ----

publication.element.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!client) return;
  const topic = publication.text('topic');
  const qos = Number(publication.text('qos'));
  const retain = publication.field('retain').checked;
  const request = client.publish(topic, publication.text('message'), { qos, retain });
  act(request, qos === 1 ? `Published to ${topic}; the broker has it` : `Published to ${topic}`);
});

publication.field('message').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey))
    publication.element.requestSubmit();
});

byId('burst').addEventListener('click', async () => {
  if (!client) return;
  const button = byId('burst');
  const start = performance.now();
  button.setAttribute('disabled', '');
  const request = client.burst(BURST_MESSAGES, BURST_SIZE, (left) =>
    say('sent', `Burst: ${BURST_MESSAGES - left} of ${BURST_MESSAGES} messages`),
  );
  await act(request, 'Burst sent');
  button.removeAttribute('disabled');
  const milliseconds = Math.round(performance.now() - start);
  if (client)
    say('sent', `Burst: ${bytes(BURST_MESSAGES * BURST_SIZE)} in ${number(milliseconds)} ms`);
});

// ---- Messages ----

let messages = 0;

/** Text as it is; of other bytes the first few. @param {Uint8Array} payload @param {number} size */
function preview(payload, size) {
  const text = new TextDecoder().decode(payload);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what makes it binary
  if (!/[\0-\x08\x0e-\x1f\ufffd]/.test(text))
    return make('pre', '', size > payload.length ? `${text} …` : text);
  const hex = Array.from(payload.subarray(0, 12), (byte) => byte.toString(16).padStart(2, '0'));
  return make('pre', 'binary', `${hex.join(' ')}${size > 12 ? ' …' : ''}`);
}

/** @param {Message} message */
function showMessage({ topic, size, qos, retain, dup, payload }) {
  const list = byId('messages');
  const facts = [`QoS ${qos}`, retain && 'retained', dup && 'again', bytes(size)].filter(Boolean);
  const time = make('time', '', new Date().toLocaleTimeString());
  const item = make('li', '', make('span', 'topic', topic), time);
  if (size > 0) item.append(preview(payload, size));
  item.append(make('small', '', facts.join(' · ')));
  list.prepend(item);
  if (list.children.length > MESSAGES) list.lastElementChild?.remove();
  byId('message-count').textContent = number(++messages);
}

byId('clear-messages').addEventListener('click', () => {
  messages = 0;
  byId('message-count').textContent = '0';
  byId('messages').replaceChildren();
});

// ---- Calls ----

byId('clear-calls').addEventListener('click', () => calls.clear());
byId('group').addEventListener('change', (event) => {
  calls.grouped = /** @type {HTMLInputElement} */ (event.target).checked;
});

const { protocol, host } = window.location;
connection.field('address').value = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/mqtt`;
