/**
 * The module `mqtt` (mqtt_wasm.c) for JavaScript: clients and checks, in Node and in the browser.
 *
 *     import { load } from 'towline';
 *     const mqtt = await loadMqtt(load, new URL('../build/wasi/mqtt.wasm', import.meta.url));
 *     const client = await mqtt.connect('ws://127.0.0.1:8080/mqtt', { onmessage: (message) => ... });
 *     await client.subscribe('demo/#', 1);
 *     await client.publish('demo/hello', 'Hello', { qos: 1 });
 *     await client.disconnect();
 */
import { Check, MqttClient } from './session.js';

/** @typedef {import('../js/index.js').Module} Module */
/** @typedef {typeof import('../js/index.js').load} Load */
/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./session.js').Settings} Settings */
/** @typedef {import('./session.js').Events} Events */

/** The loaded module. */
export class Mqtt {
  /** @type {Map<number, Session>} */
  #sessions = new Map();
  #last = 0;
  /** @type {Module | undefined} */
  #module;

  get module() {
    return /** @type {Module} */ (this.#module);
  }

  get memory() {
    return this.module.memory;
  }

  /** @param {Load} load @param {Parameters<Load>[0]} source @param {Parameters<Load>[1]} [options] */
  async load(load, source, options) {
    this.#module = await load(source, { ...options, imports: { demo: this.#imports() } });
    return this;
  }

  /**
   * Connects; ends when the broker has accepted.
   * @param {string} address
   * @param {Settings & Events} [settings]
   */
  async connect(address, settings = {}) {
    const client = new MqttClient(this, settings);
    await client.open(address);
    return client;
  }

  /**
   * Sends itself at least so many megabytes and compares what comes back; its topic is towline/check/ and its id.
   * @param {string} address
   * @param {Settings & { megabytes?: number, qos?: number }} [settings]
   */
  async check(address, settings = {}) {
    const { megabytes = 10, qos = 0, id = `check-${crypto.randomUUID()}` } = settings;
    const check = new Check(this, { ...settings, id });
    check.call('mqtt_session_check', megabytes * 1e6, qos);
    await check.open(address);
    return check.done.promise;
  }

  /** Ends all connections and the module. */
  close() {
    return this.module.close();
  }

  /** @param {string} name @param {...(number | string | Uint8Array)} values @returns {number} */
  call(name, ...values) {
    return this.module.call(name, ...values);
  }

  /** @param {number} code */
  errorName(code) {
    return this.memory.string(this.call('tow_error_name', code));
  }

  /** @param {Session} session */
  add(session) {
    this.#sessions.set(++this.#last, session);
    return this.#last;
  }

  /** @param {number} token */
  delete(token) {
    this.#sessions.delete(token);
  }

  /** @param {number} address of a tow_error, or 0 */
  #error(address) {
    return this.memory.error(address, (code) => this.call('tow_error_name', code));
  }

  /** What mqtt_wasm.c imports. */
  #imports() {
    /**
     * An exception would break the module, so that of a listener is reported and goes no further.
     * @param {(session: Session, ...values: number[]) => void} handle
     */
    const event =
      (handle) =>
      (/** @type {number} */ token, /** @type {number[]} */ ...values) => {
        const session = this.#sessions.get(token);
        try {
          if (session) handle(session, ...values);
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      };
    const text = (/** @type {number} */ address) => this.memory.string(address);
    return {
      connected: event((session, present) => session.connected(present !== 0)),
      subscribed: event((session, id, granted) => session.subscribed(id, granted)),
      unsubscribed: event((session, id) => session.unsubscribed(id)),
      published: event((session, id) => session.published(id)),
      burst: event((session, left) => session.burstGoesOn(left)),
      message: event((session, topic, size, flags) => session.message(text(topic), size, flags)),
      data: event((session, data, size) => session.data(this.memory.bytes(data, size))),
      end: event((session) => session.end()),
      closed: event((session, error) => session.closed(this.#error(error))),
      checked: event((session, code, message, messages, bytes, checksum, milliseconds, pauses) => {
        const sum = (checksum >>> 0).toString(16).padStart(8, '0');
        session.checked(code, text(message), {
          messages,
          bytes,
          checksum: sum,
          milliseconds,
          pauses,
        });
      }),
    };
  }
}

/**
 * @param {Load} load of the package, for Node or for a browser
 * @param {Parameters<Load>[0]} source where build/wasi/mqtt.wasm is
 * @param {Parameters<Load>[1]} [options]
 */
export const loadMqtt = (load, source, options) => new Mqtt().load(load, source, options);
