/** The short names of calls, as CONTRACT.md has them: what they mean, and which family they are of. */
import { make } from '../page/dom.js';

/** @type {Record<string, {family: string, callback: string, means: string}>} */
export const CALLS = {
  CM: { family: 'life', callback: 'connection_made', means: 'the connection is open' },
  CL: {
    family: 'life',
    callback: 'connection_lost',
    means: 'the end, with the error if there is one',
  },
  GB: { family: 'data', callback: 'get_buffer', means: 'where shall the next bytes go?' },
  BU: { family: 'data', callback: 'buffer_updated', means: 'so many bytes are there' },
  DR: { family: 'data', callback: 'data_received', means: 'bytes have come' },
  DG: { family: 'data', callback: 'datagram_received', means: 'a datagram has come' },
  PD: { family: 'data', callback: 'pipe_data_received', means: 'the child has written' },
  PW: {
    family: 'flow',
    callback: 'pause_writing',
    means: 'the write buffer went over its high mark',
  },
  RW: { family: 'flow', callback: 'resume_writing', means: 'it has drained to its low mark' },
  ER: { family: 'end', callback: 'eof_received', means: 'the peer will send no more' },
  EE: { family: 'end', callback: 'error_received', means: 'a datagram failed, or a peer is lost' },
  PJ: { family: 'life', callback: 'peer_joined', means: 'this one can be sent to now' },
  PL: { family: 'end', callback: 'pipe_connection_lost', means: 'a pipe of the child has ended' },
  PX: { family: 'end', callback: 'process_exited', means: 'the child has ended' },
};

/** What a page asks of a protocol is no call of the loop's. */
export const ASKED = 'asked';

/** @param {string} name */
export const familyOf = (name) => CALLS[name]?.family ?? ASKED;

/** The name of a call, in its family's colours. @param {string} name @param {boolean} [failed] */
export function badge(name, failed = false) {
  const { callback, means } = CALLS[name] ?? { callback: '', means: 'asked for by the page' };
  const title = callback ? `${callback}: ${means}` : means;
  const family = failed ? 'bad' : familyOf(name);
  return make('abbr', { class: 'call', 'data-call': name, 'data-family': family, title }, name);
}
