/** Where what was compiled is kept for the next time. It may be deleted at any time. */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The nearest node_modules, from the folder that is worked in upwards. */
function nodeModules() {
  for (let folder = resolve('.'); ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules');
    if (statSync(modules, { throwIfNoEntry: false })?.isDirectory()) return modules;
    if (folder === dirname(folder)) return undefined;
  }
}

/** A folder of one's own in the temporary one: somebody else's objects are not to be linked. */
function ownTemporary() {
  const { uid, username } = userInfo();
  const folder = join(tmpdir(), `towline-${uid < 0 ? username : uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid: owner } = lstatSync(folder);
  const own =
    lstatSync(folder).isDirectory() && (uid < 0 || (owner === uid && (mode & 0o022) === 0));
  return own ? folder : mkdtempSync(join(tmpdir(), 'towline-'));
}

/** The folder for it, which is there then. */
export function cacheFolder() {
  const modules = nodeModules();
  if (modules) {
    const folder = join(modules, '.cache', 'towline');
    try {
      mkdirSync(folder, { recursive: true });
      return folder;
    } catch {
      // node_modules may be somebody else's
    }
  }
  return ownTemporary();
}

/** @param {...(string | Uint8Array)} parts */
export function keyOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}\n`).update(part);
  return hash.digest('hex').slice(0, 32);
}
