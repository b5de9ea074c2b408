import { framed } from '../framing.js';

/**
 * How two ends of a WebSocket agree on Towline framing: by its subprotocol (FRAMING.md).
 *
 * Some servers answer the first name offered, whatever it is. So framing never comes first: before it come the user's own
 * names, or one that stands for none.
 * @typedef {'offered' | 'demanded' | 'refused'} Framing
 */

const FRAMED = 'towline.1';
const PLAIN = 'towline.0';
/** Framing, with the user's subprotocol in it. */
const PREFIX = `${FRAMED}+`;

/** A failure. @type {[code: string, native: number, message: string]} */
export const NOT_SPOKEN = ['EPROTO', 0, `the peer does not speak ${FRAMED}`];

/** What a client offers. @param {string[]} names the user's own @param {Framing} framing */
function offer(names, framing) {
  const framed = [...names.map((name) => PREFIX + name), FRAMED];
  return names.length > 0 && framing === 'offered' ? [...names, ...framed] : [PLAIN, ...framed];
}

/**
 * What a server picks; undefined: none.
 * @param {Set<string>} offered
 * @param {string[]} names what its user wants, the best first
 * @param {Framing} framing
 */
export function pick(offered, names, framing) {
  const framed = framing === 'refused' ? [] : [FRAMED];
  const plain = framing === 'demanded' ? [] : [PLAIN];
  const forms = (/** @type {string} */ name) => [
    ...framed.map(() => PREFIX + name),
    ...plain.map(() => name),
  ];
  return [...names.flatMap(forms), ...framed, ...plain].find((name) => offered.has(name));
}

/**
 * What the name means that was picked.
 * @param {string} picked
 * @param {Framing} framing
 */
export function understand(picked, framing) {
  const isFramed = framing !== 'refused' && (picked === FRAMED || picked.startsWith(PREFIX));
  const size = isFramed ? PREFIX.length : picked === PLAIN ? PLAIN.length : 0;
  return { isFramed, subprotocol: picked.slice(size) };
}

/** Addresses whose peers turned out to have no framing. @type {WeakMap<import('../instance.js').Instance, Set<string>>} */
const plainPeers = new WeakMap();

/**
 * How a client connects: with framing, and if that was only offered and may be why it failed, without.
 * @param {import('../request.js').Request} request
 * @param {string} address
 * @param {Framing} framing
 * @param {string[]} names the user's own
 * @param {import('./websocket.js').Attempt} attempt
 */
export function negotiate(request, address, framing, names, attempt) {
  const peers = plainPeers.get(request.instance) ?? new Set();
  plainPeers.set(request.instance, peers);
  const [peer] = address.split('?');
  const plain = () =>
    attempt(names, (picked, opened) => {
      peers.add(peer);
      opened(understand(picked, 'refused').subprotocol);
    });
  if (framing === 'offered' && peers.has(peer)) return plain();
  /** @type {Parameters<typeof attempt>[1]} */
  const agree = (picked, opened) => {
    const { isFramed, subprotocol } = understand(picked, framing);
    if (isFramed) return opened(subprotocol, framed);
    if (framing === 'offered') return opened(subprotocol);
    request.oncancel();
    request.failed(...NOT_SPOKEN);
  };
  attempt(offer(names, framing), agree, framing === 'offered' ? plain : undefined);
}
