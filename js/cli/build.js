/** `towline build`: a module of C files, with what this package carries and whatever compiler there is. */
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cacheFolder } from './build/cache.js';
import { COMPILERS, findCompiler } from './build/compilers.js';
import { constructorsIn } from './build/constructors.js';
import { each, INCLUDE, library } from './build/library.js';
import { link } from './build/link.js';
import { optimise } from './build/optimise.js';
import { Failure, fileFailure, parse, UsageError } from './usage.js';

export const summary = 'makes a module of C files';
export const help = `Usage: towline build FILE.c... -o OUT.wasm [OPTIONS] [-- FLAGS]

Compiles the files, links them with Towline, and exports their constructors: the functions that are written as
    tow_protocol *NAME(tow_loop *loop, void *context)

  -o, --output FILE     the module
  --export NAME         exports another function or constructor, too; may be repeated
  --plain               without Towline framing, and smaller
  -I FOLDER             looks for headers there; may be repeated
  -D NAME[=VALUE]       defines a macro; may be repeated
  -O LEVEL              for your files, instead of -Oz
  --with COMPILER       ${COMPILERS.join(', ')}; else the first of them that is there
  -v, --verbose         says what is run
  -- FLAGS              goes to the compiler as it stands, for your files

Compilers:
  wasi         clang with wasi-libc and wasm-ld: $CC or clang, or the wasi-sdk at $WASI_SDK_PATH
  yowasp       npm install --save-dev @yowasp/clang
  emscripten   emcc
$WASM_OPT, or wasm-opt (npm install --save-dev binaryen), makes modules smaller. What is compiled of Towline itself is
kept in node_modules/.cache/towline, or in the temporary folder.
`;

const options = /** @type {const} */ ({
  output: { type: 'string', short: 'o' },
  export: { type: 'string', multiple: true },
  plain: { type: 'boolean' },
  with: { type: 'string' },
  verbose: { type: 'boolean', short: 'v' },
  include: { type: 'string', short: 'I', multiple: true },
  define: { type: 'string', short: 'D', multiple: true },
  optimise: { type: 'string', short: 'O' },
});

/** The command line, checked. @param {string[]} args */
function read(args) {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const { values, positionals: files } = parse({
    args: args.slice(0, end),
    options,
    allowPositionals: true,
  });
  if (files.length === 0) throw new UsageError('C files are missing');
  for (const file of files)
    if (!file.endsWith('.c')) throw new UsageError(`${file} is no C file: FILE.c`);
  if (!values.output) throw new UsageError('-o OUT.wasm is missing');
  if (!values.output.endsWith('.wasm'))
    throw new UsageError(`${values.output} is no name for a module: OUT.wasm`);
  for (const name of values.export ?? [])
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new UsageError(`${name} is no name of a function`);
  if (values.with !== undefined && !COMPILERS.includes(values.with))
    throw new UsageError(`no compiler ${values.with}; there are ${COMPILERS.join(', ')}`);
  return { ...values, output: values.output, files, flags: args.slice(end + 1) };
}

/** What can be said of files before any compiler is asked. @param {string[]} files @param {string} output */
function readSources(files, output) {
  if (isFolder(output)) throw new Failure(`${output}: is a folder`);
  return files.map((file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw fileFailure(file, error);
    }
  });
}

/** @param {string} path */
function isFolder(path) {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Folders that are gone in the end, whatever happens.
 * @template T
 * @param {string[]} folders in these
 * @param {(...folders: string[]) => Promise<T>} use
 */
async function withFolders(folders, use) {
  /** @type {string[]} */
  const made = [];
  const remove = () => {
    for (const folder of made) rmSync(folder, { recursive: true, force: true });
  };
  /** @param {NodeJS.Signals} signal */
  const interrupted = (signal) => {
    remove();
    process.kill(process.pid, signal);
  };
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM']);
  for (const signal of signals) process.once(signal, interrupted);
  try {
    for (const folder of folders) made.push(mkdtempSync(join(folder, '.towline-')));
    return await use(...made);
  } finally {
    remove();
    for (const signal of signals) process.off(signal, interrupted);
  }
}

/** The folder that a file is to be in, made if it is not there. @param {string} path */
function folderOf(path) {
  const folder = dirname(resolve(path));
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch (error) {
    throw fileFailure(folder, error);
  }
}

/** What the compiler is told of the user's files. @param {ReturnType<typeof read>} values */
const flagsOf = ({ define = [], optimise: level, flags }) => [
  ...define.map((text) => `-D${text}`),
  ...(level === undefined ? [] : [`-O${level}`]),
  ...flags,
];

/** @param {string[]} args */
export async function run(args) {
  const wanted = read(args);
  const { files, output, plain = false, include = [], export: exported = [] } = wanted;
  const sources = readSources(files, output);
  const warn = (/** @type {string} */ line) =>
    void process.stderr.write(`towline build: ${line}\n`);
  const log = wanted.verbose ? warn : () => {};
  const toolchain = await findCompiler(wanted.with, log);
  const cache = cacheFolder();
  return withFolders([cache, folderOf(output)], async (work, beside) => {
    const how = { folders: [INCLUDE, ...include], more: flagsOf(wanted) };
    const objects = files.map((_, index) => join(work, `${index}.o`));
    await each([...files.keys()], async (index) => {
      const said = await toolchain.compile(files[index], objects[index], how);
      process.stderr.write(said.stdout + said.stderr);
    });
    const module = join(beside, 'module.wasm');
    const protocols = await link(toolchain, {
      inputs: [...objects, await library(toolchain, work, cache, warn)],
      output: module,
      work,
      named: [...new Set(exported)],
      candidates: [...new Set(sources.flatMap(constructorsIn))],
      plain,
    });
    if (toolchain.wantsOptimiser) await optimise(module, { log, warn });
    const bytes = readFileSync(module);
    renameSync(module, output);
    process.stdout.write(`${output}: ${sizes(bytes)}${listed(protocols)}\n`);
    return 0;
  });
}

/** @param {Uint8Array} bytes */
const sizes = (bytes) => `${bytes.length} bytes (${gzipSync(bytes, { level: 9 }).length} gzipped)`;

/** @param {string[]} protocols */
const listed = (protocols) => (protocols.length > 0 ? `, protocols: ${protocols.join(', ')}` : '');
