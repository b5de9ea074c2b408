import { TowlineError } from '../errors.js';
import { AGREED_FRAMING } from '../framing.js';
import { FORBIDDEN, isForbidden, readReset, unopened } from './words.js';

/** @import { Request } from '../request.js' */
/** @import { Ending } from './words.js' */

/** 'tcp://host:port' and 'unix:/path' without what comes before. @param {string} address */
export const nameOf = (address) => address.replace(/^\w+:(\/\/)?/, '');

/**
 * A request whose WebSocket ends at a bridge: it is opened when the bridge has reached the target. With framing its first
 * frame tells; a bridge that has not reached it says RESET. Without, the WebSocket's end will tell.
 */
export class Reaching {
  /** @param {Request} request @param {string} address of the target */
  constructor(request, address) {
    this.request = request;
    this.peername = nameOf(address);
  }

  get instance() {
    return this.request.instance;
  }

  get oncancel() {
    return this.request.oncancel;
  }

  set oncancel(stop) {
    this.request.oncancel = stop;
  }

  /** @param {string} code @param {number} native @param {string} message */
  failed(code, native, message) {
    if (isForbidden(message)) this.request.failed(...FORBIDDEN);
    else this.request.failed(code, native, message);
  }

  /** The WebSocket is open. @param {any} connection */
  opened(connection) {
    const { request, peername } = this;
    const { socket } = connection;
    const { onclose } = socket;
    const extraInfo = connection.extraInfo.bind(connection);
    connection.extraInfo = (/** @type {string} */ name) =>
      name === 'peername' ? peername : extraInfo(name);
    if (!(connection.abilities & AGREED_FRAMING)) return request.opened(connection);

    const letGo = () => connection.abandon(new TowlineError('ECANCELED', 'not wanted any more'));
    const giveUp = (/** @type {Ending} */ ending) => {
      letGo();
      request.failed(...unopened(ending));
    };
    request.oncancel = letGo;
    socket.onclose = giveUp;
    connection.message = (/** @type {any} */ data) => {
      const ending = typeof data === 'string' ? undefined : readReset(new Uint8Array(data));
      if (ending) return giveUp(ending);
      delete connection.message;
      socket.onclose = onclose;
      request.opened(connection);
      connection.message(data); // held until it is
    };
    socket.resume?.();
  }
}
