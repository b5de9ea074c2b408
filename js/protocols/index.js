/** Protocols in JavaScript: what index.js and node.js have in common. */

/** @typedef {import('../loader.js').LoadOptions} LoadOptions */
/** @typedef {import('../loader.js').Source} Source */
/** @typedef {import('../memory.js').Memory} Memory */
/** @typedef {import('../own-request.js').Options} ModuleOptions */
/** @typedef {import('../request.js').Carrier} Carrier */
/** @typedef {import('../streams/stream-reader.js').ReadOptions} ReadOptions */
/** @typedef {import('../subprocess.js').SpawnOptions} SpawnOptions */
/** @typedef {import('../worker/carrier.js').WorkerOptions} WorkerOptions */
/** @typedef {import('./loop.js').ChildOptions} ChildOptions */
/** @typedef {import('./loop.js').Context} Context */
/** @typedef {import('./loop.js').DatagramOptions} DatagramOptions */
/** @typedef {import('./loop.js').LoopOptions} LoopOptions */
/** @typedef {import('./loop.js').Options} Options */
/** @typedef {import('./loop.js').StreamOptions} StreamOptions */
/** @typedef {import('./protocol.js').AnyProtocol} AnyProtocol */
/** @typedef {import('./protocol.js').AnyStreamProtocol} AnyStreamProtocol */
/** @typedef {import('./server.js').ProtocolServer} ProtocolServer */
/** @typedef {import('./transport.js').Bytes} Bytes */

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
