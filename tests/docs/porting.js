/** The steps of PORTING.md, with a broker: what there was before, the module, its user in Node and on a page. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { startDemo } from '../../demo/server.js';

/** @import { Example } from './example.js' */

const blocking = 'tests/docs/porting/blocking.c';
const EXPORTS = ['--export', 'client_publish', '--export', 'client_leave'];
const BUILD = ['build', 'client.c', 'mqtt.c', '-o', 'client.wasm', ...EXPORTS];

/** @param {Example} example */
async function brokerFor(example) {
  const demo = await startDemo({ port: 0, mqttPort: 0 });
  example.t.after(() => demo.close());
  return demo;
}

/** @param {Example} example */
async function linkSources(example) {
  await example.link('tests/docs/porting/client.c', 'client.c');
  for (const name of ['mqtt.c', 'mqtt.h']) await example.link(`demo/${name}`, name);
}

/** client.wasm, and client.js with the address of a broker. @param {Example} example @param {string} script */
async function makeClient(example, script) {
  const { ws } = await brokerFor(example);
  await linkSources(example);
  await example.run('npx', 'towline', ...BUILD);
  await example.write('client.js', { 'ws://127.0.0.1:8080/mqtt': ws }, script);
}

/** @type {Record<string, (example: Example) => Promise<any>>} */
const steps = {
  /** What stands there is a part of a program that does print the first message. */
  async c(example) {
    assert((await readFile(blocking, 'utf8')).includes(example.code), 'not what blocking.c has');
    await example.compile(blocking);
    const { tcp } = await brokerFor(example);
    const { hostname, port } = new URL(tcp);
    const publish = ['pub', 'porting/hello', 'hello', '--retain'];
    await promisify(execFile)(resolve('build/mqtt'), [tcp, ...publish]);
    const { stdout } = await example.run('./example', hostname, port, 'porting/hello');
    assert.equal(stdout, 'hello\n');
  },

  async sh(example) {
    await linkSources(example);
    await example.write('example.sh');
    return example.run(...example.shell);
  },

  async js(example) {
    await makeClient(example, example.code);
    return example.run(process.execPath, 'client.js');
  },

  async html(example) {
    const [, script] = /^```js\n(.*?)^```/ms.exec(await readFile('PORTING.md', 'utf8')) ?? [];
    await makeClient(example, script);
    await example.write('index.html');
    await example.open('index.html', 'hello');
  },
};

/** @param {Example} example */
export default (example) => steps[example.language](example);
