import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A node of clang's syntax tree. @typedef {{kind: string, name?: string, inner?: Node[]}} Node */

/** @param {Node} node @returns {Node[]} */
const withInner = (node) => [node, ...(node.inner ?? []).flatMap(withInner)];

/**
 * The names that towline's headers declare, of these kinds ("FunctionDecl"), as clang reads them.
 * @param {string} include the folder that towline/ is in
 * @param {string[]} kinds
 */
export async function declared(include, kinds) {
  const headers = await readdir(`${include}/towline`);
  const parameters = [
    `-I${include}`,
    ...headers.flatMap((name) => ['-include', `towline/${name}`]),
  ];
  const dump = ['-fsyntax-only', '-Xclang', '-ast-dump=json', '-x', 'c', '/dev/null'];
  const options = { maxBuffer: 1 << 26 };
  const { stdout } = await promisify(execFile)('clang', [...parameters, ...dump], options);
  const names = /** @type {Node[]} */ (JSON.parse(stdout).inner)
    .flatMap(withInner)
    .filter(({ kind, name }) => kinds.includes(kind) && name && /^tow_/i.test(name));
  return [...new Set(names.map(({ name }) => String(name)))];
}
