import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import net from 'node:net';

/** Whether this is the file of a socket that nobody listens on. @param {string} path */
async function isStale(path) {
  if (!(await lstat(path)).isSocket()) return false;
  const socket = net.connect({ path });
  const code = await once(socket, 'connect').then(
    () => '',
    (error) => error.code,
  );
  socket.destroy();
  return code === 'ECONNREFUSED'; // a server that is busy gives EAGAIN
}

/**
 * Removes the socket's file that a server left behind when it was killed. False: what is there stays.
 * @param {string} path
 */
export async function removeStale(path) {
  try {
    if (!(await isStale(path))) return false;
    await unlink(path);
    return true;
  } catch {
    return false;
  }
}
