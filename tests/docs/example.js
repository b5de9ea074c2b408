/** A block of code of a document, in a folder of its own: what runs one has this to do it with. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { openBrowser } from '../browser.js';

/** @import { TestContext } from 'node:test' */
/** @import { Browser } from 'playwright-core' */

const run = promisify(execFile);

/** @type {ReturnType<typeof openBrowser> | undefined} */
let browser;
export const closeBrowser = async () => (await browser)?.close();

export class Example {
  /** @param {TestContext} t @param {{code: string, language: string}} block @param {string} folder */
  constructor(t, { code, language }, folder) {
    this.t = t;
    this.code = code;
    this.language = language;
    /** A folder of its own, gone after the test, with towline in node_modules. */
    this.folder = folder;
  }

  /**
   * Puts the example there, with other words for some of its own, such as an address.
   * @param {string} name
   * @param {Record<string, string>} [replacements]
   * @param {string} [code] of another example
   */
  async write(name, replacements = {}, code = this.code) {
    let text = code;
    for (const [word, other] of Object.entries(replacements)) {
      assert(text.includes(word), `the example has no ${word}`);
      text = text.replaceAll(word, other);
    }
    await writeFile(join(this.folder, name), text);
  }

  /** Lends it a file or a folder of the project. @param {string} path @param {string} name */
  link(path, name) {
    return symlink(resolve(path), join(this.folder, name));
  }

  /** What is not for those who come after a `make test`: its own variables. */
  env = Object.fromEntries(
    Object.entries({ ...process.env, TOWLINE: resolve('.') }).filter(
      ([name]) => !/^M(AKE|FLAGS)/.test(name),
    ),
  );

  /** What runs an example.sh. @type {[string, ...string[]]} */
  shell = ['sh', '-eu', '-c', `. ${resolve('tests/docs/prelude.sh')}; . ./example.sh`];

  /** Runs a program in its folder; fails unless that ends with 0. @param {string} program @param {string[]} values */
  run(program, ...values) {
    const { folder: cwd, env } = this;
    return run(program, values, { cwd, env, signal: AbortSignal.timeout(60_000) });
  }

  /** Compiles a program of C, as a user would. @param {string[]} sources */
  async compile(...sources) {
    const flags = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-o', 'example'];
    const folders = ['-I', this.folder, '-I', resolve('include')];
    const files = [...sources, 'build/libtowline.a'].map((file) => resolve(file));
    await this.run('cc', ...flags, ...folders, ...files, '-luv', '-lm');
  }

  /** Opens a page of its folder in Chromium, and waits until its console says that. @param {string} name @param {string} words */
  async open(name, words) {
    browser ??= openBrowser();
    const { page: first } = await browser;
    const context = await /** @type {Browser} */ (first.context().browser()).newContext();
    this.t.after(() => context.close());
    const page = await context.newPage();
    const said = page.waitForEvent('console', (line) => line.text() === words);
    const failed = page.waitForEvent('pageerror').then((error) => Promise.reject(error));
    await page.goto(new URL(`${relative('.', this.folder)}/${name}`, first.url()).href);
    await Promise.race([said, failed]);
  }
}

/** @param {TestContext} t @param {{code: string, language: string}} block */
export async function exampleFor(t, block) {
  const cache = resolve('build/examples-cache'); // of `towline build`
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(resolve('build/example-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'node_modules/.bin'), { recursive: true });
  await symlink(cache, join(folder, 'node_modules/.cache'));
  await symlink(resolve('.'), join(folder, 'node_modules/towline'));
  await symlink('../towline/js/cli/towline.js', join(folder, 'node_modules/.bin/towline'));
  await writeFile(join(folder, 'package.json'), '{"private": true, "type": "module"}\n');
  return new Example(t, block, folder);
}
