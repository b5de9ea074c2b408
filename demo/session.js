/** Connections of the module `mqtt`, seen from JavaScript: what they are told, and what they can be asked. */
import { TowlineError } from '../js/errors.js';

/** @typedef {import('./mqtt.js').Mqtt} Mqtt */

/**
 * @typedef {object} Message
 * @property {string} topic
 * @property {number} size of the payload, in bytes
 * @property {number} qos
 * @property {boolean} retain
 * @property {boolean} dup
 * @property {Uint8Array} payload a copy of the payload's beginning: as many bytes as the option `keep` says
 */

/**
 * @typedef {object} Settings
 * @property {string} [id] client id; without it the broker chooses one
 * @property {string} [user]
 * @property {string} [password]
 * @property {{ topic: string, message?: string, qos?: number, retain?: boolean }} [will]
 * @property {boolean} [clean] a new session (true unless said)
 * @property {number} [keepAlive] seconds (60)
 * @property {string | string[]} [subprotocols] of the WebSocket ('mqtt')
 * @property {AbortSignal} [signal] gives up connecting
 */

/**
 * @typedef {object} Events
 * @property {number} [keep] how many bytes of a payload `onmessage` is given (all)
 * @property {(message: Message) => void} [onmessage]
 * @property {(error: TowlineError | null) => void} [onclosed] last; null after `disconnect`
 */

/**
 * @typedef {object} CheckResult
 * @property {number} messages
 * @property {number} bytes
 * @property {string} checksum
 * @property {number} milliseconds
 * @property {number} pauses
 */

/** What the module's calls mean by their errors, in this demo. @type {Record<string, string>} */
const refusals = {
  EINVAL: 'this is not a topic that is allowed here',
  ENOTCONN: 'not connected',
  ENOBUFS: 'too much is on its way: wait for an acknowledgement, or for the end of the burst',
  EMSGSIZE: 'the message is larger than MQTT allows',
};

/** A promise and its ends. @template T */
class Deferred {
  constructor() {
    /** @type {Promise<T>} */
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {});
  }
}

/** One connection to be: the JavaScript side of a `session`. */
export class Session {
  /** @param {Mqtt} mqtt @param {Settings} settings */
  constructor(mqtt, settings) {
    const { id = '', user = '', password = '', will, clean = true, keepAlive = 60 } = settings;
    const texts = [id, user, password, will?.topic ?? '', will?.message ?? ''];
    if (texts.some((text) => text.includes('\0')))
      throw new TowlineError('EINVAL', 'a zero byte in a text');
    const flags = (clean ? 1 : 0) | (will?.retain ? 2 : 0);
    this.mqtt = mqtt;
    this.settings = settings;
    this.token = mqtt.add(this);
    const { loop } = mqtt.module;
    this.address = mqtt.call(
      'mqtt_session_new',
      loop,
      this.token,
      flags,
      keepAlive,
      will?.qos ?? 0,
      ...texts,
    );
    if (this.address === 0) throw this.gone(new TowlineError('ENOMEM', 'out of memory'));
  }

  /** @param {string} name @param {...(number | string | Uint8Array)} values @returns {number} */
  call(name, ...values) {
    if (this.address === 0) throw new TowlineError('ENOTCONN', refusals.ENOTCONN);
    return this.mqtt.call(name, this.address, ...values);
  }

  /** @param {string} address */
  async open(address) {
    const { subprotocols = 'mqtt', signal } = this.settings;
    try {
      const problem = this.call('mqtt_session_problem');
      if (problem !== 0) throw new TowlineError('EINVAL', this.mqtt.memory.string(problem));
      const options = {
        protocol: 'mqtt_session_protocol',
        context: this.address,
        subprotocols,
        signal,
      };
      await this.mqtt.module.connect(address, options);
    } catch (error) {
      if (this.address !== 0 && this.call('mqtt_session_free')) this.gone(null);
      throw error;
    }
  }

  /** The session is no more. @template {Error | null} E @param {E} error @returns {E} */
  gone(error) {
    this.address = 0;
    this.mqtt.delete(this.token);
    return error;
  }

  // ---- Events; a client or a check hears what concerns it ----

  /** @param {boolean} _sessionPresent */
  connected(_sessionPresent) {}
  /** @param {number} _id @param {number} _granted */
  subscribed(_id, _granted) {}
  /** @param {number} _id */
  unsubscribed(_id) {}
  /** @param {number} _id */
  published(_id) {}
  /** @param {number} _left */
  burstGoesOn(_left) {}
  /** @param {string} _topic @param {number} _size @param {number} _flags */
  message(_topic, _size, _flags) {}
  /** @param {Uint8Array} _bytes lent */
  data(_bytes) {}
  end() {}
  /** @param {TowlineError | null} error */
  closed(error) {
    this.gone(error);
  }
  /** @param {number} _code @param {string} _message @param {CheckResult} _result */
  checked(_code, _message, _result) {}
}

