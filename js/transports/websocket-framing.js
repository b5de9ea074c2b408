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

/** @param {string | string[]} given 'mqtt, v2.example' */
export const subprotocolsOf = (given) =>
  (typeof given === 'string' ? given.split(/[\s,]+/) : given).filter(Boolean);

/** What a client offers. @param {string | string[]} given the user's own @param {Framing} framing */
export function offer(given, framing) {
  const names = subprotocolsOf(given);
  if (framing === 'refused') return names;
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
 * What the name means that was picked: the user's subprotocol is '' for none.
 * @param {string} picked
 * @param {Framing} framing
 */
export function understand(picked, framing) {
  const framed = framing !== 'refused' && (picked === FRAMED || picked.startsWith(PREFIX));
  const size = framed ? PREFIX.length : picked === PLAIN ? PLAIN.length : 0;
  return { framed, subprotocol: picked.slice(size) };
}
