import { TowlineError } from '../errors.js';
import { Link } from './link.js';
import { isName, TEXT_LIMIT } from './signalling.js';

/** @typedef {import('./signalling.js').Signalling} Signalling */
/** @typedef {'offered' | 'demanded' | 'refused'} Framing */
/**
 * What is wanted in a room: with whom, by whom it is found, and what is done with a link that is being made.
 * @typedef {object} Owner
 * @property {(id: string) => boolean} wants
 * @property {(link: Link) => void} linked
 * @property {(id: string) => void} mismatched one wants framing, the other does not
 * @property {(error: TowlineError) => void} signallingFailed nobody will be found any more
 *
 * @typedef {'peer' | 'server' | 'client'} Role
 */

/** What it takes to fit. @type {Record<Role, Role>} */
const opposites = { peer: 'peer', server: 'client', client: 'server' };

/** The longest name: what a `tow_peer` holds. */
export const NAME_SIZE = 31;

/** Whether this can name a participant here. @param {unknown} text @returns {text is string} */
export const isPeerName = (text) => isName(text) && text.length <= NAME_SIZE;

/** So many random letters. @param {number} count */
export const randomLetters = (count) =>
  Array.from(crypto.getRandomValues(new Uint8Array(count)), (byte) =>
    String.fromCharCode(97 + (byte % 26)),
  ).join('');

/** Whether to use framing; undefined: they cannot agree. @param {Framing} mine @param {unknown} theirs */
function agree(mine, theirs) {
  if (mine !== 'refused' && (theirs === 'offered' || theirs === 'demanded')) return true;
  return mine === 'demanded' || theirs === 'demanded' ? undefined : false;
}

/** @param {string} text @returns {Record<string, unknown> | undefined} */
function parse(text) {
  try {
    return text.length <= TEXT_LIMIT ? Object(JSON.parse(text)) : undefined;
  } catch {
    return undefined;
  }
}

const isText = (/** @type {unknown} */ value) => typeof value === 'string';

/**
 * One participant's place in a room: it says who it is, hears who else is there, and makes a link to everyone that its owner
 * wants. All that comes is hostile until it is checked.
 *
 * `hello` says what somebody is, to all; who hears it for the first time, and fits, says `hello` back. Then the one with the
 * greater name sends the `description` that begins a connection. A `hello` with another session is of one who has come anew;
 * all else says which two sessions it is between, so that what is late harms nobody.
 */
export class Room {
  /** By the peer's name. @type {Map<string, Link>} */
  #links = new Map();
  #signalling;
  #session = randomLetters(16);
  #hasLeft = false;

  /**
   * @param {Signalling} signalling
   * @param {{name: string, kind: 'datagram' | 'stream', role: Role, framing: Framing, maxPeers: number}} self
   * @param {(framed: boolean) => import('./link.js').Making} making
   * @param {Owner} owner
   */
  constructor(signalling, self, making, owner) {
    this.#signalling = signalling;
    this.self = self;
    this.making = making;
    this.owner = owner;
  }

  /** Looks for this one, or for all. @param {string} [peer] */
  join(peer) {
    this.#signalling.receive(
      (text) => this.#take(text),
      (error) => this.owner.signallingFailed(error),
    );
    this.#hello(peer);
  }

  /** Makes no more links; those that are open live on, and the room with them. */
  leave() {
    this.#hasLeft = true;
    for (const link of [...this.#links.values()]) if (!link.isOpen) link.close();
    this.#closeIfEmpty();
  }

  /** A link is no more. @param {Link} link */
  ended(link) {
    if (this.#links.get(link.id) === link) this.#links.delete(link.id);
    this.#closeIfEmpty();
  }

  #closeIfEmpty() {
    if (this.#hasLeft && this.#links.size === 0) this.#signalling.close?.();
  }

  // ---- What is said ----

  /** @param {string | undefined} to undefined: all @param {string} type @param {object} [more] */
  say(to, type, more) {
    const session = this.#session;
    this.#signalling.send(JSON.stringify({ from: this.self.name, to, type, session, ...more }));
  }

  /** @param {string} [to] */
  #hello(to) {
    const { kind, role, framing } = this.self;
    this.say(to, 'hello', { kind, role, framing });
  }

  // ---- What is heard ----

  /** @param {string} text */
  #take(text) {
    const message = parse(text);
    const { name } = this.self;
    const { from, to, type } = message ?? {};
    if (!message || !isPeerName(from) || from === name || (to ?? name) !== name) return;
    if (type === 'hello') return this.#greeted(from, message);
    const link = this.#links.get(from);
    const { sdp, candidate, mid, session = link?.session, peer = this.#session } = message;
    if (session !== link?.session || peer !== this.#session) return; // of another time
    if (type === 'bye') link?.bye();
    else if (type === 'description' && isText(sdp)) link?.described(sdp);
    else if (type === 'candidate' && isText(candidate) && isText(mid))
      link?.candidate({ candidate, sdpMid: mid });
  }

  /** @param {string} id @param {Record<string, unknown>} hello */
  #greeted(id, { to, kind, role, framing, session }) {
    const { self, owner } = this;
    const known = this.#links.get(id);
    const fits = kind === self.kind && role === opposites[self.role] && isText(session);
    if (this.#hasLeft || !fits || known?.session === session) return;
    known?.replaced();
    if (this.#links.size >= self.maxPeers || !owner.wants(id)) {
      if (to !== undefined) this.say(id, 'bye', { peer: session });
      return;
    }
    this.#hello(id);
    const framed = agree(self.framing, framing);
    if (framed === undefined) return owner.mismatched(id);
    const offers = self.name > id;
    try {
      const link = new Link(this, { id, session, framed, offers }, this.making(framed));
      this.#links.set(id, link);
      owner.linked(link);
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause);
      owner.signallingFailed(new TowlineError('EINVAL', text, { cause })); // an option of the user's
    }
  }
}
