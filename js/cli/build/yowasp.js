/**
 * The compiler that npm has: clang, lld and wasi-libc, themselves in wasm, in this very process. It sees no files but those
 * it is handed, so sources are read for what they include.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure } from '../usage.js';
import { commandLine } from './programs.js';
import { Toolchain } from './toolchain.js';

/** @typedef {import('./toolchain.js').Argument} Argument */
/** @typedef {{[name: string]: Tree | Uint8Array | string}} Tree */
/**
 * @typedef {(args: string[] | null, files: Tree, options: object) => Promise<Tree>} Command
 * @typedef {{runClang: Command, runLLVM: Command}} Yowasp
 */

const PACKAGE = '@yowasp/clang';
const TARGET = '--target=wasm32-wasip1';

/** What every path begins with over there: the compiler's own folders stand in its root. */
const ROOT = '/_';

/** @param {string} path */
const there = (path) => `${ROOT}/${resolve(path).replaceAll('\\', '/').replace(/^\//, '')}`;

/** What the compiler says, with the names that files have here. @param {string} text */
function here(text) {
  const folder = there('.').replace(/\/?$/, '/');
  return text
    .replaceAll(folder, '')
    .replaceAll(`${ROOT}/`, process.platform === 'win32' ? '' : '/');
}

/** The file's content, if it is one. @param {string} path */
function read(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/**
 * A source and whatever it may include, among its neighbours and in these folders: rather too much than too little.
 * @param {string} path
 * @param {string[]} folders
 * @param {Map<string, Uint8Array>} files
 */
function gather(path, folders, files) {
  const content = files.has(path) ? undefined : read(path);
  if (!content) return;
  files.set(path, content);
  if (!/\.[ch]\w*$/.test(path)) return;
  for (const [, name] of String(content).matchAll(/^[ \t]*#[ \t]*include\s*["<]([^">]+)[">]/gm))
    for (const folder of [dirname(path), ...folders]) gather(resolve(folder, name), folders, files);
}

/** @param {Tree} tree @param {string} path @param {Tree | Uint8Array} content */
function put(tree, path, content) {
  const names = path.split('/').slice(1);
  const last = /** @type {string} */ (names.pop());
  let folder = tree;
  for (const name of names) {
    folder[name] ??= Object.create(null);
    folder = /** @type {Tree} */ (folder[name]);
  }
  folder[last] ??= content;
}

/** @param {Tree} tree @param {string} path */
function take(tree, path) {
  /** @type {any} */
  let found = tree;
  for (const name of path.split('/').slice(1)) found = found?.[name];
  return /** @type {Uint8Array | undefined} */ (found);
}

/** @param {Yowasp} yowasp @param {(line: string) => void} log @returns {import('./toolchain.js').Run} */
function runner(yowasp, log) {
  return async (tool, args, what) => {
    const paths = args.filter((argument) => typeof argument === 'object');
    const folders = paths.flatMap(({ is, path }) => (is === 'folder' ? [path] : []));
    /** @type {Map<string, Uint8Array>} */
    const files = new Map();
    for (const { is, path } of paths) if (is === 'input') gather(resolve(path), folders, files);
    /** @type {Tree} */
    const tree = Object.create(null);
    for (const [path, content] of files) put(tree, there(path), content);
    for (const { is, path } of paths)
      if (is !== 'input')
        put(tree, `${there(is === 'output' ? dirname(path) : path)}/.keep`, new Uint8Array());
    const words = args.map((argument) =>
      typeof argument === 'string' ? argument : (argument.before ?? '') + there(argument.path),
    );
    const line = tool === 'compiler' ? ['clang', TARGET, ...words] : ['ar', ...words];
    log(here(commandLine([PACKAGE, ...line])));
    const command = tool === 'compiler' ? yowasp.runClang : yowasp.runLLVM;
    const { made, stdout, stderr } = await start(command, line, tree);
    if (!made) {
      process.stderr.write(stderr);
      throw new Failure(what);
    }
    for (const { is, path } of paths) if (is === 'output') keep(path, take(made, there(path)));
    return { stdout, stderr };
  };
}

/** Answers the files that are there then, unless it failed. @param {Command} command @param {string[]} line @param {Tree} tree */
async function start(command, line, tree) {
  const quiet = { fetchProgress: () => {} };
  await command(null, {}, quiet); // once it has been read it is not read again, and nothing is said of that
  const [stdout, stderr] = [collector(), collector()];
  const said = () => ({ stdout: here(stdout.text), stderr: here(stderr.text) });
  try {
    const made = await command(line, tree, { ...quiet, stdout: stdout.take, stderr: stderr.take });
    return { made, ...said() };
  } catch (error) {
    if (typeof (/** @type {{code?: unknown}} */ (error).code) !== 'number') throw error;
    return { made: undefined, ...said() };
  }
}

/** What comes in pieces, as text. */
function collector() {
  const decoder = new TextDecoder();
  const collected = {
    text: '',
    take: (/** @type {Uint8Array | null} */ bytes) => {
      if (bytes) collected.text += decoder.decode(bytes, { stream: true });
    },
  };
  return collected;
}

/** @param {string} path @param {Uint8Array | undefined} content */
function keep(path, content) {
  if (!content) throw new Failure(`${PACKAGE} made no ${path}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** As it is installed in the project that is worked in. @param {(line: string) => void} log @returns {Promise<Toolchain | string>} */
export async function findYowasp(log) {
  let path;
  try {
    path = createRequire(join(process.cwd(), 'package.json')).resolve(PACKAGE);
  } catch {
    return `${PACKAGE} is not installed here`;
  }
  const { version } = JSON.parse(readFileSync(join(dirname(path), '..', 'package.json'), 'utf8'));
  const yowasp = /** @type {Promise<Yowasp>} */ (import(pathToFileURL(path).href));
  return new Toolchain('yowasp', `${PACKAGE} ${version}`, runner(await yowasp, log));
}
