/** @typedef {import('./channel.js').ChannelConnection} ChannelConnection */

/** The ability of boundary.h. */
export const AGREED_FRAMING = 64;

/** @type {Map<Function, any>} */
const kinds = new Map();

/**
 * The same kind of connection, where both ends have agreed on Towline framing: the user is to know the transport above the one
 * whose facts are told. (The class to extend is given, so that a page loads it once, and this only for a module that has
 * framing.)
 * @template {new (...values: any[]) => ChannelConnection} K
 * @param {K} Kind is made of the instance, what carries its bytes, and the options
 * @returns {K}
 */
export function framed(Kind) {
  if (!kinds.has(Kind)) kinds.set(Kind, make(Kind));
  return kinds.get(Kind);
}

/** @param {new (...values: any[]) => ChannelConnection} Kind */
const make = (Kind) =>
  class extends Kind {
    /** @param {any[]} values */
    constructor(...values) {
      super(...values);
      this.abilities |= AGREED_FRAMING;
      this.keepalive = values[2].keepalive;
    }

    /** @param {number} transport @override */
    made(transport) {
      const isThere = super.made(transport);
      if (isThere && this.keepalive) this.ask('tow_framing_set_keepalive', this.keepalive);
      return isThere;
    }

    /** @override */
    get top() {
      return this.instance.call('tow_wasm_top', this.transport);
    }

    /** @param {number} code @param {string} reason @override */
    abort(code, reason) {
      if (this.live) this.ask('tow_framing_reset', code, this.instance.text(reason));
      super.abort(code, reason); // unless that has done it
    }

    /** @param {string} name @override */
    extraInfo(name) {
      return name === 'read_backpressure' ? 'credit' : super.extraInfo(name);
    }
  };
