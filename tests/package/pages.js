/** A browser for the pages that consumers have made, a server for their files, and a peer for their connections. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { WebSocketServer } from 'ws';
import { flags } from '../browser.js';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** @typedef {import('node:net').AddressInfo} AddressInfo */

/** Serves a folder as it is. @param {string} folder */
export async function serveFolder(folder) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const type = types[/** @type {keyof typeof types} */ (extname(pathname))];
    try {
      response.setHeader('content-type', type).end(await readFile(join(folder, pathname)));
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {AddressInfo} */ (server.address());
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { address: `http://127.0.0.1:${port}/`, close };
}

/** Sends back what comes; at /greet it speaks first, and ends with the answer. */
export async function servePeer() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket, { url }) => {
    if (url === '/greet') {
      socket.send('to C');
      socket.on('message', (data) => socket.close(String(data) === 'to C' ? 1000 : 4000));
    } else socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  await once(server, 'listening');
  const { port } = /** @type {AddressInfo} */ (server.address());
  const close = () => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  return { address: `ws://127.0.0.1:${port}/`, close };
}

export const openChromium = () =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });

/**
 * What `run` of projects/page/app.js answers, and what the page has complained of meanwhile.
 * @param {import('playwright-core').Browser} browser
 * @param {string} address
 * @param {string} peer
 */
export async function runPage(browser, address, peer) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  try {
    await page.goto(address);
    await page.waitForFunction(() => 'run' in globalThis);
    const results = await page.evaluate((to) => /** @type {any} */ (globalThis).run(to), peer);
    return { ...results, complaints };
  } catch (error) {
    throw new Error([/** @type {Error} */ (error).message, ...complaints].join('\n'));
  } finally {
    await page.close();
  }
}
