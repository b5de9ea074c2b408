/** What a call has to say, in few words. */
import { bytes, number } from '../page/dom.js';
import { ASKED } from './calls.js';

/** @typedef {import('./recording.js').Entry} Entry */

/** @param {NonNullable<Entry['error']>} error */
export const errorText = ({ code, native, message }) =>
  `${code}${native ? ` ${native}` : ''}: ${message}`;

/** @param {Entry} entry */
export function describe({ name, size, hint, fd, peer, error, level, text }) {
  const waiting = level === undefined ? '' : ` at ${number(level)}`;
  switch (name) {
    case ASKED:
      return text ?? '';
    case 'CM':
      return 'connected';
    case 'GB':
      return `room for ${number(size ?? 0)}${hint !== undefined && hint >= 0 ? ` of ${number(hint)}` : ''}`;
    case 'PW':
      return `paused${waiting}`;
    case 'RW':
      return `goes on${waiting}`;
    case 'ER':
      return 'end of the stream';
    case 'PX':
      return 'the child has ended';
    case 'PJ':
      return peer ?? 'a peer';
    case 'CL':
      return error ? errorText(error) : 'closed, no error';
    default: {
      const where = fd === undefined ? '' : `fd ${fd}: `;
      if (error !== undefined) return `${where}${error ? errorText(error) : 'no error'}`;
      return `${where}${bytes(size ?? 0)}`;
    }
  }
}
