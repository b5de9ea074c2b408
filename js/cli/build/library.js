/** libtowline.a for a module: of the sources that this package carries, compiled once for each compiler. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ofPackage } from '../root.js';
import { keyOf } from './cache.js';
import { COMPILE_LIBRARY } from './flags.js';

/** @typedef {import('./toolchain.js').Toolchain} Toolchain */

const ROOT = ofPackage('');
export const INCLUDE = join(ROOT, 'include');
const FOLDERS = [INCLUDE, join(ROOT, 'src'), join(ROOT, 'wasm')];

/** The files of a folder of this package. @param {string} folder @param {RegExp} pattern */
const list = (folder, pattern) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(ROOT, folder, name));

/** The core, the memory host, and the boundary. */
const sources = () => [
  ...list('src', /\.c$/),
  ...list('src/host', /^(libc|memory.*)\.c$/),
  ...list('wasm', /\.c$/),
];
const headers = () =>
  ['include/towline', 'src', 'src/host', 'wasm'].flatMap((folder) => list(folder, /\.h$/));

/**
 * Does the same to each, a few at a time.
 * @template T
 * @param {T[]} items
 * @param {(item: T) => Promise<void>} work
 */
export async function each(items, work) {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  const workers = Math.min(availableParallelism(), items.length);
  const results = await Promise.allSettled(Array.from({ length: workers }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Whole or not at all, whoever else does the same. @param {string} from @param {string} to */
function place(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
}

/**
 * Answers where the archive is.
 * @param {Toolchain} toolchain
 * @param {string} work a folder in `cache` for what is not finished
 * @param {string} cache
 * @param {(line: string) => void} tell
 */
export async function library(toolchain, work, cache, tell) {
  const contents = headers().map((path) => readFileSync(path));
  const common = keyOf(toolchain.name, toolchain.identity, String(COMPILE_LIBRARY), ...contents);
  const objects = sources().map((source) => {
    const name = basename(source, '.c');
    const object = join(cache, keyOf(common, name, readFileSync(source)), `${name}.o`);
    return { source, object };
  });
  const archive = join(
    cache,
    keyOf(...objects.map(({ object }) => dirname(object))),
    'libtowline.a',
  );
  if (existsSync(archive)) return archive;
  tell('compiling Towline itself, which is kept for the next time');
  await each(
    objects.filter(({ object }) => !existsSync(object)),
    async ({ source, object }) => {
      const unfinished = join(work, `${basename(dirname(object))}.o`);
      await toolchain.compile(source, unfinished, { folders: FOLDERS, library: true });
      place(unfinished, object);
    },
  );
  const unfinished = join(work, 'libtowline.a');
  await toolchain.archive(
    objects.map(({ object }) => object),
    unfinished,
  );
  place(unfinished, archive);
  return archive;
}
