#!/usr/bin/env node
/** build/tow-trace, with the library compiled to wasm: the same scenarios, the same lines. */
import { readFileSync, writeSync } from 'node:fs';
import { load } from '../js/node.js';
import { workers } from '../js/worker/node.js';
import { parseOptions } from './options.js';
import { runTrace } from './runner.js';
import { canBeWasi, loadWith } from './worker-processes.js';

const usage = `usage: node tests/trace.js --build wasi|emscripten [--process worker] SCENARIO.json
Runs a scenario (tests/traces/README.md) on the wasm build and prints its protocol's calls, one JSON object a line.

Drive "mem" needs nothing else. For a real connection ORACLE_PEER says where the peer is:
  tcp:HOST:PORT    connect; framed+tcp:HOST:PORT: with Towline framing
  unix:PATH        connect
  ws://HOST:PORT/  connect
  listen:tcp       listen on a port of 127.0.0.1, which is printed, and take one connection
  udp:HOST:PORT    exchange datagrams (transport udp-bound: from a port of 127.0.0.1, which is printed)
  fd:N             a pipe to write to (transport pipe_w) or to read from
ORACLE_CHILD is the program that a subprocess runs; with --process worker a WASI command, in a Worker.

Exit status: 0 done, 2 malformed, 77 cannot run this one.
`;

const { values, positionals } = parseOptions('trace', {
  allowPositionals: true,
  options: {
    build: { type: 'string', default: 'wasi' },
    process: { type: 'string', default: 'child' },
    help: { type: 'boolean' },
  },
});

/** @returns {Promise<number>} */
async function main() {
  const [file] = positionals;
  const isKnown =
    ['wasi', 'emscripten'].includes(values.build) && ['child', 'worker'].includes(values.process);
  if (values.help || !file || !isKnown) {
    console[values.help ? 'log' : 'error'](usage);
    return values.help ? 0 : 2;
  }
  const scenario = JSON.parse(readFileSync(file, 'utf8'));
  const spec = scenario.drive === 'mem' ? undefined : (process.env.ORACLE_PEER ?? '');
  const code = readFileSync(new URL(`../build/${values.build}/trace.wasm`, import.meta.url));
  const inWorker = values.process === 'worker';
  if (inWorker && !canBeWasi(scenario)) return 77;
  return runTrace({
    load: inWorker ? loadWith(load, workers()) : load,
    code,
    scenario,
    spec,
    child: process.env.ORACLE_CHILD,
    print: (line) => writeAll(`${JSON.stringify(line)}\n`),
  });
}

/** At once, however slow the reader is. @param {string} text */
function writeAll(text) {
  for (let rest = Buffer.from(text); rest.length; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EAGAIN') throw error;
    }
  }
}

process.exitCode = await main().catch((error) => {
  console.error(`trace: ${error.message}`);
  return 2;
});
