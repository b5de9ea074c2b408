// `towline build`: what it makes, with every compiler, and what it says when it cannot.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { constructorsIn } from '../../js/cli/build/constructors.js';
import { exportsOf, linkedIn } from '../../js/cli/exports.js';
import { load, MemoryNetwork } from '../../js/node.js';
import { environment, folderFor, program, root, towline } from './run.js';

const echo = join(root, 'demo/echo.c');

/** A constructor that never makes anything. @param {string} name */
const sourceOf = (name) => `#include <towline/towline.h>
tow_protocol *${name}(tow_loop *loop, void *context) {
  (void)loop, (void)context;
  return NULL;
}
`;

/** A folder with these files. @param {import('node:test').TestContext} t @param {Record<string, string>} files */
async function folderWith(t, files) {
  const folder = await folderFor(t);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  // What is compiled of the library is kept where this project keeps it.
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** What a module's echo answers. @param {string} path */
async function echoed(path) {
  const mem = new MemoryNetwork();
  const module = await load(path, { transports: { mem } });
  await module.listen('mem:echo', { protocol: 'echo_new' });
  const end = /** @type {import('../../js/transports/memory.js').MemoryEnd} */ (mem.open('echo'));
  const heard = new Promise((resolve) => {
    end.onchange = () => {
      const bytes = end.read();
      if (bytes) resolve(String(Buffer.from(bytes)));
    };
  });
  end.write(Buffer.from('hello'));
  const answer = await heard;
  await module.close();
  return answer;
}

for (const compiler of ['wasi', 'yowasp', 'emscripten'])
  test(`--with ${compiler}: a module that works`, async (t) => {
    const folder = await folderWith(t, {});
    const args = ['build', echo, '-o', 'out/echo.wasm', '--with', compiler];
    const { code, stdout, stderr } = await towline(args, { cwd: folder });
    assert.equal(code, 0, stderr);
    const size = (await readFile(join(folder, 'out/echo.wasm'))).length;
    assert.match(stdout, /^out\/echo\.wasm: \d+ bytes \(\d+ gzipped\), protocols: echo_new\n$/);
    assert(stdout.includes(` ${size} bytes`), stdout);
    assert.equal(await echoed(join(folder, 'out/echo.wasm')), 'hello');
    assert.deepEqual(await readdir(join(folder, 'out')), ['echo.wasm']);
  });

for (const compiler of ['wasi', 'yowasp', 'emscripten'])
  test(`--with ${compiler}: a module has 1 MiB of heap before its memory grows, whatever static data it has`, async (t) => {
    const folder = await folderWith(t, {
      'large.c': `#include <stdlib.h>
char *start(int);
char *start(int at) { static char data[5 << 20]; return data + at; }
${sourceOf('large_new')}`,
    });
    const args = ['build', 'large.c', '-o', 'm.wasm', '--with', compiler, '--export', 'start'];
    const { code, stderr } = await towline([...args, '--export', 'malloc'], { cwd: folder });
    assert.equal(code, 0, stderr);
    const { exports } = await load(join(folder, 'm.wasm'));
    const { buffer } = exports.memory;
    assert.notEqual(exports.malloc((1 << 20) - 4096), 0);
    assert.equal(exports.memory.buffer, buffer);
    assert.notEqual(exports.malloc(1 << 20), 0);
    assert.notEqual(exports.memory.buffer, buffer);
  });

for (const compiler of ['wasi', 'yowasp', 'emscripten'])
  test(`--with ${compiler}: what the compiler says of errors is told as it is, and nothing is left`, async (t) => {
    const folder = await folderWith(t, {
      'part.h': '#define ANSWER missing\n',
      'wrong.c': '#include "part.h"\n\nint f(void) { return ANSWER; }\n',
      'undefined.c': `${sourceOf('a_new')}int g(void);\nint f(void) { return g(); }\n`,
      'out.wasm': 'as it was',
    });
    /** @param {string[]} args */
    const build = (...args) =>
      towline(['build', ...args, '-o', 'out.wasm', '--with', compiler], { cwd: folder });
    const wrong = await build('wrong.c');
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^wrong\.c:3:22: error: use of undeclared identifier 'missing'/m);
    assert.match(wrong.stderr, /^towline build: wrong\.c does not compile\n$/m);
    const undefinedOne = await build('undefined.c', '--export', 'f');
    assert.equal(undefinedOne.code, 1);
    assert.match(undefinedOne.stderr, /undefined symbols?: g\b/);
    const unknown = await build('undefined.c', '--export', 'nowhere');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /nowhere/);
    assert.equal(await readFile(join(folder, 'out.wasm'), 'utf8'), 'as it was');
    const left = (await readdir(folder)).filter((name) => name.startsWith('.'));
    assert.deepEqual(left, []);
  });

