/** `towline new`: a project that builds, and passes its tests, as it is. */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findCompiler } from './build/compilers.js';
import { ofPackage } from './root.js';
import { Failure, fileFailure, parse, UsageError } from './usage.js';

export const summary = 'starts a project: a protocol in C, its test, a page';
export const help = `Usage: towline new NAME [--force]

Makes a folder NAME with a protocol in C, a test of it, a page and a Node program. Then:

  cd NAME
  npm install
  npm test
  npm start

NAME is what npm takes for a package: lower-case letters, digits, '-', '_' and '.'.

  --force   into a folder that is not empty, too: files of the same names are replaced
`;

const TEMPLATE = fileURLToPath(new URL('template/', import.meta.url));
const YOWASP = { name: '@yowasp/clang', version: '22.0.0-git20542-10' };

/** Files that have the project's name in them. */
const FILLED = ['package.json', 'README.md', join('src', 'index.html')];

/** @param {string} name */
function check(name) {
  if (!/^[a-z0-9][a-z0-9._-]{0,213}$/.test(name) || ['node_modules', 'favicon.ico'].includes(name))
    throw new UsageError(
      `${JSON.stringify(name)} is no name for a project: lower-case letters, digits, '-', '_' and '.'`,
    );
  if (name === 'towline')
    throw new UsageError('npm takes no package towline that needs towline: another name');
}

/** What is at that place: nothing, an empty folder, or more. @param {string} folder @param {boolean} force */
function look(folder, force) {
  const about = statSync(folder, { throwIfNoEntry: false });
  if (!about) return 'nothing';
  if (!about.isDirectory()) throw new Failure(`${folder}: is a file`);
  if (readdirSync(folder).length > 0 && !force)
    throw new Failure(`${folder}: is not empty; --force writes into it all the same`);
  return 'folder';
}

/** Without a compiler on this machine, the project brings the one that npm has. */
async function compilerIsMissing() {
  try {
    await findCompiler(undefined, () => {});
    return false;
  } catch (error) {
    if (error instanceof Failure) return true;
    throw error;
  }
}

/** @param {string} folder @param {string} name @param {boolean} bringCompiler */
function fill(folder, name, bringCompiler) {
  cpSync(TEMPLATE, folder, { recursive: true });
  renameSync(join(folder, 'gitignore'), join(folder, '.gitignore')); // npm packs no file of that name
  const { version } = JSON.parse(readFileSync(ofPackage('package.json'), 'utf8'));
  for (const file of FILLED) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replaceAll('@NAME@', name).replaceAll('@VERSION@', `^${version}`));
  }
  if (!bringCompiler) return;
  const path = join(folder, 'package.json');
  const about = JSON.parse(readFileSync(path, 'utf8'));
  about.devDependencies = { [YOWASP.name]: YOWASP.version };
  writeFileSync(path, `${JSON.stringify(about, null, 2)}\n`);
}

/** @param {string[]} args */
export async function run(args) {
  const { values, positionals } = parse({
    args,
    options: { force: { type: 'boolean' } },
    allowPositionals: true,
  });
  const [name, ...others] = positionals;
  if (name === undefined) throw new UsageError('a name is missing: NAME');
  if (others.length > 0) throw new UsageError('one name at a time');
  check(name);
  const there = look(name, values.force ?? false);
  const bringCompiler = await compilerIsMissing();
  let made;
  try {
    made = mkdtempSync(resolve('.towline-'));
    const project = join(made, 'project');
    fill(project, name, bringCompiler);
    if (there === 'nothing') renameSync(project, name);
    else cpSync(project, name, { recursive: true });
  } catch (error) {
    throw fileFailure(name, error);
  } finally {
    if (made) rmSync(made, { recursive: true, force: true });
  }
  const compiler = bringCompiler
    ? `\nNo compiler for wasm was found: it brings ${YOWASP.name}.`
    : '';
  process.stdout.write(
    `${name} is there.${compiler} Now:\n\n  cd ${name}\n  npm install\n  npm test\n  npm start\n`,
  );
  return 0;
}
