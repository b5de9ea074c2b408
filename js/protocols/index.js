/** Protocols in JavaScript: what index.js and node.js have in common. */
export { IncompleteReadError, LimitOverrunError } from '../streams/errors.js';
export { StreamConnection, StreamProtocol } from '../streams/stream-protocol.js';
export { StreamReader } from '../streams/stream-reader.js';
export { StreamWriter } from '../streams/stream-writer.js';
export {
  BufferedProtocol,
  DatagramProtocol,
  Protocol,
  SubprocessProtocol,
} from './protocol.js';
export { DatagramTransport, StreamTransport, SubprocessTransport } from './transport.js';