test('the constructors of all files are exported, and what else is named', async (t) => {
  const folder = await folderWith(t, {
    'one.c': `${sourceOf('one_new')}static ${sourceOf('hidden').split('\n').slice(1).join('\n')}
void *use(void);
void *use(void) { return (void *)hidden; }
int add(int a, int b);
int add(int a, int b) { return a + b; }
`,
    'two.c': `/* tow_protocol *comment_new(tow_loop *loop, void *context) */
#if 0
${sourceOf('left_out')}
#endif
${sourceOf('two_new')}`,
  });
  const args = ['build', 'one.c', 'two.c', '-o', 'm.wasm', '--export', 'use'];
  const { code, stdout, stderr } = await towline(args, { cwd: folder });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /, protocols: one_new, two_new\n$/);
  const module = await WebAssembly.compile(await readFile(join(folder, 'm.wasm')));
  const own = WebAssembly.Module.exports(module)
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('tow_'));
  assert.deepEqual(own.sort(), ['_initialize', 'memory', 'one_new', 'two_new', 'use']);
});

test('constructors are found however they are written', () => {
  const names = constructorsIn(`
    tow_protocol *a(tow_loop *loop, void *context) {}
    struct tow_protocol* b(struct tow_loop*loop,void*context);
    tow_protocol *
    c(
        tow_loop *, // the loop
        void * /* nothing */
    );
    const char *text = "tow_protocol *no1(tow_loop *loop, void *context)"; // tow_protocol *no2(tow_loop *l, void *c)
    tow_protocol *no3(tow_loop *loop, int context);
    tow_protocol **no4(tow_loop *loop, void *context);
    my_tow_protocol *no5(tow_loop *loop, void *context);
  `);
  assert.deepEqual(names, ['a', 'b', 'c']);
});

test('a module without constructors is refused, with what to write', async (t) => {
  const folder = await folderWith(t, { 'none.c': 'int add(int a, int b) { return a + b; }\n' });
  const { code, stdout, stderr } = await towline(['build', 'none.c', '-o', 'm.wasm'], {
    cwd: folder,
  });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /write tow_protocol \*NAME\(tow_loop \*loop, void \*context\)/);
  assert(!(await readdir(folder)).includes('m.wasm'));
});

test('-I, -D, -O and what is behind -- go to the compiler, for the user’s files', async (t) => {
  const folder = await folderWith(t, {
    'm.c': `#include "mine.h"
#if !defined(A) || B != 2 || C != 3 || !defined(__OPTIMIZE__) || defined(__OPTIMIZE_SIZE__)
#error flags
#endif
${sourceOf('m_new')}`,
  });
  await mkdir(join(folder, 'headers'));
  await writeFile(join(folder, 'headers/mine.h'), '#define C 3\n');
  const args = ['build', 'm.c', '-Iheaders', '-D', 'A', '-DB=2', '-O2', '-o', 'm.wasm', '--'];
  const { code, stderr } = await towline([...args, '-Wall', '-Werror'], { cwd: folder });
  assert.equal(code, 0, stderr);
});

