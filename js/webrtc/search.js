/** @typedef {import('./link.js').Link} Link */
/** @typedef {import('./room.js').Owner} Owner */
/** @typedef {import('../connection.js').Connection} Connection */
/** @typedef {import('../request.js').Request} Request */

/**
 * Looks for one participant to connect to: the one that is named, or the first that fits. One that turns out not to want it is
 * no reason to give up, unless it was named.
 * @implements {Owner}
 */
export class Search {
  /** @type {Link | undefined} */
  #found;

  /**
   * @param {Request} request
   * @param {string | undefined} peer
   * @param {(link: Link) => Connection} open
   */
  constructor(request, peer, open) {
    this.request = request;
    this.peer = peer;
    this.open = open;
  }

  /** @param {string} id */
  wants(id) {
    return !this.#found && (this.peer ?? id) === id;
  }

  /** @param {Link} link */
  linked(link) {
    this.#found = link;
    link.onopen = () => this.request.opened(this.open(link));
    link.onend = (error) => {
      this.#found = undefined;
      if (error && (this.peer !== undefined || error.code !== 'ECONNREFUSED'))
        this.#fail(link, error.code, error.message);
    };
  }

  /** @param {string} id */
  mismatched(id) {
    this.request.failed('EPROTO', 0, `${id}: the peer does not speak towline.1`);
    this.request.oncancel();
  }

  /** @param {import('../errors.js').TowlineError} error */
  signallingFailed({ code, native, message }) {
    if (this.#found?.isOpen) return;
    this.request.failed(code, native, message);
    this.request.oncancel();
  }

  /** @param {Link} link @param {string} code @param {string} message */
  #fail(link, code, message) {
    this.request.failed(code === 'ECONNRESET' ? 'EHOSTUNREACH' : code, 0, message);
    link.room.leave();
  }
}
