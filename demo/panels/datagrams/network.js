/**
 * A worse network than there is, simulated on this page: between the data channels and the C. What is sent and what comes
 * may be lost, or late; C sees no difference.
 */

/** @typedef {import('../../../js/request.js').Carrier} Carrier */
/** @typedef {import('../../../js/webrtc/endpoint.js').PeersEndpoint} PeersEndpoint */
/** @typedef {Parameters<PeersEndpoint['joined']>[0]} Link */

export class Network {
  /** The share of datagrams that is lost, each way: 0 to 1. */
  loss = 0;
  /** Milliseconds, each way. */
  delay = 0;
  /** Up to so many more, by chance: so some overtake others. */
  jitter = 0;
  /** What came by here, and how many of those got lost. */
  passed = 0;
  lost = 0;

  /** The same carrier, through this network. @param {Carrier} carrier @returns {Carrier} */
  over(carrier) {
    return {
      ...carrier,
      bind: (request, address, options) => {
        const { opened } = request;
        request.opened = (endpoint) => {
          this.#under(/** @type {PeersEndpoint} */ (endpoint));
          return opened.call(request, endpoint);
        };
        return carrier.bind?.(request, address, options);
      },
    };
  }

  /** @param {PeersEndpoint} endpoint */
  #under(endpoint) {
    const { joined } = endpoint;
    endpoint.joined = (link) => {
      joined.call(endpoint, link);
      this.#between(link);
    };
  }

  /**
   * What is late for a link that has ended is lost: nothing comes from a peer after it was told that it has left [D7].
   * @param {Link} link
   */
  #between(link) {
    const { send, onmessage } = link;
    link.onmessage = (bytes) => this.#pass(() => link.isOpen && onmessage(bytes));
    link.send = (message) => {
      const copy = message.slice(); // it is lent
      this.#pass(() => link.isOpen && send.call(link, copy));
    };
  }

  /** @param {() => void} deliver */
  #pass(deliver) {
    this.passed++;
    if (Math.random() < this.loss) this.lost++;
    else if (this.delay + this.jitter === 0) deliver();
    else setTimeout(deliver, this.delay + this.jitter * Math.random());
  }
}
