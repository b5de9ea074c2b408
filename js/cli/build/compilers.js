/** Finding a compiler: a clang that has what WASI takes, the one that npm has, or Emscripten. */
import { existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure } from '../usage.js';
import { commandLine, identityOf, runProgram, which } from './programs.js';
import { Emscripten, Toolchain } from './toolchain.js';
import { findYowasp } from './yowasp.js';

/** @typedef {(line: string) => void} Log */

const TARGETS = ['wasm32-wasi', 'wasm32-wasip1'];

/** @param {import('./toolchain.js').Argument} argument */
const flat = (argument) =>
  typeof argument === 'string' ? argument : (argument.before ?? '') + argument.path;

/**
 * Runs programs of this machine.
 * @param {{compiler: string[], archiver: string[]}} tools
 * @param {Log} log
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {import('./toolchain.js').Run}
 */
function runner(tools, log, env) {
  return async (tool, args, what) => {
    const [program, ...first] = tools[tool];
    const all = [...first, ...args.map(flat)];
    if (tool === 'compiler' && process.stderr.isTTY) all.unshift('-fcolor-diagnostics');
    log(commandLine([program, ...all]));
    const { code, stdout, stderr } = await runProgram(program, all, env);
    if (code === 0) return { stdout, stderr };
    process.stderr.write(stderr);
    throw new Failure(what);
  };
}

/** The clangs that there might be: what the user names, then what PATH has. */
function clangs() {
  const { CC, WASI_SDK_PATH } = process.env;
  if (WASI_SDK_PATH) {
    const clang = join(WASI_SDK_PATH, 'bin', 'clang');
    return [[which(clang) ?? `${clang}.exe`, `--sysroot=${WASI_SDK_PATH}/share/wasi-sysroot`]];
  }
  return [...(CC ? [CC.trim().split(/\s+/)] : []), ['clang']];
}

/**
 * A clang with wasi-libc, its own library for wasm, and lld; else what it lacks.
 * @param {string[]} command
 * @param {Log} log
 * @returns {Promise<Toolchain | string>}
 */
async function clangOf([name, ...args], log) {
  const clang = which(name);
  if (!clang) return `${name} is not there`;
  const lacks = new Set();
  for (const target of TARGETS) {
    const all = [`--target=${target}`, ...args];
    /** @param {string} query */
    const ask = async (query) => (await runProgram(clang, [...all, query])).stdout.trim();
    const [libc, start, runtime, linker, archiver] = await Promise.all([
      ask('-print-file-name=libc.a'),
      ask('-print-file-name=crt1-reactor.o'),
      ask('-print-libgcc-file-name'),
      ask('-print-prog-name=wasm-ld'),
      ask('-print-prog-name=llvm-ar'),
    ]);
    const ar = which(archiver);
    const missing = [
      ...(existsSync(libc) && existsSync(start) ? [] : ['wasi-libc']),
      ...(existsSync(runtime) ? [] : ['compiler-rt for wasm32']),
      ...(which(linker) ? [] : ['wasm-ld']),
      ...(ar ? [] : ['llvm-ar']),
    ];
    for (const part of missing) lacks.add(part);
    if (missing.length > 0 || !ar) continue;
    const identity = [identityOf(clang), identityOf(libc), ...all].join('\n');
    return new Toolchain(
      'wasi',
      identity,
      runner({ compiler: [clang, ...all], archiver: [ar] }, log),
    );
  }
  return `${clang} lacks ${[...lacks].join(', ')}`;
}

/** @param {Log} log @returns {Promise<Toolchain | string>} */
async function findWasi(log) {
  const said = [];
  for (const command of clangs()) {
    const found = await clangOf(command, log);
    if (typeof found !== 'string') return found;
    said.push(found);
  }
  return said.join('; ');
}

/** @param {Log} log @returns {Promise<Toolchain | string>} */
async function findEmscripten(log) {
  const [emcc, emar] = [which('emcc'), which('emar')];
  if (!emcc || !emar) return 'emcc is not there';
  // Debian's finds what it has of JavaScript only so.
  const modules = '/usr/share/nodejs';
  const env = statSync(modules, { throwIfNoEntry: false })
    ? {
        ...process.env,
        NODE_PATH: [process.env.NODE_PATH, modules].filter(Boolean).join(delimiter),
      }
    : process.env;
  const run = runner({ compiler: [emcc], archiver: [emar] }, log, env);
  return new Emscripten('emscripten', identityOf(emcc), run);
}

/** @type {Record<string, (log: Log) => Promise<Toolchain | string>>} */
const FINDERS = { wasi: findWasi, yowasp: findYowasp, emscripten: findEmscripten };
export const COMPILERS = Object.keys(FINDERS);

const ADVICE = `One of these is enough:
  anywhere  npm install --save-dev @yowasp/clang   (100 MB, and slower than the others)
  anywhere  a wasi-sdk (github.com/WebAssembly/wasi-sdk/releases), with WASI_SDK_PATH set to its folder
  Debian    apt-get install clang lld llvm wasi-libc libclang-rt-14-dev-wasm32   (14: the version of clang)
  macOS     brew install emscripten`;

/**
 * The compiler asked for, or the first that is there.
 * @param {string | undefined} name
 * @param {Log} log
 */
export async function findCompiler(name, log) {
  const said = [];
  for (const candidate of name === undefined ? COMPILERS : [name]) {
    const found = await FINDERS[candidate](log);
    if (typeof found !== 'string') return found;
    said.push(`  ${candidate}: ${found}`);
  }
  throw new Failure(`no compiler for wasm was found:\n${said.join('\n')}\n${ADVICE}`);
}
