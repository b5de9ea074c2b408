/** The package as npm packs it, installed into a project that knows nothing of this one. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const projects = fileURLToPath(new URL('projects', import.meta.url));
const run = promisify(execFile);

/**
 * Packs and installs, once for all consumers: each is a folder beside the others, and none has a dependency that another
 * has not.
 */
export async function makeStage() {
  const folder = await mkdtemp(join(tmpdir(), 'towline-package-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await run('npm', ['pack', '--pack-destination', folder, '--loglevel=error'], { cwd: root });
    const tarball = /** @type {string} */ (
      (await readdir(folder)).find((name) => /\.tgz$/.test(name))
    );
    await writeFile(join(folder, 'package.json'), '{"private": true, "type": "module"}\n');
    const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', ['install', ...quiet, `./${tarball}`], { cwd: folder });
    // For the projects that name Node's types: the package brings none.
    await mkdir(join(folder, 'node_modules/@types'));
    await symlink(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
    const installed = join(folder, 'node_modules/towline');
    return { folder, tarball: join(folder, tarball), installed, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * A consumer's project: a copy of one of projects/, with a module in C and a WASI command beside it.
 * @param {string} folder the stage's
 * @param {string} kind
 * @param {string} name
 */
export async function makeProject(folder, kind, name = kind) {
  const project = join(folder, name);
  await cp(join(projects, kind), project, { recursive: true });
  await cp(join(root, 'build/wasi/echo.wasm'), join(project, 'echo.wasm'));
  await cp(join(root, 'build/wasi/programs/cat.wasm'), join(project, 'cat.wasm'));
  return project;
}
