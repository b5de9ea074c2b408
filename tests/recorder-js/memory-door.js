/** A peer at the other end of a pair joined in memory. */
import { MemoryNetwork } from '../../js/transports/memory.js';
import { Inbox } from '../peer/wires.js';

/** @typedef {import('../../js/transports/memory.js').MemoryEnd} MemoryEnd */
/** @typedef {import('../peer/wires.js').Wire} Wire */

/** @param {MemoryEnd} end @returns {Wire} */
function memoryWire(end) {
  const inbox = new Inbox();
  let isWanted = false;
  /** What waits for room. @type {(() => boolean)[]} */
  const sending = [];
  const go = () => {
    while (sending[0]?.()) sending.shift();
    const bytes = isWanted ? end.read() : null;
    if (bytes) isWanted = false;
    if (bytes) inbox.push(Buffer.from(bytes));
    else if (end.ended && end.isEmpty) inbox.finish('eof');
  };
  end.onchange = go;
  return {
    read: () =>
      inbox.read(() => {
        isWanted = true;
        go();
      }),
    send: (bytes) =>
      new Promise((resolve, reject) => {
        let rest = bytes;
        sending.push(() => {
          if (end.closed) reject(new Error('the other end is closed'));
          else rest = rest.subarray(end.write(rest));
          if (rest.length === 0) resolve();
          return end.closed || rest.length === 0;
        });
        go();
      }),
    shutdown: async () => end.end(),
    close: () => end.close(),
    reset: () => {
      throw new Error('memory knows no reset');
    },
    get end() {
      return inbox.end;
    },
  };
}

/** A network with one name, 'mem:peer', and who serves it. */
export function memoryDoor() {
  const network = new MemoryNetwork();
  let spec = 'mem:peer';
  /** @type {Promise<MemoryEnd>} */
  const connection = new Promise((resolve) => network.serve('peer', resolve));
  return {
    network,
    get spec() {
      return spec;
    },
    wire: async () => memoryWire(await connection),
    close: async () => {},
    refuse: async () => network.forget('peer'),
    ignore: () => {
      spec = 'mem:peer?never';
    },
  };
}
