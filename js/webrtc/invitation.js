import { TowlineError } from '../errors.js';
import { Letter } from './letter.js';
import { isPeerName, randomLetters } from './room.js';

/** @typedef {import('./signalling.js').Signalling} Signalling */
/** @import { Message } from './letter.js' */

/**
 * @typedef {object} Invitation
 * @property {() => Promise<{text: string, accept: (answer: string) => Promise<void>}>} invite a text for one other; when
 *   its answer has come, `accept` it. As many as there are others to invite. Fails with ECLOSED when the one who waits for
 *   the connection gives up (its time-out: people are slow)
 * @property {(text: string) => Promise<string>} answer the answer to an invitation, for the one who invited; ends and fails
 *   as `invite`. EINVAL: it is an invitation to something else than what waits here
 *
 * What was pasted wrongly is EPROTO, in both.
 */

/** What fits it. @param {Message} hello */
const oppositeOf = ({ role }) =>
  role === 'server' ? 'client' : role === 'client' ? 'server' : role;

/** Whether there is framing is decided when there is only one end. @param {Message} hello */
const decided = (hello) => (hello.framing === 'refused' ? 'refused' : 'demanded');

/** Whether the one who is invited can do what was decided. @param {Message} mine @param {Message} theirs */
const fits = (mine, theirs) =>
  mine.kind === theirs.kind &&
  mine.role === oppositeOf(theirs) &&
  (mine.framing === 'offered' || decided(mine) === theirs.framing);

/** One connection to be: what is sent to the other is collected until it is all. */
class Collection {
  /** @type {Message[]} */
  #messages = [];
  /** @type {(messages: Message[]) => void} */
  #gathered = () => {};
  /** @type {(error: TowlineError) => void} */
  fail = () => {};
  /** @type {Promise<Message[]>} */
  complete = new Promise((resolve, reject) => {
    this.#gathered = resolve;
    this.fail = reject;
  });

  /** @param {Message} message */
  add(message) {
    if (message.type === 'description' || message.type === 'candidate')
      this.#messages.push(message);
    else if (message.type === 'gathered') this.#gathered(this.#messages);
    else if (message.type === 'bye') this.fail(givenUp());
  }
}

const givenUp = () => new TowlineError('ECLOSED', 'nobody waits for this connection any more');

/**
 * The participants of a room who are reached by copy and paste. Each message waits for what it is answered by, and a person
 * carries one text each way. So who invites is told of a guest before there is one: its hello is made up, and its name comes
 * before the own one, so that it is the one who invites who offers. To the guest, who invites has a name that comes after its
 * own, for the same reason.
 */
class Desk {
  /** Who is on this end, and its hello. @type {{name: string, hello: Message} | undefined} */
  #own;
  /** @type {Map<string, Collection>} */
  #collections = new Map();
  #others = 0;
  #isTaken = false;
  /** @type {(text: string) => void} */
  #take = () => {};
  /** @type {(error: TowlineError) => void} */
  #fail = () => {};
  /** Those who wait for the hello. @type {Set<() => void>} */
  #waiting = new Set();

