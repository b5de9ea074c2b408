/** Runs `towline`, as a shell would. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const program = join(root, 'js/cli/towline.js');

/** What this process has, less what would change what a command does. */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !['CC', 'WASI_SDK_PATH', 'WASM_OPT', 'NODE_TEST_CONTEXT'].includes(name),
  ),
);

/**
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv}} [where]
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
export const towline = (args, { cwd = root, env } = {}) =>
  run(process.execPath, [program, ...args], { cwd, env });

/**
 * @param {string} file
 * @param {string[]} args
 * @param {{cwd: string, env?: NodeJS.ProcessEnv}} where
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
export const run = (file, args, { cwd, env }) =>
  new Promise((resolve, reject) => {
    const options = { cwd, env: { ...environment, ...env } };
    execFile(file, args, options, (error, stdout, stderr) => {
      const code = error ? error.code : 0;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(error);
    });
  });

/** A folder that is gone after the test. @param {import('node:test').TestContext | typeof import('node:test')} t */
export async function folderFor(t) {
  const folder = await mkdtemp(join(tmpdir(), 'towline-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
