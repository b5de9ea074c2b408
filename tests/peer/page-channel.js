/** The data channel of a peer that lives in a page: the page's own, and Node hears of it. */

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('./data-channel.js').Listener} Listener */
/** @typedef {import('./data-channel.js').Open} Open */
/** @typedef {{offers: boolean, protocol: string}} Options */

/** Makes channels in this page. @param {Page} page @returns {Promise<Open>} */
export async function channelsIn(page) {
  /** @type {Listener[]} */
  const listeners = [];
  await page.exposeFunction(
    'tell',
    (/** @type {number} */ id, /** @type {keyof Listener} */ what, /** @type {any} */ value) =>
      listeners[id][what](what === 'onmessage' ? Buffer.from(value, 'base64') : value),
  );
  await page.evaluate(prepare);
  return (options, listener) => {
    const id = listeners.push(listener) - 1;
    /** In order; a page that has been left answers nothing. @param {string} name @param {any} [value] */
    const ask = (name, value) => page.evaluate(play, { id, name, value }).catch(() => {});
    ask('open', options);
    return {
      hear: (word) => void ask('hear', word),
      send: (message) => ask('send', message.toString('base64')),
      sendText: (text) => void ask('sendText', text),
      close: () => void ask('close'),
      end: () => void ask('end'),
    };
  };
}

// ---- In the page ----

/** @param {{id: number, name: string, value: any}} asked */
const play = ({ id, name, value }) => /** @type {any} */ (globalThis).play(id, name, value);

function prepare() {
  const page = /** @type {any} */ (globalThis);
  const WINDOW = 1_048_576;

  const toBytes = (/** @type {string} */ text) =>
    Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  /** @param {ArrayBuffer} data */
  function toText(data) {
    const bytes = new Uint8Array(data);
    let text = '';
    for (let at = 0; at < bytes.length; at += 8192)
      text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(text);
  }

  class Channel {
    connection = new RTCPeerConnection();
    work = Promise.resolve();

    /** @param {(what: string, value?: any) => void} tell @param {Options} options */
    constructor(tell, { offers, protocol }) {
      const { connection } = this;
      this.tell = tell;
      this.offers = offers;
      this.channel = connection.createDataChannel('peer', { negotiated: true, id: 0, protocol });
      const { channel } = this;
      let end = 'eof';
      connection.onicecandidate = ({ candidate }) => {
        if (candidate?.candidate)
          tell('say', {
            type: 'candidate',
            candidate: candidate.candidate,
            mid: candidate.sdpMid,
          });
      };
      channel.binaryType = 'arraybuffer';
      channel.bufferedAmountLowThreshold = WINDOW / 4;
      channel.onopen = () => tell('onopen');
      channel.onmessage = ({ data }) => {
        if (typeof data === 'string') tell('ontext', data);
        else tell('onmessage', toText(data));
      };
      channel.onerror = () => {
        end = 'reset';
      };
      channel.onclose = () => tell('onclose', end);
      if (offers) this.work = this.describe();
    }

    async describe() {
      await this.connection.setLocalDescription();
      this.tell('say', { type: 'description', sdp: this.connection.localDescription?.sdp });
    }

    /** In its turn. @param {any} word */
    hear({ type, sdp, candidate, mid }) {
      this.work = this.work.then(async () => {
        const { connection, offers } = this;
        if (type === 'candidate') return connection.addIceCandidate({ candidate, sdpMid: mid });
        await connection.setRemoteDescription({ type: offers ? 'answer' : 'offer', sdp });
        if (!offers) await this.describe();
      });
      return this.work;
    }

    /** @param {string} text */
    async send(text) {
      const { channel } = this;
      channel.send(toBytes(text));
      while (channel.readyState === 'open' && channel.bufferedAmount > WINDOW)
        await new Promise((resolve) => {
          channel.onbufferedamountlow = resolve;
        });
    }

    /** @param {string} text */
    sendText(text) {
      if (this.channel.readyState === 'open') this.channel.send(text);
    }

    close() {
      this.channel.close();
    }

    end() {
      this.connection.close();
    }
  }

  /** @type {Map<number, any>} */
  const channels = new Map();
  page.play = (/** @type {number} */ id, /** @type {string} */ name, /** @type {any} */ value) => {
    const tell = (/** @type {string} */ what, /** @type {any} */ told) =>
      void page.tell(id, what, told);
    if (name === 'open') channels.set(id, new Channel(tell, value));
    else return channels.get(id)[name](value);
  };
}
