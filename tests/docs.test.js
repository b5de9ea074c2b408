// Every block of code in the documents is run, and every link leads somewhere.
//
// A whole program of C, JavaScript, and what is for a shell, run as they are: in a folder with the package in its
// node_modules, until they end with 0. Any other block says in a comment right before it what runs it:
//     <!-- run: tests/docs/NAME.c -->    a program that has `#include "example.c"` where the block belongs
//     <!-- run: tests/docs/NAME.js -->   a module whose default export is given an Example
//     <!-- from: FILE -->                it is a part of that file, or several, with an empty line between them
// What an example prints stands in it: `// prints hello`. What is no code is a block of `text`.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { closeBrowser, exampleFor } from './docs/example.js';

/** @import { Example } from './docs/example.js' */

/**
 * @typedef {object} Block
 * @property {number} line
 * @property {string} language
 * @property {string} code
 * @property {'run' | 'from' | undefined} how
 * @property {string} file that runs it, or that it is from
 */

const documents = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).split('\n');

after(closeBrowser);

const FENCED = /^(?:<!-- (run|from): (\S+) -->\n\n?)?```(\S*)\n(.*?)^```$/gms;

/** @param {string} text @returns {Block[]} */
const blocksOf = (text) =>
  [...text.matchAll(FENCED)].map(({ index, 0: all, 1: how, 2: file, 3: language, 4: code }) => ({
    line: text.slice(0, index + all.indexOf('```')).split('\n').length,
    language,
    code,
    how: /** @type {Block['how']} */ (how),
    file,
  }));

/** As they are; each answers what was printed. @type {Record<string, (example: Example) => Promise<{stdout: string}>>} */
const languages = {
  async c(example) {
    assert.match(example.code, /^int main\(/m, 'no whole program: say in a comment what runs it');
    await example.write('example.c');
    await example.compile(join(example.folder, 'example.c'));
    return example.run('./example');
  },
  async js(example) {
    await example.write('example.js');
    return example.run(process.execPath, 'example.js');
  },
  async sh(example) {
    await example.write('example.sh');
    return example.run(...example.shell);
  },
};

const flat = (/** @type {string} */ text) => text.trim().replace(/\s+/g, ' ');

/** Each part of the block stands in that file, in this order. @param {Block} block */
async function compare({ code, file }) {
  const whole = flat(await readFile(file, 'utf8'));
  let at = 0;
  for (const part of code.split(/\n\s*\n/).map(flat)) {
    const found = whole.indexOf(part, at);
    assert(found >= 0, `${file} has not, or not here: ${part}`);
    at = found + part.length;
  }
}

/** A program of C around the block. @param {Example} example @param {string} file */
async function embed(example, file) {
  await example.write('example.c');
  await example.compile(file);
  return example.run('./example');
}

/** @param {import('node:test').TestContext} t @param {Block} block */
async function prove(t, block) {
  const { how, file, language, code } = block;
  if (how === 'from') return compare(block);
  const example = await exampleFor(t, block);
  const prover = file?.endsWith('.js')
    ? (await import(pathToFileURL(resolve(file)).href)).default
    : file
      ? embed
      : languages[language];
  assert(prover, `nothing runs a block of ${language || 'no language'}`);
  const { stdout = '' } = (await prover(example, file)) ?? {};
  const expected = [...code.matchAll(/(?:\/\/|\/\*|#) prints (.*?)(?: \*\/)?$/gm)];
  for (const [, line] of expected)
    assert(stdout.includes(line), `it printed ${stdout}, not ${line}`);
}

/** What a heading is linked by. @param {string} heading */
const anchor = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

/** @param {string} document @param {string} link */
async function follow(document, link) {
  const [path, fragment] = link.split('#');
  const target = path === '' ? document : join(dirname(document), path);
  assert(existsSync(target), `${link}: there is no ${target}`);
  if (fragment === undefined) return;
  const headings = (await readFile(target, 'utf8')).matchAll(/^#+ (.*)$/gm);
  assert(
    [...headings].some(([, text]) => anchor(text) === fragment),
    `${target} has no #${fragment}`,
  );
}

// A template is a part of `towline new`, whose tests run it.
for (const document of documents.filter((path) => existsSync(path) && !path.includes('template/')))
  describe(document, { concurrency: 4 }, async () => {
    const text = await readFile(document, 'utf8');
    for (const block of blocksOf(text))
      if (block.language !== 'text')
        test(`${document}:${block.line}, ${block.language}`, (t) => prove(t, block));

    test(`${document}: its links lead somewhere, and its code is fenced`, async () => {
      const prose = text.replace(FENCED, '');
      assert.doesNotMatch(
        prose,
        /^ *(```|~~~|<!-- (run|from))/m,
        'a block, or a comment without one',
      );
      assert.doesNotMatch(
        prose,
        /^(?![ ]*([-*]|\d+\.) ).*\n\n {4}/m,
        'code that is indented, not fenced',
      );
      for (const [, link] of prose.matchAll(/\]\(([^)\s]+)\)/g))
        if (!/^[a-z]+:/.test(link)) await follow(document, link);
    });
  });
