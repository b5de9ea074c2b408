/** Debian's redis-server, for the length of a test; one that is installed as a service is left alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../mqtt/mosquitto.js';

const ATTEMPTS = 5;

/** Null: somebody else has taken the port. @param {string} folder */
async function attempt(folder) {
  const port = await freePort();
  const socket = join(folder, 'socket');
  const settings = {
    port,
    bind: '127.0.0.1',
    unixsocket: socket,
    dir: folder,
    save: '',
    appendonly: 'no',
    daemonize: 'no',
  };
  const list = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('/usr/bin/redis-server', list, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('Ready to accept connections')) continue;
    child.stdout.resume();
    return { child, ended, tcp: `tcp://127.0.0.1:${port}`, unix: `unix:${socket}` };
  }
  await ended;
  return null;
}

export async function startRedis() {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  for (let i = 0; i < ATTEMPTS; i++) {
    const running = await attempt(folder);
    if (!running) continue;
    const { child, ended, tcp, unix } = running;
    return {
      tcp,
      unix,
      /** @param {'SIGSTOP' | 'SIGCONT'} name */
      signal: (name) => child.kill(name),
      async stop() {
        child.kill('SIGKILL');
        await ended;
        await rm(folder, { recursive: true });
      },
    };
  }
  await rm(folder, { recursive: true });
  throw new Error('redis-server does not start');
}
