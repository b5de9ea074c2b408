/** Datagrams and streams over WebRTC: `towline/webrtc`, in browsers and in Node (with the package node-datachannel). */
export { broadcastChannel } from './broadcast-channel.js';
export { webrtc } from './carrier.js';
export { invitation } from './invitation.js';
export { rendezvous } from './rendezvous-client.js';
export { signallingOver } from './signalling.js';