test('the second build compiles only the user’s files', async (t) => {
  const folder = await folderFor(t);
  await mkdir(join(folder, 'node_modules'));
  const build = () => towline(['build', echo, '-o', 'm.wasm', '--verbose'], { cwd: folder });
  /** @param {string} log */
  const compiled = (log) => [...log.matchAll(/ -c \S*?([\w-]+\.c) /g)].map(([, name]) => name);
  const first = await build();
  assert.equal(first.code, 0, first.stderr);
  assert(compiled(first.stderr).includes('life.c'));
  const bytes = await readFile(join(folder, 'm.wasm'));
  const second = await build();
  assert.deepEqual(compiled(second.stderr), ['echo.c']);
  assert.deepEqual(await readFile(join(folder, 'm.wasm')), bytes);
  const cache = await readdir(join(folder, 'node_modules/.cache/towline'));
  assert.deepEqual(
    cache.filter((name) => name.startsWith('.')),
    [],
  );
});

test('without wasm-opt the module is larger, and --verbose says why', async (t) => {
  const folder = await folderWith(t, {});
  const build = async (/** @type {NodeJS.ProcessEnv} */ env) => {
    const args = ['build', echo, '-o', 'm.wasm', '--with', 'wasi', '-v'];
    const { code, stderr } = await towline(args, { cwd: folder, env });
    assert.equal(code, 0, stderr);
    assert.equal(await echoed(join(folder, 'm.wasm')), 'hello');
    return { stderr, size: (await readFile(join(folder, 'm.wasm'))).length };
  };
  const small = await build({});
  const large = await build({ WASM_OPT: '' });
  assert(small.size < large.size);
  assert.match(large.stderr, /no wasm-opt was found/);
  const broken = await build({ WASM_OPT: process.execPath });
  assert.equal(broken.size, large.size);
  assert.match(broken.stderr, /failed, so the module is as it was linked/);
});

test('$WASI_SDK_PATH names a wasi-sdk, and $CC a compiler if it can', async (t) => {
  const folder = await folderWith(t, {});
  const build = (/** @type {NodeJS.ProcessEnv} */ env) =>
    towline(['build', echo, '-o', 'm.wasm', '--with', 'wasi', '-v'], { cwd: folder, env });
  const sdk = join(folder, 'sdk');
  await mkdir(join(sdk, 'share/wasi-sysroot/lib'), { recursive: true });
  await mkdir(join(sdk, 'share/wasi-sysroot/include'));
  await mkdir(join(sdk, 'bin'));
  for (const tool of ['clang', 'wasm-ld', 'llvm-ar'])
    await symlink(`/usr/bin/${tool}`, join(sdk, 'bin', tool));
  for (const part of ['lib', 'include'])
    await symlink(`/usr/${part}/wasm32-wasi`, join(sdk, 'share/wasi-sysroot', part, 'wasm32-wasi'));
  const bySdk = await build({ WASI_SDK_PATH: sdk });
  assert.equal(bySdk.code, 0, bySdk.stderr);
  assert(bySdk.stderr.includes(`${sdk}/bin/clang --target=wasm32-wasi --sysroot=${sdk}/share`));
  const missing = await build({ WASI_SDK_PATH: join(folder, 'nowhere') });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /wasi: .*nowhere\S* is not there/);
  const byCc = await build({ CC: 'clang-14' });
  assert.equal(byCc.code, 0, byCc.stderr);
  assert.match(byCc.stderr, /\/clang-14 --target/);
  const cannot = await build({ CC: 'gcc' });
  assert.equal(cannot.code, 0, cannot.stderr);
  assert.match(cannot.stderr, /\/clang --target/);
});

test('a build that is interrupted leaves nothing', async (t) => {
  const folder = await folderWith(t, { 'out.wasm': 'as it was' });
  // A compiler that says when it has begun, and goes on until it is let go.
  execFileSync('mkfifo', [join(folder, 'begun'), join(folder, 'hold')]);
  const script = `#!/bin/sh
case "$*" in *" -c "*) echo >"${folder}/begun"; read line <"${folder}/hold" ;; *) exec clang "$@" ;; esac
`;
  await writeFile(join(folder, 'compiler'), script, { mode: 0o755 });
  const env = { ...environment, CC: join(folder, 'compiler') };
  const args = [program, 'build', echo, '-o', 'out.wasm', '--with', 'wasi'];
  const child = spawn(process.execPath, args, { cwd: folder, env });
  const ended = once(child, 'close');
  await readFile(join(folder, 'begun'));
  assert((await readdir(folder)).some((name) => name.startsWith('.towline-')));
  child.kill('SIGTERM');
  const [exited] = await Promise.all([once(child, 'exit'), writeFile(join(folder, 'hold'), '\n')]);
  assert.equal(exited[1], 'SIGTERM');
  await ended;
  assert.equal(await readFile(join(folder, 'out.wasm'), 'utf8'), 'as it was');
  assert(!(await readdir(folder)).some((name) => name.startsWith('.towline-')));
});

