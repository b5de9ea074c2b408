/** What a bridge may connect to: only what was named. */
import { TowlineError } from '../errors.js';
import { hostPort, parseHostPort } from '../transports/node-address.js';
import { isName } from '../webrtc/signalling.js';

/** @typedef {{scheme: string, address: string}} Target its address is as it was allowed, never as it was asked for */

/** @param {string} text */
const notATarget = (text) => new TowlineError('EADDRESS', `not a target: ${text}`);

/**
 * An address written the one way that it is compared in. What is a name is not looked up here: it is the name that is
 * allowed, and the same name that is connected to, whatever it stands for by then.
 * @param {string} address
 * @returns {Target & {host?: string}}
 */
function normalise(address) {
  if (/^unix:\/[^\0]+$/.test(address)) return { scheme: 'unix', address };
  const [scheme] = address.split(':', 1);
  if (scheme !== 'tcp' && scheme !== 'udp') throw notATarget(address);
  try {
    const { host, port } = parseHostPort(address);
    const same = host.includes(':')
      ? new URL(`http://[${host}]`).hostname.slice(1, -1)
      : host.toLowerCase();
    if (port > 0)
      return {
        scheme,
        address: `${scheme}://${hostPort(same, port)}`,
        host: `${scheme}://${same}`,
      };
  } catch {}
  throw notATarget(address);
}

/** The list of what is allowed. */
export class Targets {
  /** By name. @type {Map<string, Target>} */
  #named = new Map();
  /** By address. @type {Map<string, Target>} */
  #exact = new Map();
  /** Hosts of which any port may be connected to. @type {Set<string | undefined>} */
  #hosts = new Set();

  /**
   * @param {string[]} allowed 'tcp://host:port', 'tcp://host:*', 'udp://host:port', 'unix:/path'; with 'NAME=' before it, it
   *   is asked for by this name, and by nothing else
   */
  constructor(allowed) {
    for (const text of allowed) this.#allow(text);
  }

  /** @param {string} text */
  #allow(text) {
    const [, name, address] = /** @type {RegExpExecArray} */ (/^(?:([^=:/]*)=)?(.*)$/s.exec(text));
    const hasAnyPort = /^(tcp|udp):\/\/.+:\*$/.test(address);
    const { host, ...target } = normalise(hasAnyPort ? `${address.slice(0, -1)}1` : address);
    if (name !== undefined && (!isName(name) || hasAnyPort || this.#named.has(name)))
      throw notATarget(text);
    if (name !== undefined) this.#named.set(name, target);
    else if (hasAnyPort) this.#hosts.add(host);
    else this.#exact.set(target.address, target);
  }

  /** Undefined: there is none. @param {string} name */
  named(name) {
    return this.#named.get(name);
  }

  /** Undefined: not allowed, or no address. @param {string} text @returns {Target | undefined} */
  at(text) {
    try {
      const { host, ...target } = normalise(text);
      return this.#hosts.has(host) ? target : this.#exact.get(target.address);
    } catch {
      return undefined;
    }
  }
}
