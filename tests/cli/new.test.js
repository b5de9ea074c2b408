// `towline new`: what it makes builds, passes its tests and runs, with nothing of Towline but what its package carries.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { flags } from '../browser.js';
import { environment, folderFor, root, run, towline } from './run.js';

/**
 * What is in a folder, and below it.
 * @param {string} folder
 * @returns {Promise<Record<string, string>>}
 */
async function contents(folder) {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path, name }) => join(parentPath ?? path, name));
  return Object.fromEntries(
    await Promise.all(files.map(async (path) => [path, await readFile(path, 'utf8')])),
  );
}

/** As `npm install` would lay Towline down, from the files that npm packs. @param {string} modules */
async function install(modules) {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
  });
  const [{ files }] = JSON.parse(stdout);
  for (const { path } of files) {
    if (path.startsWith('js/types/')) continue; // made by prepack, and used by nothing here
    await mkdir(join(modules, 'towline', dirname(path)), { recursive: true });
    await cp(join(root, path), join(modules, 'towline', path));
  }
  await symlink(join(root, 'node_modules/ws'), join(modules, 'ws'));
  await mkdir(join(modules, '.bin'));
  await symlink('../towline/dist/cli/towline.js', join(modules, '.bin/towline'));
}

describe('a project', () => {
  /** @type {string} */
  let folder;
  /** @type {(() => Promise<void>)[]} */
  const undo = [];
  before(async () => {
    const made = { after: (/** @type {() => Promise<void>} */ fn) => undo.push(fn) };
    folder = await folderFor(/** @type {any} */ (made));
    await mkdir(join(folder, 'node_modules'));
    await install(join(folder, 'node_modules'));
    const { code, stdout, stderr } = await run(
      join(folder, 'node_modules/.bin/towline'),
      ['new', 'my-chat'],
      { cwd: folder },
    );
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^my-chat is there\. Now:\n\n {2}cd my-chat\n {2}npm install\n {2}npm test\n/,
    );
    folder = join(folder, 'my-chat');
  });
  after(async () => {
    for (const fn of undo) await fn();
  });

  test('has its name, and this version of Towline', async () => {
    const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    assert.equal(about.name, 'my-chat');
    assert.equal(about.dependencies.towline, `^${version}`);
    assert.equal(about.devDependencies, undefined); // there is a compiler here
    assert.match(await readFile(join(folder, '.gitignore'), 'utf8'), /^\/build\/$/m);
    for (const [path, text] of Object.entries(await contents(folder)))
      assert(!/@[A-Z]+@/.test(text), path);
    assert.equal((await lstat(folder)).mode & 0o777, 0o777 & ~process.umask());
  });

  test('builds and passes its tests', async () => {
    const { code, stdout, stderr } = await run('npm', ['test'], { cwd: folder });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^# pass 5$/m);
    assert.match(stdout, /build\/chat\.wasm: \d+ bytes .* protocols: member_new, visitor_new/);
  });

  test('compiles without a warning', async () => {
    const strict = ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Werror'];
    const more = ['--export', 'visitor_say', '-o', 'build/strict.wasm', '--', ...strict];
    const installed = join(folder, '../node_modules/.bin/towline');
    const { code, stderr } = await run(installed, ['build', 'src/chat.c', ...more], {
      cwd: folder,
    });
    assert.equal(code, 0, stderr);
  });

  test('npm start: two pages talk', async (t) => {
    const env = { ...environment, PORT: '0' };
    const options = /** @type {const} */ ({ cwd: folder, env, detached: true });
    const server = spawn('npm', ['start'], { ...options, stdio: ['ignore', 'pipe', 'ignore'] });
    t.after(async () => {
      const ended = once(server, 'close');
      process.kill(-(server.pid ?? 0)); // npm, and what it has started
      await ended;
    });
    let address = '';
    for await (const line of createInterface(server.stdout)) {
      address = line;
      if (line.startsWith('http:')) break;
    }
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: flags });
    t.after(() => browser.close());
    /** @type {unknown[]} */
    const errors = [];
    /** @param {string} name */
    const enter = async (name) => {
      const page = await browser.newPage();
      page.on('pageerror', (error) => errors.push(error));
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      await page.goto(address);
      const say = async (/** @type {string} */ text) => {
        await page.fill('#text', text);
        await page.keyboard.press('Enter');
      };
      await say(name);
      await page.getByText(`${name} has come`).waitFor();
      return { page, say };
    };
    const ada = await enter('ada');
    const grace = await enter('grace');
    await ada.page.getByText('grace has come').waitFor();
    await ada.say('hello <b>grace</b>');
    await grace.page.getByText('hello <b>grace</b>').waitFor();
    await grace.page.close();
    await ada.page.getByText('grace has left').waitFor();
    assert.deepEqual(errors, []);
    const outside = await fetch(new URL('towline/..%2f..%2fpackage.json', address));
    assert.equal(outside.status, 404);
    await outside.text();
  });
});

test('without a compiler on the machine, the project brings one', async (t) => {
  const folder = await folderFor(t);
  const env = { PATH: join(folder, 'nothing') };
  const { code, stdout } = await towline(['new', 'a'], { cwd: folder, env });
  assert.equal(code, 0);
  assert.match(stdout, /it brings @yowasp\/clang/);
  const about = JSON.parse(await readFile(join(folder, 'a/package.json'), 'utf8'));
  const ours = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const name = '@yowasp/clang'; // the version is the one that is tested here
  assert.deepEqual(about.devDependencies, { [name]: ours.devDependencies[name] });
});

test('a name that npm does not take is refused', async (t) => {
  const folder = await folderFor(t);
  for (const name of ['', 'Chat', '../chat', 'a/b', '.hidden', 'a b', 'node_modules', 'towline']) {
    const { code, stderr } = await towline(['new', name], { cwd: folder });
    assert.equal(code, 2, name);
    assert.match(stderr, /^towline new: .*name/);
  }
  assert.equal((await towline(['new'], { cwd: folder })).code, 2);
  assert.equal((await towline(['new', 'a', 'b'], { cwd: folder })).code, 2);
  assert.deepEqual(await readdir(folder), []);
});

test('a folder that is not empty is left as it is, unless --force says otherwise', async (t) => {
  const folder = await folderFor(t);
  await mkdir(join(folder, 'mine'));
  await writeFile(join(folder, 'mine/notes'), 'mine');
  await writeFile(join(folder, 'mine/package.json'), '{}');
  await writeFile(join(folder, 'file'), 'a file');
  const before = await contents(folder);
  const refused = await towline(['new', 'mine'], { cwd: folder });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^towline new: mine: is not empty; --force /);
  assert.match((await towline(['new', 'file'], { cwd: folder })).stderr, /file: is a file/);
  assert.deepEqual(await contents(folder), before);
  assert.equal((await towline(['new', 'mine', '--force'], { cwd: folder })).code, 0);
  assert.equal(await readFile(join(folder, 'mine/notes'), 'utf8'), 'mine');
  assert.match(await readFile(join(folder, 'mine/package.json'), 'utf8'), /"name": "mine"/);
  await rm(join(folder, 'mine'), { recursive: true });
  await mkdir(join(folder, 'mine'));
  assert.equal((await towline(['new', 'mine'], { cwd: folder })).code, 0);
  assert.deepEqual((await readdir(folder)).sort(), ['file', 'mine']);
});