test('without a compiler: what is missing, and how to get one', async (t) => {
  const folder = await folderFor(t);
  const env = { PATH: join(folder, 'nothing') };
  const { code, stderr } = await towline(['build', echo, '-o', 'm.wasm'], { cwd: folder, env });
  assert.equal(code, 1);
  for (const part of ['wasi: clang is not there', 'yowasp: @yowasp/clang is not installed here'])
    assert(stderr.includes(part), stderr);
  for (const way of [/npm install/, /wasi-sdk/, /Debian +apt-get install clang/, /macOS +brew/])
    assert.match(stderr, way);
  assert.deepEqual(await readdir(folder), []);
});

test('a clang that lacks something: which part', async (t) => {
  const folder = await folderFor(t);
  await mkdir(join(folder, 'bin'));
  await symlink('/usr/bin/gcc', join(folder, 'bin/clang'));
  const env = { PATH: join(folder, 'bin') };
  const args = ['build', echo, '-o', 'm.wasm', '--with', 'wasi'];
  const { code, stderr } = await towline(args, { cwd: folder, env });
  assert.equal(code, 1);
  assert.match(stderr, /clang lacks wasi-libc, wasm-ld, llvm-ar/);
});

test('a command line that is wrong is told, with exit code 2; a file that is not there with 1', async (t) => {
  const folder = await folderWith(t, { 'a.c': sourceOf('a_new') });
  await mkdir(join(folder, 'folder.c'));
  await mkdir(join(folder, 'folder.wasm'));
  const wrong = [
    [2, [], /C files are missing/],
    [2, ['a.c'], /-o OUT\.wasm is missing/],
    [2, ['a.c', '-o', 'a.out'], /a\.out is no name for a module/],
    [2, ['a.cpp', '-o', 'a.wasm'], /a\.cpp is no C file/],
    [2, ['a.c', '-o', 'a.wasm', '--with', 'gcc'], /no compiler gcc; there are wasi, /],
    [2, ['a.c', '-o', 'a.wasm', '--export', 'a,b'], /a,b is no name of a function/],
    [1, ['b.c', '-o', 'a.wasm'], /b\.c: no such file or folder/],
    [1, ['folder.c', '-o', 'a.wasm'], /folder\.c: is a folder/],
    [1, ['a.c', '-o', 'folder.wasm'], /folder\.wasm: is a folder/],
    [1, ['a.c', '-o', 'a.c/x.wasm'], /a\.c: /],
  ];
  for (const [exit, args, message] of /** @type {[number, string[], RegExp][]} */ (wrong)) {
    const { code, stderr } = await towline(['build', ...args], { cwd: folder });
    assert.equal(code, exit, stderr);
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});

test('exports.txt: what goes with what is linked', () => {
  const nothing = exportsOf(new Set());
  assert(nothing.includes('tow_wasm_open') && !nothing.includes('tow_wasm_top'));
  const map = `    Addr      Off     Size Out     In      Symbol
     10f      110       3d         a folder/libtowline.a(datagram.o):(tow_host_datagram)
     14c      14d       21                 tow_loop_connect
`;
  const some = exportsOf(linkedIn(map));
  const more = some.filter((name) => !nothing.includes(name));
  assert(more.includes('tow_host_datagram') && more.includes('tow_wasm_opened'));
  assert(!more.includes('tow_wasm_opened_endpoint') && !more.includes('tow_host_exited'));
});
