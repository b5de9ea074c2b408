import { Connection } from './connection.js';
import { TowlineError } from './errors.js';

/** @import { Instance } from './instance.js' */

/**
 * What a descriptor of a child is: a pipe to the protocol, nothing, this program's own, or (standard error only) wherever
 * standard output goes.
 * @typedef {'pipe' | 'null' | 'inherit' | 'stdout'} Stdio
 */

/**
 * `tow_spawn_options` of towline.h.
 * @typedef {object} SpawnOptions
 * @property {string[]} [arguments] after the program's name
 * @property {Record<string, string>} [environment] this program's own unless given
 * @property {string} [directory] this program's own unless given
 * @property {[Stdio, Stdio, Stdio]} [stdio] three pipes unless given
 */

/** `tow_stdio`. @type {Stdio[]} */
const kinds = ['pipe', 'null', 'inherit', 'stdout'];

/** A list of strings that ends with NULL. @param {import('./memory.js').Memory} memory @param {number} list */
function strings(memory, list) {
  const texts = [];
  for (let at = list; memory.word(at) !== 0; at += 4) texts.push(memory.string(memory.word(at)));
  return texts;
}

/** What the import `spawn` was told. @param {Instance} instance @param {number[]} words @returns {SpawnOptions} */
function readOptions({ memory }, [list, environment, directory, ...stdio]) {
  const pairs = environment === 0 ? undefined : strings(memory, environment);
  return {
    arguments: list === 0 ? [] : strings(memory, list),
    environment:
      pairs &&
      Object.fromEntries(
        pairs.map((pair) => {
          const [name, ...value] = pair.split('=');
          return [name, value.join('=')];
        }),
      ),
    directory: directory === 0 ? undefined : memory.string(directory),
    stdio: /** @type {any} */ (stdio.map((kind) => kinds[kind])),
  };
}

/** @param {unknown} value */
const isText = (value) => typeof value === 'string' && !value.includes('\0');

/**
 * What is wrong with what JavaScript says; undefined: nothing.
 * @param {{arguments?: any, environment?: any, directory?: any, stdio: any}} options
 */
function wrongIn({ arguments: list = [], environment = {}, directory = '', stdio }) {
  const isVariable = (/** @type {[string, unknown]} */ [name, value]) =>
    isText(name) && !/^$|=/.test(name) && isText(value);
  const isStdio = (/** @type {Stdio} */ kind, /** @type {number} */ fd) =>
    kinds.includes(kind) && (kind !== 'stdout' || fd === 2);
  if (!Array.isArray(list) || !list.every(isText))
    return 'arguments are an array of strings without NUL';
  if (Object(environment) !== environment || !Object.entries(environment).every(isVariable))
    return "the environment is an object of strings without NUL, its names without '='";
  if (!isText(directory)) return 'the directory is a string without NUL';
  if (!Array.isArray(stdio) || stdio.length !== 3 || !stdio.every(isStdio))
    return 'stdio is three of pipe, null, inherit; for standard error stdout, too';
}

/**
 * What is to be started, of a spawn that C or JavaScript asks for; undefined: it has failed, for that cannot be.
 * @internal
 * @param {import('./request.js').Request} request
 * @param {string} address
 * @param {any} given
 * @returns {{program: string, options: any, stdio: Stdio[]} | undefined}
 */
export function readSpawn(request, address, given) {
  const { instance } = request;
  const program = /^[a-z][a-z0-9+.-]*:(?!\/\/)(.+)$/s.exec(address)?.[1];
  const options = 'words' in given ? { ...given, ...readOptions(instance, given.words) } : given;
  const { stdio = ['pipe', 'pipe', 'pipe'] } = options;
  const wrong = wrongIn({ ...options, stdio });
  if (!program) request.failed('EADDRESS', 0, 'no program in the address');
  else if (!instance.exports.tow_host_exited)
    request.failed('ENOTSUP', 0, 'the module has no protocols of subprocesses');
  else if (wrong) request.failed('EINVAL', 0, wrong);
  else return { program, options, stdio };
}

/** A child: its pipes are connections of their own, opened right after it. @internal */
export class Subprocess extends Connection {
  pid = 0;
  /** Its standard input. @type {Connection | undefined} */
  #input;

  /** @override @param {number} request */
  create(request) {
    const { instance, id, pid } = this;
    const transport =
      request === 0
        ? instance.call('tow_wasm_open_process', instance.loop, id, pid)
        : instance.call('tow_wasm_spawned', request, id, pid);
    if (transport !== 0)
      for (const [fd, pipe] of this.makePipes()) this.#openPipe(transport, fd, pipe);
    return transport;
  }

  /** @param {number} transport @param {number} fd @param {Connection} pipe */
  #openPipe(transport, fd, pipe) {
    const { instance } = this;
    if (fd === 0) this.#input = pipe;
    pipe.made(instance.call('tow_wasm_pipe', transport, fd, pipe.id, pipe.abilities));
    if (pipe.transport !== 0) return;
    pipe.abandon(new TowlineError('ENOMEM', 'no memory for a pipe of a subprocess'));
    instance.call('tow_transport_close', transport);
  }

  /** Standard input's, whose flow control is the child's [X8]. @override */
  get writing() {
    return this.#input?.transport ?? 0;
  }

  /** By descriptor. @returns {[number, Connection][]} */
  makePipes() {
    return [];
  }
}
