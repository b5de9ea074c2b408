// `make install`, as its users have it: C and C++ by pkg-config and by CMake, shared and static, from where it was
// installed and from elsewhere; what the shared library shows; the headers under every warning.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { declared } from './headers.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const programs = join(root, 'tests/install');
const echo = join(root, 'demo/echo.c');

let folder = '';
let prefix = '';

/**
 * What it prints; an error if it fails.
 * @param {string} command
 * @param {string[]} parameters
 * @param {NodeJS.ProcessEnv} [environment]
 */
async function run(command, parameters, environment) {
  const env = { ...process.env, ...environment };
  // Of a `make test` around this.
  for (const name of ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL']) delete env[name];
  const options = { cwd: root, env, maxBuffer: 1 << 26 };
  return (await promisify(execFile)(command, parameters, options)).stdout;
}

/** @param {string[]} variables @param {string} [goal] */
const make = (variables, goal = 'install') => run('make', ['-s', goal, ...variables]);

/** The files under a folder. @param {string} where */
async function files(where) {
  const names = await readdir(where, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(where.length + 1))
    .sort();
}

const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const headers = (await readdir(join(root, 'include/towline'))).sort();
const installed = [
  ...headers.map((name) => `include/towline/${name}`),
  'lib/cmake/Towline/TowlineConfig.cmake',
  'lib/cmake/Towline/TowlineConfigVersion.cmake',
  'lib/libtowline.a',
  'lib/libtowline.so',
  'lib/libtowline.so.0',
  `lib/libtowline.so.${version}`,
  'lib/pkgconfig/towline.pc',
];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'towline-'));
  prefix = join(folder, 'prefix');
  await make([`PREFIX=${prefix}`]);
});
after(() => rm(folder, { recursive: true, force: true }));

test('install puts headers, libraries, towline.pc and the CMake package under PREFIX', async () => {
  assert.deepEqual(await files(prefix), installed);
  for (const name of installed) {
    const { mode } = await lstat(join(prefix, name));
    assert.equal(mode & 0o7777, /\.so(\.0)?$/.test(name) ? 0o777 : 0o644, name);
  }
});

test('install under DESTDIR names neither that nor where it was built; uninstall leaves nothing', async () => {
  const stage = join(folder, 'stage');
  const where = ['PREFIX=/opt/towline', 'LIBDIR=/opt/towline/lib/here', `DESTDIR=${stage}`];
  await make(where);
  const staged = await files(join(stage, 'opt/towline'));
  assert.deepEqual(
    staged,
    installed.map((name) => name.replace(/^lib/, 'lib/here')),
  );
  for (const name of staged.filter((name) => /\.(pc|cmake)$/.test(name))) {
    const text = await readFile(join(stage, 'opt/towline', name), 'utf8');
    for (const path of [stage, resolve(root), '@']) assert.ok(!text.includes(path), text);
  }
  const at = {
    PKG_CONFIG_SYSROOT_DIR: stage,
    PKG_CONFIG_PATH: `${stage}/opt/towline/lib/here/pkgconfig`,
  };
  const flags = await run('pkg-config', ['--cflags', '--libs', 'towline'], at);
  assert.ok(flags.startsWith(`-I${stage}/opt/towline/include `), flags);
  assert.ok(flags.trim().endsWith(` -L${stage}/opt/towline/lib/here -ltowline`), flags);
  await make(where, 'uninstall');
  assert.deepEqual(await files(stage), []);
  const left = await readdir(stage, { recursive: true });
  assert.ok(!left.some((name) => /(include|cmake)\/towline$/i.test(name)), String(left));
});

test('install refuses a folder that is no absolute path', async () => {
  await assert.rejects(make(['PREFIX=here', `DESTDIR=${folder}/`]), /not an absolute path: here/);
});

