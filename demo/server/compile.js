/**
 * A compiler for the page's last panel, off unless it is asked for: `--compile`. It is the machine's own, with the rights of
 * whoever started the server, and a C file can have it read any file: so it is there for pages of this server only, on
 * this machine only, with a token that no other page can read. Nothing of what it makes is run here.
 */
import { spawn } from 'node:child_process';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { headers } from './files.js';
import { answer, readJson } from './requests.js';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */

const TOWLINE = fileURLToPath(new URL('../../js/cli/towline.js', import.meta.url));
const LONGEST = 1 << 20;
const MOST_FILES = 16;
const TIMEOUT = 60_000;
/** How much of what a compiler says is told. */
const SAID = 4000;

/** @param {unknown} given @returns {{name: string, text: string}[]} */
function filesIn(given) {
  const files = /** @type {any} */ (given)?.files;
  if (!Array.isArray(files) || files.length === 0 || files.length > MOST_FILES)
    throw new Error(`files: 1 to ${MOST_FILES}`);
  for (const { name, text } of files.map((file) => file ?? {})) {
    if (typeof name !== 'string' || !/^\w[\w-]{0,63}\.[ch]$/.test(name))
      throw new Error('a file is called NAME.c or NAME.h');
    if (typeof text !== 'string') throw new Error(`${name} has no text`);
  }
  if (new Set(files.map(({ name }) => name)).size < files.length)
    throw new Error('two files of one name');
  if (!files.some(({ name }) => name.endsWith('.c'))) throw new Error('there is no C file');
  return files;
}

/**
 * Runs `towline build` in a folder; answers what it said, and whether it succeeded.
 * @param {string} folder
 * @param {string[]} names
 * @param {AbortSignal} signal
 */
async function build(folder, names, signal) {
  const child = spawn(process.execPath, [TOWLINE, 'build', ...names, '-o', 'module.wasm'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: TIMEOUT,
    signal,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said = `${said}${text}`.slice(0, SAID);
  });
  /** @type {boolean} */
  const isDone = await new Promise((resolve, reject) => {
    child.on('error', (error) => error.name !== 'AbortError' && reject(error));
    child.on('close', (code) => resolve(code === 0));
  });
  return { isDone, said: said.replaceAll(`${folder}/`, '') };
}

/** What answers POST /compile, and the token that it wants. */
export function compiler() {
  const token = randomBytes(24).toString('base64url');
  const closing = new AbortController();
  /** Of what is compiled now. @type {Promise<void> | undefined} */
  let done;

  /** @param {IncomingMessage} request */
  const isAllowed = ({ headers: { 'x-towline-token': given } }) =>
    typeof given === 'string' &&
    given.length === token.length &&
    timingSafeEqual(Buffer.from(given), Buffer.from(token));

  /** @param {IncomingMessage} request @param {ServerResponse} response */
  async function compile(request, response) {
    if (!isAllowed(request)) return answer(response, 403, { error: 'the token is missing' });
    const files = filesIn(await readJson(request, LONGEST));
    if (done || closing.signal.aborted)
      return answer(response, 503, { error: 'the compiler is busy' });
    done = make(files, response);
    try {
      await done;
    } finally {
      done = undefined;
    }
  }

  /** @param {{name: string, text: string}[]} files @param {ServerResponse} response */
  async function make(files, response) {
    const folder = await mkdtemp(join(tmpdir(), 'towline-demo-'));
    try {
      for (const { name, text } of files) await writeFile(join(folder, name), text);
      const names = files.map(({ name }) => name).filter((name) => name.endsWith('.c'));
      const { isDone, said } = await build(folder, names, closing.signal);
      if (!isDone) return answer(response, 422, { error: said || 'it took too long' });
      const code = await readFile(join(folder, 'module.wasm'));
      response.writeHead(200, { ...headers, 'Content-Type': 'application/wasm' }).end(code);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  /** What is compiled now is given up. */
  async function close() {
    closing.abort();
    await done?.catch(() => {});
  }
  return { token, compile, close };
}
