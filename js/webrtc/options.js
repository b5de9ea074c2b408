import { TowlineError } from '../errors.js';

/** @param {number} least @param {number} most */
const number = (least, most) => ({
  wanted: `a number from ${least} to ${most}`,
  is: (/** @type {any} */ value) => typeof value === 'number' && value >= least && value <= most,
});

/** @param {number} most */
const integer = (most) => ({
  wanted: `an integer from 0 to ${most}`,
  is: (/** @type {any} */ value) => Number.isInteger(value) && value >= 0 && value <= most,
});

/** What a timer can wait, and what a data channel can be told. */
const LONGEST = 0x7fffffff;
const CHANNEL = 65535;

const isServer = (/** @type {any} */ server) =>
  [server?.urls].flat().every((address) => /^(?:stun|turn)s?:./.test(address));

/** What each option may be, if it is given. @type {Record<string, {wanted: string, is: (value: any) => boolean}>} */
const rules = {
  signalling: { wanted: 'a function', is: (value) => typeof value === 'function' },
  iceServers: {
    wanted: 'an array of { urls } with addresses of stun:, stuns:, turn: or turns:',
    is: (value) => Array.isArray(value) && value.every(isServer),
  },
  ordered: { wanted: 'true or false', is: (value) => typeof value === 'boolean' },
  maxRetransmits: {
    wanted: `${integer(CHANNEL).wanted}, or Infinity`,
    is: (value) => value === Number.POSITIVE_INFINITY || integer(CHANNEL).is(value),
  },
  maxPacketLifeTime: integer(CHANNEL),
  maxPeers: number(1, Number.POSITIVE_INFINITY),
  opening: number(0, LONGEST),
  patience: number(0, LONGEST),
  RTCPeerConnection: { wanted: 'a class', is: (value) => typeof value === 'function' },
};

/** Throws what cannot be. @param {Record<string, any>} options */
export function check(options) {
  for (const [name, { wanted, is }] of Object.entries(rules))
    if (options[name] !== undefined && !is(options[name]))
      throw new TowlineError('EINVAL', `${name} is ${wanted}, not ${options[name]}`);
}