test('one version: package.json, header, towline.pc', async () => {
  const at = { PKG_CONFIG_PATH: join(prefix, 'lib/pkgconfig') };
  assert.equal((await run('pkg-config', ['--modversion', 'towline'], at)).trim(), version);
  const text = await readFile(join(prefix, 'include/towline/towline.h'), 'utf8');
  const numbers = [...text.matchAll(/#define TOW_VERSION_[A-Z]+ (\d+)/g)].map(([, n]) => n);
  assert.equal(numbers.join('.'), version);
});

test('the shared library shows what the public headers declare, and nothing else', async () => {
  const names = await declared(`${prefix}/include`, ['FunctionDecl', 'VarDecl']);
  const symbols = await run('nm', ['-D', '--defined-only', `${prefix}/lib/libtowline.so`]);
  const shown = symbols.trim().split('\n');
  assert.ok(names.includes('tow_transport_write') && names.includes('tow_framing_default'));
  assert.deepEqual(shown.map((line) => line.split(' ').at(-1)).sort(), names.sort());
});

const warnings = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Wcast-qual'];
const inC = [...warnings, '-Wstrict-prototypes', '-Wmissing-prototypes', '-Werror', '-x', 'c'];
const inCpp = [...warnings, '-Wundef', '-Wold-style-cast', '-Werror', '-x', 'c++'];
for (const [compiler, standards, options] of /** @type {[string, string[], string[]][]} */ ([
  ['gcc', ['c11', 'c17', 'c2x', 'gnu11'], inC],
  ['clang', ['c11', 'c17', 'c2x', 'gnu11'], inC],
  ['g++', ['c++11', 'c++17', 'c++20'], inCpp],
  ['clang++', ['c++11', 'c++17', 'c++20'], inCpp],
]))
  test(`the headers, each by itself, have no warnings: ${compiler}`, async () => {
    for (const standard of standards)
      await run(compiler, [
        '-fsyntax-only',
        `-std=${standard}`,
        `-I${prefix}/include`,
        ...options,
        ...headers.map((name) => `${prefix}/include/towline/${name}`),
      ]);
  });

/** The programs, and what they print. @type {Record<string, string>} */
const printed = {
  memory: `${version}: hello\n`,
  network: `${version}: hello\n`,
  echo: 'memory: hello\nnetwork: hello\n',
};

/** What a program is dynamically linked with. @param {string} program */
async function needed(program) {
  const lines = await run('readelf', ['-d', program]);
  return [...lines.matchAll(/\(NEEDED\).*\[(.*?)\.so/g)].map(([, name]) => name);
}

/**
 * Compiles one of the programs, and runs it.
 * @param {string} name
 * @param {string} program where it goes
 * @param {string[]} flags
 */
async function compile(name, program, flags) {
  const [compiler, standard, sources] =
    name === 'echo'
      ? ['g++', '-std=c++17', [`${programs}/echo.cpp`]]
      : ['gcc', '-std=c11', [`${programs}/${name}.c`, echo]];
  const options = [standard, ...warnings, '-Werror', ...sources, ...flags, '-o', program];
  await run(compiler, options);
  assert.equal(await run(program, [], { LD_LIBRARY_PATH: `${prefix}/lib` }), printed[name]);
  return needed(program);
}

const names = Object.keys(printed);
for (const name of names) {
  const at = () => ({ PKG_CONFIG_PATH: join(prefix, 'lib/pkgconfig') });

  test(`pkg-config: ${name}, shared`, async () => {
    const flags = await run('pkg-config', ['--cflags', '--libs', 'towline'], at());
    const linked = await compile(name, join(folder, name), flags.trim().split(' '));
    assert.ok(linked.includes('libtowline') && !linked.includes('libuv'), String(linked));
  });

  test(`pkg-config: ${name}, static`, async () => {
    const flags = await run('pkg-config', ['--static', '--cflags', '--libs', 'towline'], at());
    const archive = flags.replace('-ltowline', '-l:libtowline.a');
    const linked = await compile(name, join(folder, `${name}-static`), archive.trim().split(' '));
    assert.ok(!linked.includes('libtowline'), String(linked));
  });
}

test('a program on the memory host links the static library without libuv', async () => {
  const flags = [`-I${prefix}/include`, `${prefix}/lib/libtowline.a`, '-lm'];
  const linked = await compile('memory', join(folder, 'memory-only'), flags);
  assert.deepEqual(
    linked.filter((library) => /towline|uv/.test(library)),
    [],
  );
});

test('CMake: all programs, shared and static, from where the package was moved to', async () => {
  const moved = join(folder, 'moved');
  const architecture = (await run('gcc', ['-print-multiarch'])).trim();
  await make([`PREFIX=${folder}/first`, `LIBDIR=${join(folder, 'first/lib', architecture)}`]);
  await rename(join(folder, 'first'), moved);
  const tree = join(folder, 'cmake');
  const options = ['-S', programs, '-B', tree, `-DCMAKE_PREFIX_PATH=${moved}`, `-DECHO=${echo}`];
  await run('cmake', options);
  await run('cmake', ['--build', tree]);
  for (const name of names)
    for (const target of ['towline', 'towline-static']) {
      const program = join(tree, `${name}-${target}`);
      assert.equal(await run(program, []), printed[name]);
      assert.equal((await needed(program)).includes('libtowline'), target === 'towline');
    }
});

test('CMake: what versions the package answers for', async () => {
  const project = join(programs, 'versions');
  const tree = join(folder, 'versions');
  const [major, minor, patch] = version.split('.').map(Number);
  const later = `${major}.${minor + 1}`;
  for (const [wanted, found] of /** @type {[string, number][]} */ ([
    ['', 1],
    [`${major}.${minor}`, 1],
    [version, 1],
    [`${version};EXACT`, 1],
    [`${major}.${minor}...${later}`, 1],
    [`0.0...<${later}`, 1],
    [`${major}.${minor}.${patch + 1}`, 0],
    [later, 0],
    [`0.0...<${version}`, 0],
    [`${later}...${major + 1}`, 0],
    [`${major + 1}`, 0],
  ])) {
    const options = ['-B', tree, `-DWANTED=${wanted}`, `-DTowline_ROOT=${prefix}`];
    const out = await run('cmake', ['--fresh', '-S', project, ...options]);
    assert.match(out, new RegExp(`found: ${found}`), wanted);
  }
});