/** A client, connected. */
export class MqttClient extends Session {
  /** Requests by packet identifier. @type {Map<number, Deferred<number>>} */
  #waiting = new Map();
  /** @type {Deferred<boolean>} */
  #opened = new Deferred();
  /** @type {Deferred<void>} */
  #ended = new Deferred();
  /** @type {{ messages: number, progress: (left: number) => void, done: Deferred<void> } | null} */
  #burst = null;
  /** @type {Message | null} */
  #message = null;
  #kept = 0;

  /** @param {Mqtt} mqtt @param {Settings & Events} settings */
  constructor(mqtt, settings) {
    super(mqtt, settings);
    this.events = settings;
  }

  /** @param {string} address */
  async open(address) {
    await super.open(address);
    await this.#opened.promise;
  }

  /** Asks for the messages of a topic; answers the QoS that the broker granted. @param {string} filter @param {number} [qos] */
  async subscribe(filter, qos = 0) {
    return this.#acknowledged(this.call('mqtt_session_subscribe', filter, qos));
  }

  /** @param {string} filter */
  async unsubscribe(filter) {
    return this.#acknowledged(this.call('mqtt_session_unsubscribe', filter));
  }

  /**
   * At QoS 1 ends when the broker has acknowledged it, at QoS 0 at once.
   * @param {string} topic
   * @param {string | Uint8Array} payload
   * @param {{ qos?: number, retain?: boolean }} [options]
   */
  async publish(topic, payload, { qos = 0, retain = false } = {}) {
    await this.#acknowledged(
      this.call('mqtt_session_publish', topic, payload, qos, Number(retain)),
    );
  }

  /**
   * Messages of zeroes on demo/burst, as fast as the connection takes them.
   * @param {number} messages
   * @param {number} size
   * @param {(left: number) => void} [progress]
   */
  async burst(messages, size, progress = () => {}) {
    if (this.#burst) throw new TowlineError('ENOBUFS', refusals.ENOBUFS);
    /** @type {Deferred<void>} */
    const done = new Deferred();
    this.#burst = { messages, progress, done };
    this.#check(this.call('mqtt_session_burst', messages, size));
    return done.promise;
  }

  /** DISCONNECT, and the end of the connection. */
  disconnect() {
    if (this.address !== 0) this.call('mqtt_session_disconnect');
    return this.#ended.promise;
  }

  /** @param {number} result */
  #check(result) {
    if (result >= 0) return;
    const name = this.mqtt.errorName(result);
    throw new TowlineError(name, refusals[name] ?? name);
  }

  /** @param {number} id */
  #acknowledged(id) {
    this.#check(id);
    if (id === 0) return 0;
    /** @type {Deferred<number>} */
    const deferred = new Deferred();
    this.#waiting.set(id, deferred);
    return deferred.promise;
  }

  /** @param {number} id @param {number} result */
  #answered(id, result) {
    const deferred = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (result < 0)
      deferred?.reject(new TowlineError('EACCES', 'the broker refused the subscription'));
    else deferred?.resolve(result);
  }

  /** @param {boolean} sessionPresent */
  connected(sessionPresent) {
    this.#opened.resolve(sessionPresent);
  }

  /** @param {number} id @param {number} granted */
  subscribed(id, granted) {
    this.#answered(id, granted);
  }

  /** @param {number} id */
  unsubscribed(id) {
    this.#answered(id, 0);
  }

  /** @param {number} id */
  published(id) {
    this.#answered(id, 0);
  }

  /** @param {number} left */
  burstGoesOn(left) {
    const burst = this.#burst;
    if (left === 0) this.#burst = null;
    burst?.progress(left);
    if (left === 0) burst?.done.resolve();
  }

  /** @param {string} topic @param {number} size @param {number} flags */
  message(topic, size, flags) {
    const payload = new Uint8Array(Math.min(size, this.events.keep ?? size));
    this.#message = {
      topic,
      size,
      qos: flags & 1,
      retain: (flags & 2) > 0,
      dup: (flags & 4) > 0,
      payload,
    };
    this.#kept = 0;
  }

  /** @param {Uint8Array} bytes */
  data(bytes) {
    const payload = /** @type {Message} */ (this.#message).payload;
    const part = bytes.subarray(0, payload.length - this.#kept);
    payload.set(part, this.#kept);
    this.#kept += part.length;
  }

  end() {
    this.events.onmessage?.(/** @type {Message} */ (this.#message));
  }

  /** @param {TowlineError | null} error */
  closed(error) {
    super.closed(error);
    const reason = error ?? new TowlineError('ECANCELED', 'the connection was closed first');
    this.#opened.reject(reason);
    for (const deferred of this.#waiting.values()) deferred.reject(reason);
    this.#burst?.done.reject(reason);
    this.#ended.resolve();
    this.events.onclosed?.(error);
  }
}

/** A check of mqtt_check.c. */
export class Check extends Session {
  /** @type {Deferred<CheckResult>} */
  done = new Deferred();

  /** @param {number} code @param {string} message @param {CheckResult} result */
  checked(code, message, result) {
    this.gone(null);
    if (code < 0) this.done.reject(new TowlineError(this.mqtt.errorName(code), message));
    else this.done.resolve(result);
  }
}
