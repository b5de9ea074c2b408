/** A module of objects: linked twice, first to see what it uses, then with the exports that go with that. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WasmFile } from '../../trace/wasm-file.js';
import { exportsOf, linkedIn } from '../exports.js';
import { Failure } from '../usage.js';
import { HEAP, MAXIMUM_MEMORY } from './flags.js';
import { HEAP_BASE } from './toolchain.js';

const PAGE = 1 << 16;

/** What Emscripten's modules have of a host. */
const HOST_FUNCTIONS = ['emscripten_notify_memory_growth'];

/** Emscripten imports whatever it does not find. @param {WasmFile} file */
function refuseUndefined(file) {
  const unknown = file.imports
    .filter(({ module, name }) => module === 'env' && !HOST_FUNCTIONS.includes(name))
    .map(({ name }) => name);
  if (unknown.length > 0) throw new Failure(`undefined symbols: ${unknown.join(', ')}`);
}

/** What is linked, and some heap. @param {WasmFile} file */
function memoryOf(file) {
  const whole = (file.globalOf(HEAP_BASE) ?? 0) + HEAP;
  return Math.min(Math.ceil(whole / PAGE) * PAGE, MAXIMUM_MEMORY);
}

/**
 * Answers the constructors found; the module is then at `output`.
 * @param {import('./toolchain.js').Toolchain} toolchain
 * @param {object} what
 * @param {string[]} what.inputs objects, and the library at last
 * @param {string} what.output
 * @param {string} what.work a folder for what lies between
 * @param {string[]} what.named exports that the user names
 * @param {string[]} what.candidates names of constructors, if they are there
 * @param {boolean} what.plain without Towline framing
 */
export async function link(toolchain, { inputs, output, work, named, candidates, plain }) {
  const framing = plain ? [] : ['+framing'];
  const surveyed = join(work, 'survey.wasm');
  const first = [...exportsOf(new Set(framing)), ...named];
  const map = await toolchain.link({
    inputs,
    output: surveyed,
    exports: first,
    memory: MAXIMUM_MEMORY,
    candidates,
  });
  const file = new WasmFile(readFileSync(surveyed));
  const constructors = candidates.filter((name) => file.isConstructor(name));
  const found = constructors.filter((name) => !named.includes(name));
  if (named.length + constructors.length === 0)
    throw new Failure(
      'no constructor was found: write tow_protocol *NAME(tow_loop *loop, void *context), or name one by --export',
    );
  const linked = linkedIn(map.stdout);
  for (const word of framing) linked.add(word);
  await toolchain.link({
    inputs,
    output,
    exports: [...exportsOf(linked), ...named, ...found],
    memory: memoryOf(file),
  });
  if (toolchain.name === 'emscripten') refuseUndefined(new WasmFile(readFileSync(output)));
  return constructors;
}
