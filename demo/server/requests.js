/** What the demo's server answers besides files: orders for the peers of streams, and what a page should know. */
import { headers, serveFile } from './files.js';
import { STREAM_PATH, wrongIn } from './peer.js';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { Peers } from './peer.js' */

const LONGEST = 4096;

/** @param {ServerResponse} response @param {number} status @param {unknown} body */
export function answer(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, { ...headers, 'Content-Type': 'application/json' }).end(`${text}\n`);
}

/** A request's body, which must be JSON and no longer than that. @param {IncomingMessage} request @param {number} longest */
export async function readJson(request, longest) {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new Error('the body must be application/json');
  /** @type {Buffer[]} */
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > longest) throw new Error(`the body is longer than ${longest} bytes`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new Error('the body is no JSON');
  }
}

/**
 * Whether a request may do something: it comes from a page of this very server, or from no browser. A name that was made
 * to lead here is none of the server's.
 * @param {IncomingMessage} request
 * @param {string[]} origins of this server; '*': its names are not known
 */
export function isOurs({ headers: { origin, host } }, origins) {
  const known = origins.includes('*') ? [`http://${host}`] : origins;
  return known.includes(`http://${host}`) && (origin === undefined || known.includes(origin));
}

/**
 * @param {object} server
 * @param {Peers} server.peers
 * @param {() => string[]} server.origins
 * @param {() => object} server.config what pages are told
 * @param {(request: IncomingMessage, response: ServerResponse) => Promise<void>} [server.compile]
 */
export function requests({ peers, origins, config, compile }) {
  /** @param {IncomingMessage} request @param {ServerResponse} response */
  return async (request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    const [, name] = STREAM_PATH.exec(path) ?? [];
    const isOrder = request.method === 'POST' && (name || (compile && path === '/compile'));
    if (isOrder && !isOurs(request, origins()))
      return answer(response, 403, { error: 'not from a page of this server' });
    try {
      if (path === '/demo/config.json' && request.method === 'GET')
        return answer(response, 200, config());
      if (isOrder && !name) return await compile?.(request, response);
      if (!name) return await serveFile(request, response);
      const peer = peers.get(name);
      if (!peer) return answer(response, 404, { error: 'there is no such stream' });
      if (isOrder) {
        const orders = await readJson(request, LONGEST);
        const wrong = wrongIn(orders);
        if (wrong) throw new Error(wrong);
        peer.obey(orders);
      }
      answer(response, 200, peer.status);
    } catch (error) {
      answer(response, 400, { error: /** @type {Error} */ (error).message });
    }
  };
}
