import net from 'node:net';

/** How much a read has room for: what Node gives it, and up to so much while much comes. */
const LEAST = 1 << 16;
const MOST = 1 << 21;
/** It is given more only while what a read brings is dealt with in so many milliseconds: the loop has others to serve. */
const SOON = 0.5;

/**
 * Connects a socket for `ws` (its `createConnection`) that reads much at once while much comes. Node reads 64 KiB at most, into
 * memory of its own for each read: to get that costs more than to copy what comes, and `ws` copies a message that lies in
 * two reads once more. Here reads lie behind one another in one piece of memory; what they bring is pushed on as Node would.
 * @param {net.TcpNetConnectOpts} options
 */
export function connectForLargeReads(options) {
  let memory = Buffer.allocUnsafeSlow(LEAST);
  let used = 0;
  const takeNew = (/** @type {number} */ size) => {
    memory = Buffer.allocUnsafeSlow(size);
    used = 0;
  };
  /** @type {net.Socket} */
  const socket = net.connect({
    ...options,
    path: undefined, // it is the URL's; for a socket it would be a file's
    onread: {
      buffer: () => memory.subarray(used),
      callback(size, buffer) {
        const begun = performance.now();
        const goesOn = socket.push(buffer.subarray(0, size));
        const isSoon = performance.now() - begun < SOON;
        const { length } = memory;
        used += size;
        if (used === length && isSoon) takeNew(Math.min(2 * length, MOST));
        else if (size < length / 4 && length > LEAST) takeNew(length / 2);
        else if (used > (3 * length) / 4) takeNew(length);
        return goesOn;
      },
    },
  });
  return socket;
}
