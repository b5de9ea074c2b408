/**
 * What differs between Node and browsers: index.js and node.js make one each.
 * @typedef {object} Platform
 * @property {(script?: string) => import('./pool.js').Thread} start
 * @property {(address: string) => string} resolve
 * @property {(address: string) => Promise<Response | ArrayBuffer | ArrayBufferView>} read
 * @property {() => Record<string, string>} environment
 * @property {(fd: number) => {write: (bytes: Uint8Array) => void, end: () => void}} printer
 */
export {};
