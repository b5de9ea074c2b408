/** Debian's mosquitto, for the length of a test: MQTT over TCP and over WebSockets, on ports that were free. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where Debian puts it, which is not on everyone's PATH. */
const PROGRAM = '/usr/sbin/mosquitto';
const ATTEMPTS = 5;

/** For what cannot let the system choose, and so asks it before. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {number} port */
function answers(port) {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
  }).finally(() => socket.destroy());
}

/**
 * @param {string} folder
 * @param {{ user: string, password: string } | undefined} account
 */
async function attempt(folder, account) {
  const [tcp, ws] = [await freePort(), await freePort()];
  const access = account
    ? ['allow_anonymous false', `password_file ${folder}/passwords`]
    : ['allow_anonymous true'];
  const lines = [
    `listener ${tcp} 127.0.0.1`,
    `listener ${ws} 127.0.0.1`,
    'protocol websockets',
    ...access,
    'persistence false',
  ];
  await writeFile(join(folder, 'conf'), `${lines.join('\n')}\n`);
  const child = spawn(PROGRAM, ['-c', join(folder, 'conf')], { stdio: 'ignore' });
  const ended = once(child, 'exit').catch(() => {});
  let over = false;
  ended.then(() => {
    over = true;
  });
  while (!over) {
    if ((await answers(tcp)) && (await answers(ws))) return { child, ended, tcp, ws };
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return null;
}

/**
 * mosquitto 2.0 serves its WebSockets once per turn of its main loop, 4 KiB at a time, and without other work a turn
 * takes 100 ms. A client that pings without pause keeps it turning.
 * @param {number} port
 */
function keepTurning(port) {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay();
  socket.write('\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00', 'latin1');
  socket.on('data', () => socket.write('\xc0\x00', 'latin1'));
  socket.on('error', () => {});
  return () => socket.destroy();
}

/** @param {{ user: string, password: string }} [account] without it nobody needs a name */
export async function startMosquitto(account) {
  const folder = await mkdtemp(join(tmpdir(), 'mosquitto-'));
  // Started as root it becomes "mosquitto", who must read this.
  const passwords = join(folder, 'passwords');
  await promisify(execFile)('chmod', ['755', folder]);
  if (account) {
    await promisify(execFile)('mosquitto_passwd', [
      '-b',
      '-c',
      passwords,
      account.user,
      account.password,
    ]);
    await promisify(execFile)('chmod', ['644', passwords]);
  }
  for (let i = 0; i < ATTEMPTS; i++) {
    const running = await attempt(folder, account);
    if (!running) continue;
    return {
      tcp: `tcp://127.0.0.1:${running.tcp}`,
      ws: `ws://127.0.0.1:${running.ws}`,
      /** @template T @param {() => Promise<T>} work */
      async hurried(work) {
        const stop = keepTurning(running.tcp);
        return work().finally(stop);
      },
      async stop() {
        running.child.kill();
        await running.ended;
        await rm(folder, { recursive: true });
      },
    };
  }
  await rm(folder, { recursive: true });
  throw new Error('mosquitto does not start');
}
