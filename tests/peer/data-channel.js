/** The data channel of a peer in Node: that of the package node-datachannel, and nothing in between. */
import { PeerConnection } from 'node-datachannel';

/**
 * What one end says to the other before they are connected.
 * @typedef {{type: 'description', sdp: string} | {type: 'candidate', candidate: string, mid: string}} Word
 */

/**
 * What a channel tells.
 * @typedef {object} Listener
 * @property {(word: Word) => void} say to the other end
 * @property {() => void} onopen
 * @property {(bytes: Buffer) => void} onmessage
 * @property {(text: string) => void} ontext the same of a message that is one
 * @property {(end: 'eof' | 'reset') => void} onclose that the channel was closed, or lost with its connection
 */

/**
 * A data channel of a peer's, with a connection of its own. It cannot stop the other end: what comes is taken.
 * @typedef {object} Channel
 * @property {(word: Word) => void} hear
 * @property {(message: Buffer) => Promise<void>} send waits while there is much to send
 * @property {(text: string) => void} sendText
 * @property {() => void} close it alone
 * @property {() => void} end its connection
 */

/** @typedef {(options: {protocol: string, offers: boolean}, listener: Listener) => Channel} Open */

/** How much a peer lets wait to be sent. */
const WINDOW = 1_048_576;

/** What the package forgets when nobody else knows it. */
const alive = new Set();

/** A browser's names for its addresses, which nothing but a browser can look up. */
const HIDDEN = / [\w-]+\.local /;

/** @param {string} sdp */
const withoutHidden = (sdp) =>
  sdp
    .split('\r\n')
    .filter((line) => !HIDDEN.test(line) && line !== 'a=end-of-candidates')
    .join('\r\n');

/** @type {Open} */
export function openChannel({ protocol, offers }, listener) {
  const connection = new PeerConnection('peer', { iceServers: [], disableAutoNegotiation: true });
  const channel = connection.createDataChannel('peer', { negotiated: true, id: 0, protocol });
  const pair = { connection, channel };
  let wake = () => {};
  let isOpen = true;
  let isDescribed = false;
  /** @type {Word[]} */
  const early = [];
  alive.add(pair);
  connection.onLocalCandidate((candidate, mid) =>
    listener.say({ type: 'candidate', candidate, mid }),
  );
  connection.onStateChange((state) => {
    if (state === 'closed') alive.delete(pair);
  });
  channel.setBufferedAmountLowThreshold(WINDOW / 4);
  channel.onBufferedAmountLow(() => wake());
  channel.onOpen(() => listener.onopen());
  channel.onMessage((data) => {
    if (typeof data === 'string') listener.ontext(data);
    else listener.onmessage(/** @type {Buffer} */ (data));
  });
  channel.onClosed(() => {
    isOpen = false;
    wake();
    listener.onclose(connection.state() === 'connected' ? 'eof' : 'reset');
  });
  const describe = () => {
    connection.setLocalDescription();
    const { sdp } = /** @type {{sdp: string}} */ (connection.localDescription());
    listener.say({ type: 'description', sdp });
  };
  if (offers) describe();

  /** Candidates may come before there is something to find a way for. @param {Word} word */
  function hear(word) {
    if (word.type === 'description') {
      connection.setRemoteDescription(withoutHidden(word.sdp), offers ? 'answer' : 'offer');
      if (!offers) describe();
      isDescribed = true;
      early.splice(0).forEach(hear);
    } else if (!isDescribed) {
      early.push(word);
    } else if (!HIDDEN.test(word.candidate)) {
      try {
        connection.addRemoteCandidate(word.candidate, word.mid);
      } catch {
        // one of many: it may be connected, or closed, by another
      }
    }
  }

  return {
    hear,
    async send(message) {
      channel.sendMessageBinary(message);
      while (isOpen && channel.bufferedAmount() > WINDOW)
        await new Promise((resolve) => {
          wake = () => resolve(undefined);
        });
    },
    sendText(text) {
      try {
        channel.sendMessage(text);
      } catch {
        // the other end has just gone
      }
    },
    close: () => channel.close(),
    end: () => connection.close(),
  };
}
