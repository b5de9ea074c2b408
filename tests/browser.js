/** A headless Chromium with one page, which has the project's files at hand and prints lines to the test. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

/** @typedef {import('./traces/format.js').Line} Line */
/** @typedef {import('./traces/format.js').Scenario} Scenario */

const types = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };

/** What makes a page cross-origin isolated, so that it may share memory. */
const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Serves the project's own files on a port of the system's choice. @param {Record<string, string>} headers */
async function serve(headers) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const type = types[/** @type {keyof typeof types} */ (extname(pathname))];
    const isOurs =
      /^\/(js|tests|build|node_modules)\/[\w./@-]+$/.test(pathname) && !pathname.includes('..');
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    try {
      if (pathname === '/')
        response.setHeader('content-type', 'text/html').end('<!doctype html><title>tests</title>');
      else if (isOurs && type)
        response
          .setHeader('content-type', type)
          .setHeader('cache-control', 'max-age=3600') // as a site would; each browser begins with nothing
          .end(await readFile(fileURLToPath(new URL(`..${pathname}`, import.meta.url))));
      else response.writeHead(404).end();
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { address: `http://127.0.0.1:${port}/`, close };
}

export const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export async function openBrowser({ isIsolated = false } = {}) {
  const server = await serve(isIsolated ? isolation : {});
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
  const close = async () => {
    await browser.close();
    server.close();
  };
  try {
    const page = await browser.newPage();
    /** @type {(line: Line) => void} */
    let print = () => {};
    await page.exposeFunction('print', (/** @type {Line} */ line) => print(line));
    await page.goto(server.address);
    return {
      page,
      close,
      /** The processes that a page's data goes through: its own, and the one with the sockets. */
      async processes() {
        const session = await browser.newBrowserCDPSession();
        const { processInfo } = await session.send('SystemInfo.getProcessInfo');
        return processInfo
          .filter(({ type }) => /renderer|utility|NetworkService/.test(type)) // older Chromium says utility
          .map(({ id }) => id);
      },
      /**
       * Runs a scenario with tests/runner.js in the page.
       * @param {string} build
       * @param {Scenario} scenario
       * @param {string | undefined} spec
       * @param {(line: Line) => void} onLine
       * @param {string} [child] what subprocesses run, in Workers
       * @returns {Promise<number>}
       */
      async run(build, scenario, spec, onLine, child) {
        print = onLine;
        return page.evaluate(
          async ([path, scenario, spec, child]) => {
            const from = (/** @type {string} */ path) => import(new URL(path, location.href).href);
            let { load } = await from('/js/index.js');
            const { runTrace } = await from('/tests/runner.js');
            const code = await (await fetch(path)).arrayBuffer();
            if (child) {
              const { workers } = await from('/js/worker/index.js');
              const { loadWith } = await from('/tests/worker-processes.js');
              load = loadWith(load, workers());
            }
            /** @type {Promise<void>[]} */
            const printed = [];
            const print = (/** @type {Line} */ line) =>
              void printed.push(/** @type {any} */ (globalThis).print(line));
            const status = await runTrace({ load, code, scenario, spec, child, print });
            await Promise.all(printed);
            return status;
          },
          /** @type {[string, Scenario, string | undefined, string | undefined]} */ ([
            `/build/${build}/trace.wasm`,
            scenario,
            spec,
            child,
          ]),
        );
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
