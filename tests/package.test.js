// The npm package: what is in it, and that those who install it can use it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, copyFile, readFile, rm, stat } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join, posix } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { publint } from 'publint';
import * as bundlers from './package/bundlers.js';
import { openChromium, runPage, serveFolder, servePeer } from './package/pages.js';
import { makeProject, makeStage, root } from './package/stage.js';

const run = promisify(execFile);

/** @type {Awaited<ReturnType<typeof makeStage>>} */
let stage;
before(async () => {
  stage = await makeStage();
});
after(() => stage?.remove());

/** What is packed, and whether it may be run. */
async function packed() {
  const { stdout } = await run('tar', ['-tvzf', stage.tarball]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => ({
      mode: line.slice(0, 10),
      path: line.slice(line.indexOf(' package/') + ' package/'.length),
    }));
}

/** Each text of package.json at a place. @param {unknown} value @returns {string[]} */
const texts = (value) =>
  typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap((one) => texts(one));

/** A page in Markdown, which lies where links lead to it; a template's is no such page. @param {string} path */
const isPage = (path) => /^(?!(js|dist)\/cli\/).*\.md$/.test(path);

/** @param {string} path in the package */
const read = (path) => readFile(join(stage.installed, path), 'utf8');

describe('the package', () => {
  test('has the sources that a user needs, what is made of them, and nothing else', async () => {
    const sources = ['js', 'include', 'src', 'wasm', 'package.json', 'LICENSE', '*.md'];
    const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'];
    const { stdout } = await run('git', [...list, ...sources], { cwd: root });
    const ofTheRepository = [
      /(^|\/)build\.mk$/,
      /^src\/(docs|install)\//,
      /(^|\/)uv(_\w+)?\.[ch]$/, // the native host
      /^wasm\/script\//, // what script.wasm is made of
      /^(demo|tests)\//, // their pages
      /^js\/cli\/(build\/)?[\w-]+\.js$/, // made into a few files, for which see below
      /^js\/worker\/command-worker\.js$/, // what wasi-worker.js is made of
    ];
    const ignored = (await readFile(join(root, '.gitignore'), 'utf8')).match(/^\/js\/.*[^/\n]$/gm);
    const made = (ignored ?? []).map((path) => path.slice(1));
    assert.ok(made.includes('js/protocols/script.wasm'));
    const expected = [...stdout.split('\n'), ...made]
      .filter((path) => path && !ofTheRepository.some((rule) => rule.test(path)))
      .map((path) => (isPage(path) ? path : path.replace(/^js\//, 'dist/')));
    const paths = (await packed()).map(({ path }) => path);
    const types = /^js\/types\/(\w[\w-]*\/)*\w[\w-]*\.d\.ts$/;
    const commands = /^dist\/cli\/(towline|(new|build|connect|bridge|inspect|chunk)-\w+)\.js$/;
    assert.deepEqual(
      paths.filter((path) => !types.test(path) && !commands.test(path)).sort(),
      expected.sort(),
    );
    assert.ok(paths.some((path) => types.test(path)));
  });

  test('has the pages that its pages link to, and says what is in the repository only', async () => {
    const repository = /^(demo|tests|js|wasm\/script|include\/towline\/uv\.h$)(\/|$)/;
    const paths = (await packed()).map(({ path }) => path);
    for (const page of paths.filter(isPage))
      for (const [, link] of (await read(page)).matchAll(/\]\((?!\w+:)([^)#\s]+)/g)) {
        const path = posix.join(posix.dirname(page), link);
        const isThere = paths.some((one) => one === path || one.startsWith(`${path}/`));
        assert.ok(isThere || (repository.test(path) && !isPage(path)), `${page}: ${link}`);
      }
    assert.match(await read('README.md'), /`demo\/`, [^.]* are in the repository only/);
  });

  test('has at most 250,000 bytes', async (t) => {
    const { size } = await stat(stage.tarball);
    t.diagnostic(`${size} bytes`);
    assert.ok(size <= 250_000, `${size} bytes`);
  });

  test('has one program to run, and files that anybody may read', async () => {
    const { bin } = JSON.parse(await read('package.json'));
    const programs = Object.values(bin).map((path) => path.replace(/^\.\//, ''));
    for (const { mode, path } of await packed())
      assert.equal(mode, programs.includes(path) ? '-rwxr-xr-x' : '-rw-r--r--', path);
    for (const path of programs) assert.match(await read(path), /^#!\/usr\/bin\/env node\n/);
  });

  test('says nothing of where it was made, and names the one licence that is not its own', async () => {
    const places = [root.replace(/\/$/, ''), homedir(), hostname()].filter((it) => it.length > 4);
    for (const { path } of await packed()) {
      const text = await readFile(join(stage.installed, path), 'latin1');
      for (const place of places) assert.ok(!text.includes(place), `${path} names ${place}`);
      if (path === 'dist/worker/wasi-worker.js')
        assert.match(text, /^\/\*!.*browser_wasi_shim.*Permission is hereby granted.*\*\//s);
      else if (/\.(c|h|c?js|d\.ts)$/.test(path)) assert.doesNotMatch(text, /copyright|spdx/i, path);
    }
  });

  test('has short names for nothing that users see, a module imports, or files export', async () => {
    const rule = await readFile(join(root, 'js/build.mk'), 'utf8');
    const names = /^DIST_SHORT := ((?:.*\\\n)*.*)$/m.exec(rule)?.[1].match(/\w+/g) ?? [];
    assert.ok(names.length > 10);
    const any = `\\b(${names.join('|')})\\b`;
    assert.doesNotMatch(await read('dist/instance.js'), new RegExp(`\\.${any}`));
    assert.doesNotMatch(await read('wasm/boundary.h'), new RegExp(`TOW_IMPORT\\(${any}\\)`));
    for (const { path } of await packed()) {
      if (path.endsWith('.d.ts')) {
        const code = (await read(path)).replace(/\/\*.*?\*\/|'[^'\n]*'/gs, '');
        assert.doesNotMatch(code, new RegExp(`^ +(get |static )?${any}[(:?]`, 'm'), path);
      } else if (/^dist\/(?!cli\/).*\.js$/.test(path)) {
        const code = await read(path);
        assert.doesNotMatch(code, new RegExp(`export\\{[^}]*${any}`), path);
        assert.doesNotMatch(code, new RegExp(`export (\\w+ )+${any}`), path);
      }
    }
  });

  test('has a module without names, debug information, or paths', async () => {
    const code = await readFile(join(stage.installed, 'dist/protocols/script.wasm'));
    const module = await WebAssembly.compile(code);
    for (const section of ['name', 'producers', 'sourceMappingURL', '.debug_info', '.debug_str'])
      assert.deepEqual(WebAssembly.Module.customSections(module, section), [], section);
    const strings = code.toString('latin1').match(/[\x20-\x7e]{4,}/g) ?? [];
    assert.ok(strings.some((text) => text.includes('get_buffer() returned an empty buffer')));
    for (const text of strings) assert.doesNotMatch(text, /\/\w+\/|\.[ch]$/, text);
  });

  test('has every file that package.json names, types for every entry', async () => {
    const { bin, exports } = JSON.parse(await read('package.json'));
    for (const path of texts({ bin, exports })) await access(join(stage.installed, path));
    for (const [entry, ways] of Object.entries(exports)) {
      if (/\.\w+$/.test(entry)) continue; // a file, for bundlers and tools
      for (const way of 'types' in ways ? [ways] : Object.values(ways))
        assert.equal(Object.keys(way)[0], 'types', entry);
    }
  });

  test('is what publint and arethetypeswrong ask for', async () => {
    const { messages } = await publint({ pkgDir: stage.installed, pack: false, strict: true });
    assert.deepEqual(messages, []);
    // ECMAScript modules only: CommonJS requires them, in Node 20.19 and later. Files are no modules with types.
    const rules = [
      '--profile',
      'esm-only',
      '--exclude-entrypoints',
      'script.wasm',
      'wasi-worker.js',
    ];
    const attw = join(root, 'node_modules/.bin/attw');
    await run(attw, [stage.tarball, ...rules]); // fails if there is anything
  });

  test('is not packed without a C compiler for wasm: that is said', async () => {
    const packing = run('make', ['-s', 'prepack', 'WASI_SDK_PATH=/nowhere'], { cwd: root });
    const { stderr } = await packing.then(
      () => assert.fail(),
      (error) => error,
    );
    assert.match(stderr, /^towline: the package is built with clang, lld and wasi-libc/m);
  });
});

describe('a project with the package', () => {
  for (const [kind, what] of [
    ['page', 'bundler, in a page, where nothing is known of Node'],
    ['node16', 'node16, in Node, where nothing is known of pages'],
    ['nodenext', "nodenext, without Node's types"],
  ])
    test(`TypeScript, strict, ${what}`, async () => {
      const project = await makeProject(stage.folder, 'typescript', `typescript-${kind}`);
      const tsc = join(root, 'node_modules/.bin/tsc');
      const complaints = await run(tsc, ['-p', `tsconfig.${kind}.json`], { cwd: project }).then(
        () => '',
        ({ stdout }) => stdout,
      );
      assert.equal(complaints, '');
    });

  /** @type {string} */
  let project;
  before(async () => {
    project = await makeProject(stage.folder, 'node');
  });

  /** @param {string[]} values */
  const node = async (...values) =>
    JSON.parse((await run(process.execPath, values, { cwd: project })).stdout);

  const towline = (/** @type {string[]} */ ...args) =>
    run(join(stage.folder, 'node_modules/.bin/towline'), args, { cwd: project });

  test('towline, every command', async () => {
    const { version } = JSON.parse(await read('package.json'));
    assert.equal((await towline('--version')).stdout, `${version}\n`);
    const commands = (await towline('--help')).stdout.match(/(?<=^ {2})[a-z]+/gm) ?? [];
    assert.deepEqual(commands, ['new', 'build', 'connect', 'bridge', 'inspect']);
    for (const command of commands)
      assert.match(
        (await towline(command, '--help')).stdout,
        new RegExp(`^Usage: towline ${command} `),
      );
    await towline('new', 'chat');
    for (const file of ['src/chat.c', '.gitignore']) await access(join(project, 'chat', file));
    assert.match((await towline('inspect', 'echo.wasm')).stdout, /^protocols +echo_new$/m);
  });

  test('towline build, of the sources that are in the package', async () => {
    await rm(join(project, 'echo.wasm')); // the next test loads what is built
    await copyFile(join(root, 'demo/echo.c'), join(project, 'echo.c'));
    await towline('build', 'echo.c', '-o', 'echo.wasm');
    await access(join(project, 'echo.wasm'));
  });

  test('Node, modules', async () => {
    assert.deepEqual(await node('module.js'), {
      protocolInJavaScript: 'hello\n',
      streams: 'a line\n',
      moduleInC: 'to C\n',
      programInWorker: 'through a Worker',
      throughBridge: 'far\n',
      descriptors: 'function',
    });
  });

  const canRequire = process.features.require_module;
  test('Node, CommonJS', { skip: !canRequire && 'this Node cannot' }, async () => {
    const kinds = Array(4).fill('function');
    assert.deepEqual(await node('commonjs.cjs'), { line: 'required\n', kinds });
  });

  test('Node, CommonJS, where modules cannot be required: that is said', async () => {
    const flags = canRequire ? ['--no-experimental-require-module'] : [];
    const { code, message } = await node(...flags, 'commonjs.cjs');
    assert.equal(code, 'ERR_REQUIRE_ESM');
    assert.match(message, /dynamic import\(\)/);
  });
});

describe('a page with the package', () => {
  /** @type {import('playwright-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof servePeer>>} */
  let peer;
  before(async () => {
    [browser, peer] = await Promise.all([openChromium(), servePeer()]);
  });
  after(async () => {
    await browser?.close();
    peer?.close();
  });

  /** @param {string} address */
  async function check(address) {
    assert.deepEqual(await runPage(browser, address, peer.address), {
      protocolInJavaScript: 'hello',
      streams: 'a line\n',
      moduleInC: null,
      programInWorker: ['through a Worker', 0],
      peers: 'to a peer',
      complaints: [],
    });
  }

  /** @param {import('node:test').TestContext} t @param {string} folder @param {string} [file] */
  async function checkFolder(t, folder, file = 'index.html') {
    const server = await serveFolder(folder);
    t.after(() => server.close());
    await check(server.address + file);
  }

  test('without a bundler, with an import map', async (t) => {
    await makeProject(stage.folder, 'page', 'plain');
    await checkFolder(t, stage.folder, 'plain/plain.html');
  });

  test('Vite, built', async (t) => {
    const project = await makeProject(stage.folder, 'page', 'vite');
    await checkFolder(t, await bundlers.buildWithVite(project));
  });

  test('Vite, in development', async (t) => {
    const project = await makeProject(stage.folder, 'page', 'vite-dev');
    const server = await bundlers.serveWithVite(project);
    t.after(() => server.close());
    await check(server.address);
  });

  test('webpack', async (t) => {
    const project = await makeProject(stage.folder, 'page', 'webpack');
    const { path, complaints } = await bundlers.buildWithWebpack(project);
    assert.deepEqual(complaints, []);
    await checkFolder(t, path);
  });

  test('esbuild', async (t) => {
    const project = await makeProject(stage.folder, 'page', 'esbuild');
    const { path, complaints } = await bundlers.buildWithEsbuild(project);
    assert.deepEqual(complaints, []);
    await checkFolder(t, path);
  });
});
