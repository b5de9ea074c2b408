/** The room, over WebSockets, and the page over HTTP. */
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { loadChat } from './chat.js';

const chat = await loadChat(new URL('../build/chat.wasm', import.meta.url));
const room = await chat.listen('ws://127.0.0.1:0/');

/** What may be asked for. The page's import map says where towline is. @type {Record<string, URL>} */
const folders = {
  '/': new URL('.', import.meta.url),
  '/build/': new URL('../build/', import.meta.url),
  '/towline/': new URL('.', import.meta.resolve('towline')),
};
/** @type {Record<string, string>} */
const types = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  wasm: 'application/wasm',
};
const file = /^(\/build\/|\/towline\/|\/)((?:[\w-]+\/)*[\w-]+\.(html|css|js|wasm))$/;

const server = createServer(({ url = '/' }, response) => {
  const [path] = url.split('?');
  if (path === '/room') return response.end(room.address);
  const [, folder, name, type] = file.exec(path === '/' ? '/index.html' : path) ?? [];
  if (name === undefined) return response.writeHead(404).end('not found\n');
  createReadStream(new URL(name, folders[folder]))
    .on('open', () => response.setHeader('Content-Type', types[type]))
    .on('error', () => response.writeHead(404).end('not found\n'))
    .pipe(response);
});

const port = Number(process.env.PORT ?? 8080);
server.on('error', (error) => {
  console.error(`${error.message}; PORT=0 npm start takes any port that is free`);
  process.exit(1);
});
server.listen(port, '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`http://127.0.0.1:${address.port}/`);
});
