/** Datagrams and streams over WebRTC: `towline/webrtc`, in browsers and in Node (with the package node-datachannel). */

/** @typedef {import('./carrier.js').IceServer} IceServer */
/** @typedef {import('./carrier.js').WebRTCOptions} WebRTCOptions */
/** @typedef {import('./invitation.js').Invitation} Invitation */
/** @typedef {import('./rendezvous-client.js').RendezvousOptions} RendezvousOptions */
/** @typedef {import('./signalling.js').Signalling} Signalling */

export { broadcastChannel } from './broadcast-channel.js';
export { webrtc } from './carrier.js';
export { invitation } from './invitation.js';
export { rendezvous } from './rendezvous-client.js';
export { signallingOver } from './signalling.js';
