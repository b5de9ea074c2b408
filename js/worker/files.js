/** @typedef {import('./command.js').Shim} Shim */
/** @typedef {import('@bjorn3/browser_wasi_shim').Directory} Directory */
/** @typedef {import('@bjorn3/browser_wasi_shim').Inode} Inode */
/** @typedef {Map<string, Inode>} Contents */

/** @param {string} path */
const parts = (path) => path.split('/').filter((part) => part !== '' && part !== '.');

/**
 * The directory at a path, made where there is none.
 * @param {Shim} shim
 * @param {Contents} root
 * @param {string[]} names
 */
function makeDirectory({ Directory }, root, names) {
  let contents = root;
  for (const name of names) {
    const found = contents.get(name) ?? new Directory(new Map());
    if (!(found instanceof Directory)) throw new Error(`${name} is a file and a directory`);
    contents.set(name, found);
    contents = found.contents;
  }
  return contents;
}

/** A tree of files. A path that ends with '/' is a directory. @param {Shim} shim @param {[string, Uint8Array][]} files */
export function makeFiles(shim, files) {
  /** @type {Contents} */
  const root = new Map();
  for (const [path, bytes] of files) {
    const names = parts(path);
    const name = path.endsWith('/') ? undefined : names.pop();
    const directory = makeDirectory(shim, root, names);
    if (name !== undefined) directory.set(name, new shim.File(bytes));
  }
  return root;
}

const none = new Uint8Array(0);

/** What is in the tree, by path, as `makeFiles` takes it. @param {Shim} shim @param {Contents} contents @returns {[string, Uint8Array][]} */
export function readFiles(shim, contents, path = '/') {
  return [...contents].flatMap(([name, inode]) => {
    if (inode instanceof shim.File)
      return [/** @type {[string, Uint8Array]} */ ([path + name, inode.data])];
    if (!(inode instanceof shim.Directory)) return [];
    const below = `${path}${name}/`;
    return inode.contents.size > 0 ? readFiles(shim, inode.contents, below) : [[below, none]];
  });
}

/**
 * The descriptors that the program finds open. wasi-libc takes a path for a relative one: what it opens is looked for
 * under the working directory unless it begins with the name of a directory in the root.
 * @param {Shim} shim
 * @param {Contents} root
 * @param {string} directory
 */
export function preopen(shim, root, directory) {
  const { Directory, PreopenDirectory } = shim;
  const fds = [new PreopenDirectory('/', root)];
  const names = parts(directory);
  if (names.length === 0) return fds;
  for (const [name, inode] of root)
    if (inode instanceof Directory) fds.push(new PreopenDirectory(`/${name}`, inode.contents));
  fds.push(new PreopenDirectory('.', makeDirectory(shim, root, names)));
  return fds;
}
