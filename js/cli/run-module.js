/** What `towline connect --module` does: a protocol of a module, on a connection. */
import { readFile } from 'node:fs/promises';
import { TowlineError } from '../errors.js';
import { load } from '../node.js';
import { constructorsIn } from '../trace/describe.js';
import { traced } from '../trace/index.js';
import { WasmFile } from '../trace/wasm-file.js';
import { printable } from './text.js';
import { Trace } from './trace.js';
import { Failure, fileFailure, UsageError } from './usage.js';

/** @import { Carrier } from '../request.js' */
/** @import { NodeModule } from '../node-module.js' */
/** @import { Command } from './connect.js' */

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/** @param {string} path */
async function fileOf(path) {
  /** @type {Uint8Array} */
  const bytes = await readFile(path).catch((error) => {
    throw fileFailure(path, error);
  });
  try {
    return { bytes, file: new WasmFile(bytes) };
  } catch (error) {
    if (error instanceof TowlineError) throw new Failure(`${path}: ${error.message}`);
    throw error;
  }
}

/** The constructor that is meant. @param {WasmFile} file @param {string | undefined} name @param {string} path */
function constructorOf(file, name, path) {
  const all = constructorsIn(file);
  if (name !== undefined && all.includes(name)) return name;
  const list = all.length > 0 ? `there are ${all.join(', ')}` : 'there are none';
  if (name !== undefined) throw new UsageError(`${path} has no protocol ${name}: ${list}`);
  if (all.length !== 1) throw new UsageError(`--protocol NAME is missing: ${list}`);
  return all[0];
}

/** load, with the calls of protocols shown. @param {Command} command */
function loadTraced({ bytes, listen }) {
  /** By the numbers of their connections. @type {Map<number, Trace>} */
  const traces = new Map();
  return traced(load, {
    keep: bytes,
    onconnection: ({ number }) => traces.set(number, new Trace(say, listen ? `#${number} ` : '')),
    oncall: (call) => traces.get(call.connection)?.call(call),
    onreturn: ({ name, connection }) => name === 'CL' && traces.delete(connection),
  });
}

/**
 * Answers the exit code.
 * @param {string} path
 * @param {Command} command
 * @param {Record<string, Carrier>} transports
 */
export async function runModule(path, command, transports) {
  const { bytes, file } = await fileOf(path);
  const protocol = constructorOf(file, command.protocol, path);
  let hasFailed = false;
  const module = await (command.trace ? loadTraced(command) : load)(bytes, {
    transports,
    stdout: (text, fd) => (fd === 2 ? process.stderr : process.stdout).write(text),
    onerror: (error) => {
      hasFailed = true;
      say(`towline connect: ${printable(error.message, 1000)}`);
    },
  });
  try {
    await serveOrConnect(module, protocol, command);
    return hasFailed ? 1 : 0;
  } finally {
    await module.close();
  }
}

/** Until it ends, or a server is told to. @param {NodeModule} module @param {string} protocol @param {Command} command */
async function serveOrConnect(
  module,
  protocol,
  { address, scheme, family, settings, listen, ...command },
) {
  const options = { ...settings, protocol, arguments: command.arguments };
  if (listen && family === 'stream') {
    const server = await module.listen(address, options);
    say(`listening on ${server.address}`);
    return interrupted();
  }
  const verb = family === 'child' ? 'spawn' : listen ? 'bind' : 'connect';
  const { transport } = await module[verb](address, options);
  if (listen) say(`listening on ${scheme}://${transport.getExtraInfo('sockname', '')}`);
  const error = await transport.closed;
  if (error) throw error;
}

/** @returns {Promise<void>} */
const interrupted = () =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve());
  });
