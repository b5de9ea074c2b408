/** The peer of a pipe on a descriptor. */
import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { socketWire } from './wires.js';

/** @typedef {import('./doors.js').Door} Door */

/** Both ends of a pipe, which Node itself has no call for (its own "pipes" are sockets). */
function openPipe() {
  const folder = mkdtempSync(join(tmpdir(), 'towline-'));
  try {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { reader, writer: openSync(path, constants.O_WRONLY) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The system under test gets the end that the peer does not have, and closes it.
 * @param {'pipe_r' | 'pipe_w'} transport what the system under test does with it
 * @returns {Promise<Door>}
 */
export async function pipeDoor(transport) {
  const { reader, writer } = openPipe();
  const isRead = transport === 'pipe_r';
  const socket = new net.Socket({
    fd: isRead ? writer : reader,
    readable: !isRead,
    writable: isRead,
  });
  const wire = socketWire(socket);
  const close = () => void socket.destroy();
  return {
    spec: `fd:${isRead ? reader : writer}`,
    wire: async () => Object.assign(wire, { shutdown: async () => close() }),
    close: async () => close(),
  };
}

/** @param {string} spec fd:N */
export const descriptorOf = (spec) => Number(spec.slice(3));
