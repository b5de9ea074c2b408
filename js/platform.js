/**
 * What differs between Node and browsers: index.js and node.js make one each.
 * @template M
 * @typedef {object} Platform
 * @property {new (instance: import('./instance.js').Instance) => M} Module
 * @property {Record<string, import('./request.js').Carrier>} transports
 * @property {(source: string | URL) => Promise<Response | ArrayBuffer | ArrayBufferView>} read
 * @property {(run: () => void) => () => void} macrotask answers a function that has `run` called soon, after what else waits:
 *   I/O gets its turn (rule T1)
 * @property {(code: BufferSource) => boolean} [growsInPlace] whether a valid module's memory never moves (of one that is
 *   compiled nobody can tell: false); asked where the system can be given such memory to read into
 * @property {() => Promise<unknown>} [framing] loads what agrees on framing, for a module that has it: while the network is
 *   there, for a browser that could not load a file once never tries again
 */
export {};
