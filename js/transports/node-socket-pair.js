import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Two connected Unix sockets, which Node has no call for: one connects to the other's server, in a folder that nobody
 * else may enter. Both are paused.
 * @param {Partial<net.IpcSocketConnectOpts>} [options] of the first
 */
export async function socketPair(options) {
  const folder = await mkdtemp(join(tmpdir(), 'towline-'));
  const server = net.createServer({ pauseOnConnect: true });
  /** @type {net.Socket | undefined} */
  let ours;
  try {
    const path = join(folder, 's');
    server.listen(path);
    await once(server, 'listening');
    ours = net.connect({ allowHalfOpen: true, ...options, path });
    ours.pause();
    /** @type {[net.Socket][]} */
    const [[theirs]] = /** @type {any} */ (
      await Promise.all([once(server, 'connection'), once(ours, 'connect')])
    );
    return { ours, theirs };
  } catch (error) {
    ours?.destroy();
    throw error;
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
