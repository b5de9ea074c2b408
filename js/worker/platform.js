/**
 * What differs between Node and browsers: index.js and node.js make one each.
 * @typedef {object} Platform
 * @property {(script: string) => import('./pool.js').Thread} start
 * @property {() => import('./pool.js').Thread} startCommand the Worker for WASI commands
 * @property {() => import('./pool.js').Thread} startUnbundled the same, of unbundled-worker.js
 * @property {(address: string) => string} resolve
 * @property {(address: string) => Promise<Response | ArrayBuffer | ArrayBufferView>} read
 * @property {() => Record<string, string>} environment
 * @property {(fd: number) => {write: (bytes: Uint8Array) => void, end: () => void}} printer
 */
export {};
