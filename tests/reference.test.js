// `make docs`: the reference of the C headers and of the package, with nothing public left out. What is exported without an
// explanation ends it with an error.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { declared } from './headers.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const fromRoot = (/** @type {string} */ path) => join(root, path);

/** @param {string} command @param {string[]} parameters */
async function run(command, parameters) {
  const { MAKEFLAGS, MFLAGS, MAKELEVEL, ...env } = process.env; // of a `make test` around this
  return (await promisify(execFile)(command, parameters, { cwd: root, env })).stdout;
}

before(() => run('make', ['-s', 'docs']));

test('every public function, struct, enum, callback and macro has its place in the C reference', async () => {
  const tags = await readFile(fromRoot('build/docs/c/towline.tag'), 'utf8');
  const names = new Set([...tags.matchAll(/<name>(\w+)<\/name>/g)].map(([, name]) => name));
  const kinds = ['FunctionDecl', 'VarDecl', 'TypedefDecl', 'EnumConstantDecl', 'FieldDecl'];
  const all = await declared(fromRoot('include'), kinds);
  assert.ok(all.includes('tow_transport_write') && all.includes('TOW_ETIMEDOUT'));
  const macros = /^#define (TOW_(?!ERROR)\w+)/gm;
  for (const name of await readdir(fromRoot('include/towline'))) {
    const header = await readFile(fromRoot(`include/towline/${name}`), 'utf8');
    all.push(...[...header.matchAll(macros)].map(([, macro]) => macro));
  }
  assert.deepEqual(
    all.filter((name) => name !== 'TOW_ERROR_LAST' && !names.has(name)),
    [],
  );
  assert.match(await readFile(fromRoot('build/docs/c/index.html'), 'utf8'), /Towline in C/);
});

test('what has no comment in a header is an error', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'towline-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(fromRoot('include/towline'), folder, { recursive: true });
  const uv = join(folder, 'uv.h');
  const text = await readFile(uv, 'utf8');
  await rm(uv);
  const hidden = '\nint tow_uv_unsaid(void);\n\n#pragma GCC visibility pop';
  await appendFile(uv, text.replace('\n#pragma GCC visibility pop', hidden));
  const input = `INPUT = ${folder} CONTRACT.md FRAMING.md LAYERS.md`;
  const settings = `${input}\nOUTPUT_DIRECTORY = ${folder}\nGENERATE_TAGFILE =\n`;
  const command = '(cat src/docs/Doxyfile; printf %s "$1") | doxygen -';
  await assert.rejects(
    run('sh', ['-c', command, 'sh', settings]),
    /tow_uv_unsaid\(void\) \(function\) of group uv is not documented/,
  );
});

test('every entry of the package has its page in the JavaScript reference', async () => {
  const { exports } = JSON.parse(await readFile(fromRoot('package.json'), 'utf8'));
  const entries = Object.keys(exports).filter((entry) => !/\.(wasm|json|js)$/.test(entry));
  const pages = await readdir(fromRoot('build/docs/js/modules'));
  assert.deepEqual(
    pages.sort(),
    entries.map((entry) => `${`towline${entry.slice(1)}`.replaceAll('/', '_')}.html`).sort(),
  );
});

test('the front page leads to both, and they to each other', async () => {
  /** @param {string} page */
  const links = async (page) => {
    const html = await readFile(fromRoot(`build/docs/${page}`), 'utf8');
    return [...html.matchAll(/href="([^"#:]+)/g)].map(([, link]) => join(page, '..', link));
  };
  const front = await links('index.html');
  assert.ok(front.includes('c/index.html') && front.includes('js/index.html'), String(front));
  for (const page of front) await readFile(fromRoot(`build/docs/${page}`));
  assert.ok((await links('c/index.html')).includes('js/index.html'));
  assert.ok((await links('js/index.html')).includes('c/index.html'));
});
