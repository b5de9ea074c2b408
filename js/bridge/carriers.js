import { TowlineError } from '../errors.js';
import { openDatagrams } from './datagrams.js';
import { Reaching } from './reaching.js';

/** @import { Carrier, HostOptions, Open, Request } from '../request.js' */

/**
 * @typedef {object} Gateway
 * @property {Record<string, string>} [names] for targets that the bridge allows by name: of each address that the protocol
 *   says, 'tcp://redis:6379', the name, 'redis'
 * @typedef {Gateway & Partial<HostOptions>} BridgedOptions what is said of a WebSocket, for all that are opened
 *
 * How WebSockets are opened here.
 * @typedef {object} Opening
 * @property {Open} connect as a stream
 * @property {(options: HostOptions) => Promise<any>} find the constructor
 */

/** @param {string} gateway */
function check(gateway) {
  if (URL.canParse(gateway) && /^wss?:$/.test(new URL(gateway).protocol)) return;
  throw new TowlineError('EADDRESS', `not where a bridge can be: ${gateway}`);
}

/**
 * Carriers that reach their targets through a bridge.
 * @internal
 * @param {Opening} opening
 * @param {string} gateway
 * @param {BridgedOptions} options
 * @returns {{tcp: Carrier, unix: Carrier, udp: Carrier}}
 */
export function carriers({ connect, find }, gateway, { names = {}, ...mine }) {
  check(gateway);

  /** Where the bridge is asked for it. @param {string} address */
  function urlOf(address) {
    const url = new URL(gateway);
    if (!Object.hasOwn(names, address)) url.searchParams.set('to', address);
    else url.pathname += `${url.pathname.endsWith('/') ? '' : '/'}${names[address]}`;
    return url.href;
  }

  /** @type {Carrier} */
  const stream = {
    negotiates: true,
    connect(request, address, options) {
      const framing = options.framing === 'refused' ? 'refused' : (mine.framing ?? 'demanded');
      const reaching = /** @type {Request} */ (
        /** @type {unknown} */ (new Reaching(request, address))
      );
      return connect(reaching, urlOf(address), { ...options, ...mine, framing });
    },
  };
  /** @type {Carrier} */
  const datagrams = {
    connect: async (request, address, options) =>
      openDatagrams(request, address, urlOf(address), { ...options, ...mine }, find),
  };
  return { tcp: stream, unix: stream, udp: datagrams };
}
