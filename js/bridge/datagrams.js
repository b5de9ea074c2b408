import { WebSocketEndpoint } from './endpoint.js';
import { nameOf } from './reaching.js';
import { DATAGRAMS, FORBIDDEN, isForbidden, unopened } from './words.js';

/** @import { HostOptions, Request } from '../request.js' */

/**
 * An endpoint of datagrams at the other end of a bridge, which says 'open' when it has one.
 * @param {Request} request
 * @param {string} address of the target
 * @param {string} url
 * @param {HostOptions} options
 * @param {(options: HostOptions) => Promise<any>} find
 */
export async function openDatagrams(request, address, url, options, find) {
  const { instance } = request;
  if (!instance.exports.tow_host_datagram)
    return request.failed('ENOTSUP', 0, 'the module has no protocols of datagrams');
  let isOver = false;
  request.oncancel = () => {
    isOver = true;
  };
  const WebSocket = await find(options);
  if (isOver) return;

  const socket = new WebSocket(url, [DATAGRAMS]);
  request.oncancel = () => {
    socket.onmessage = socket.onclose = null;
    socket.close();
  };
  socket.binaryType = 'arraybuffer';
  socket.onerror = (/** @type {{message?: string}} */ { message }) =>
    isForbidden(message) && request.failed(...FORBIDDEN);
  socket.onclose = (/** @type {{code: number, reason: string}} */ ending) =>
    request.failed(...unopened(ending));
  socket.onmessage = (/** @type {{data: any}} */ { data }) => {
    if (data === 'open')
      request.opened(new WebSocketEndpoint(instance, socket, options, nameOf(address)));
  };
}