  /** @returns {Signalling} */
  join() {
    if (this.#isTaken)
      throw new TowlineError('EINVAL', 'an invitation is for one connection or endpoint at a time');
    this.#isTaken = true;
    let isOver = false;
    return {
      isLetters: true,
      send: (text) => {
        if (!isOver) this.#send(JSON.parse(text));
      },
      receive: (take, fail = () => {}) => {
        this.#take = take;
        this.#fail = fail;
      },
      close: () => {
        if (!isOver) this.#leave();
        isOver = true;
      },
    };
  }

  #leave() {
    this.#isTaken = false;
    this.#own = undefined;
    this.#take = this.#fail = () => {};
    for (const collection of this.#collections.values()) collection.fail(givenUp());
    this.#collections.clear();
  }

  /** @param {Message} message */
  #send({ from, to, ...message }) {
    if (to !== undefined) {
      const other = String(to);
      const collection = this.#collections.get(other);
      const { session: _, peer: __, ...said } = message; // to one another they are made up
      collection?.add(said);
      if (message.type === 'bye') this.#collections.delete(other);
      if (message.type === 'hello' && !collection)
        queueMicrotask(() =>
          this.#fail(new TowlineError('EADDRESS', `who is invited has no name yet: ${other}`)),
        );
      return;
    }
    if (message.type !== 'hello') return;
    this.#own = { name: String(from), hello: message };
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  async #joined() {
    while (!this.#own) await new Promise((resolve) => this.#waiting.add(() => resolve(undefined)));
    return this.#own;
  }

  /** Hands messages to this end. @param {string} from @param {Message[]} messages */
  #deliver(from, messages) {
    for (const message of messages)
      this.#take(JSON.stringify({ ...message, from, to: this.#own?.name }));
  }

  /** Lets this end send to somebody. @param {string} other @param {Message[]} messages which it answers to */
  async #collect(other, messages) {
    const collection = new Collection();
    this.#collections.set(other, collection);
    this.#deliver(other, messages);
    return collection.complete;
  }

  /** @type {Invitation['invite']} */
  invite = async () => {
    const { name, hello } = await this.#joined();
    const guest = `0-guest-${++this.#others}`;
    if (name <= guest) throw new TowlineError('EINVAL', `no name to invite with: ${name}`);
    const id = randomLetters(16);
    const messages = await this.#collect(guest, [{ ...hello, role: oppositeOf(hello) }]);
    let isAccepted = false;
    const greeting = { ...hello, framing: decided(hello) };
    const text = await new Letter('invitation', id, name, [greeting, ...messages]).write();
    return {
      text,
      accept: async (text) => {
        const answer = await Letter.read(text, 'answer');
        if (answer.id !== id)
          throw new TowlineError('EPROTO', 'this is the answer to another invitation');
        if (isAccepted) throw new TowlineError('EINVAL', 'the answer was accepted already');
        if (!this.#collections.has(guest)) throw givenUp();
        isAccepted = true;
        this.#deliver(guest, answer.messages);
      },
    };
  };

  /** @type {Invitation['answer']} */
  answer = async (text) => {
    const { id, from, messages } = await Letter.read(text, 'invitation');
    const { name, hello } = await this.#joined();
    const [theirs] = messages;
    if (!fits(hello, theirs))
      throw new TowlineError(
        'EINVAL',
        `an invitation of a ${theirs.kind} ${theirs.role}, framing ${theirs.framing}`,
      );
    const isFree = from > name && isPeerName(from) && !this.#collections.has(from);
    const host = isFree ? from : `${name}-host-${++this.#others}`;
    if (!isPeerName(host)) throw new TowlineError('EINVAL', `too long a name: ${name}`);
    return new Letter('answer', id, name, await this.#collect(host, messages)).write();
  };
}

/**
 * Signalling by copy and paste: one text each way, and people carry them.
 *
 *     const copied = invitation();                                             // on both ends
 *     const connecting = module.connect('webrtc:game', { signalling: copied, timeout: 600000, opening: 600000 });
 *
 *     const { text, accept } = await copied.invite();                          // on the one
 *     await accept(prompt('Send this, and paste what comes back', text));
 *
 *     show(await copied.answer(prompt('Paste the invitation')));               // on the other
 *
 * To each end the other has a name that says what it is, where its own cannot be used; so the address is one without a peer.
 * With framing, unless who invites refused it. Where node-datachannel is what answers, it waits 30 seconds for the answer to be
 * accepted; browsers wait.
 * @returns {((room: string) => Signalling) & Invitation}
 */
export function invitation() {
  const desk = new Desk();
  return Object.assign(() => desk.join(), { invite: desk.invite, answer: desk.answer });
}
