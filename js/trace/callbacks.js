/** The callbacks of protocols, as towline.h has them: how each is called, and what is to be told of a call. */

/**
 * Where a call's arguments have what is told of it; the first, 0, is the protocol.
 * @typedef {object} Callback
 * @property {string} name by CONTRACT.md
 * @property {number} arity
 * @property {number} [transport]
 * @property {number} [data] an address, and behind it a size
 * @property {number} [size]
 * @property {number} [hint]
 * @property {number} [fd]
 * @property {number} [error]
 * @property {number} [buffer] where it is answered
 */

/** @type {Callback[]} */
const BASE = [
  { name: 'CM', arity: 2, transport: 1 },
  { name: 'CL', arity: 2, error: 1 },
  { name: 'PW', arity: 1 },
  { name: 'RW', arity: 1 },
];
/** @type {Callback} */
const ER = { name: 'ER', arity: 1 };

/** By `tow_kind`, in the order of the tables. @type {Record<number, Callback[]>} */
export const CALLBACKS = {
  1: [...BASE, ER, { name: 'DR', arity: 3, data: 1 }],
  2: [...BASE, ER, { name: 'GB', arity: 3, hint: 1, buffer: 2 }, { name: 'BU', arity: 2, size: 1 }],
  3: [
    ...BASE,
    { name: 'DG', arity: 4, data: 1 },
    { name: 'EE', arity: 3, error: 1 },
    { name: 'PJ', arity: 2 },
  ],
  4: [
    ...BASE,
    { name: 'PD', arity: 4, fd: 1, data: 2 },
    { name: 'PL', arity: 3, fd: 1, error: 2 },
    { name: 'PX', arity: 1 },
  ],
};

/** What begins a table, before the callbacks: its size, its kind. */
export const TABLE_HEAD = 8;

/** Callbacks of protocols in JavaScript, by the same names. @type {Record<string, string>} */
export const METHODS = {
  connectionMade: 'CM',
  connectionLost: 'CL',
  pauseWriting: 'PW',
  resumeWriting: 'RW',
  eofReceived: 'ER',
  dataReceived: 'DR',
  getBuffer: 'GB',
  bufferUpdated: 'BU',
  datagramReceived: 'DG',
  errorReceived: 'EE',
  peerJoined: 'PJ',
  pipeDataReceived: 'PD',
  pipeConnectionLost: 'PL',
  processExited: 'PX',
};
