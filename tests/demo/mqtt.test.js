// The panel of MQTT: two pages and a program talk through the broker, and every control does what it says.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fromRoot } from '../adapters.js';
import {
  called,
  checkAccess,
  checkWidth,
  openStage,
  SIZES,
  shoot,
  THEMES,
  total,
} from './stage.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof openStage>>} */
let stage;
before(async () => {
  stage = await openStage();
});
after(() => stage?.close());

/** @param {Page} page @param {string} name */
const button = (page, name) => page.getByRole('button', { name, exact: true });
/** @param {Page} page @param {string} state */
const status = (page, state) => page.locator(`#panel-mqtt .status[data-state=${state}]`).waitFor();
/** @param {Page} page @param {string} filter */
const granted = (page, filter) =>
  page.locator(`.filters li[data-state=granted]`, { hasText: filter }).waitFor();
/** @param {Page} page @param {string | RegExp} text */
const message = (page, text) => page.locator('.talk article', { hasText: text });
/** @param {Page} page @param {string} name */
const person = (page, name) => page.locator('.people li', { hasText: name });

/** A page that is connected, and what it complains about. @param {Parameters<typeof stage.open>[1]} [context] */
async function open(context) {
  const opened = await stage.open('#mqtt', context);
  await status(opened.page, 'open');
  for (const filter of ['demo/chat/+', 'demo/here/+']) await granted(opened.page, filter);
  return opened;
}

/** @param {Page} page @param {string} name */
async function rename(page, name) {
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Your name').blur();
  await person(page, `${name} (you)`).waitFor();
}

/** @param {Page} page @param {string} text */
async function say(page, text) {
  await page.getByLabel('Say something').fill(text);
  await button(page, 'Send').click();
}

/** By hand, and retained. @param {Page} page @param {string} topic @param {string} words */
async function publish(page, topic, words) {
  const form = page.locator('form', { has: page.getByRole('group', { name: 'Publish' }) });
  await form.getByLabel('Topic').fill(topic);
  await form.getByLabel('Message').fill(words);
  await form.getByLabel('Retain').check();
  await button(page, 'Publish').click();
  await form.locator('.result', { hasText: 'the broker has it' }).waitFor();
}

/** The native client, as the page says that it is started. @param {string} command */
function shell(command) {
  const [program = '', ...rest] = command.match(/'[^']*'|\S+/g) ?? [];
  const words = rest.map((word) => word.replaceAll("'", ''));
  return spawn(fromRoot(program), words, { timeout: 60_000 });
}

describe('two pages', () => {
  test('talk, see each other, and who leaves is gone', async () => {
    const [ada, bob] = await Promise.all([open(), open()]);
    await rename(ada.page, 'Ada');
    await rename(bob.page, 'Bob');
    await person(ada.page, 'Bob').waitFor();
    await person(bob.page, 'Ada').waitFor();
    await say(ada.page, 'Grüße aus C');
    const heard = message(bob.page, 'Grüße aus C');
    await heard.waitFor();
    assert.match((await heard.textContent()) ?? '', /^Ada.*QoS 1 · 13 bytes$/);
    assert.equal(await heard.getAttribute('class'), 'theirs');
    await message(ada.page, 'Grüße aus C').waitFor();
    assert.equal(await message(ada.page, 'Grüße').getAttribute('class'), 'own');
    await button(bob.page, 'Clear messages').click();
    await heard.waitFor({ state: 'detached' });

    await button(bob.page, 'Disconnect').click();
    await status(bob.page, 'idle');
    await person(ada.page, 'Bob').waitFor({ state: 'detached' });
    await button(bob.page, 'Connect').click();
    await person(ada.page, 'Bob').waitFor();
    await bob.page.context().close(); // without a word: the broker publishes its last will
    await person(ada.page, 'Bob').waitFor({ state: 'detached' });
    assert.deepEqual([...ada.complaints, ...bob.complaints], []);
    await ada.page.context().close();
  });

  test('the second is one click away', async () => {
    const { page, complaints } = await open();
    const [second] = await Promise.all([
      page.context().waitForEvent('page'),
      page.getByRole('link', { name: 'Open a second page' }).click(),
    ]);
    await status(second, 'open');
    await page.locator('.people li').nth(1).waitFor();
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
});

test('from a terminal: the commands that the page shows are copied, and work', async () => {
  const { page, complaints } = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  const commands = page.locator('.shell .command');
  /** @param {string} purpose */
  const copied = async (purpose) => {
    const command = commands.filter({ hasText: purpose });
    await command.getByRole('button').click();
    await command.getByRole('button', { name: 'Copied' }).waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(text, await command.locator('code').textContent());
    assert.ok(text.includes(stage.demo.tcp));
    return text;
  };
  await publish(page, 'demo/chat/Ada', 'Hello, shell'); // retained: who comes later hears it, too
  const listener = shell(`${await copied('Hears')} --count 1`);
  const [heardThere] = await Promise.all([text(listener.stdout), once(listener, 'close')]);
  assert.equal(heardThere, 'demo/chat/Ada Hello, shell\n');
  await publish(page, 'demo/chat/Ada', '');

  const speaker = shell(await copied('Says'));
  assert.deepEqual(await once(speaker, 'close'), [0, null]);
  const heard = message(page, 'Hello from a shell');
  await heard.waitFor();
  assert.match((await heard.textContent()) ?? '', /^shell/);
  const checker = shell(
    (await copied('Sends and takes back')).replace('check', 'check --megabytes 1'),
  );
  checker.stdout.resume();
  checker.stderr.resume();
  assert.deepEqual(await once(checker, 'close'), [0, null]);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('subscribe, publish, unsubscribe, disconnect: each with its calls', async () => {
  const { page, complaints } = await open();
  await called(page, 'CM', 1);
  await page.getByLabel('Topic filter').fill('demo/#');
  await button(page, 'Subscribe').click();
  await granted(page, 'demo/#');
  const publication = page.locator('form', { has: page.getByRole('group', { name: 'Publish' }) });
  await publication.getByLabel('Topic').fill('demo/hello');
  await publication.getByLabel('Message').fill('by hand');
  await button(page, 'Publish').click();
  await page.locator('.result', { hasText: 'the broker has it' }).waitFor();
  await message(page, /^demo\/hello.*by hand.*QoS 1 · 7 bytes/).waitFor();
  await publication.getByLabel('Message').fill('by key, retained');
  await publication.getByLabel('Retain').check();
  await publication.getByLabel('QoS').selectOption('0');
  await publication.getByLabel('Message').press('Control+Enter');
  await message(page, /by key, retained.*QoS 0/).waitFor();
  await button(page, 'Unsubscribe from demo/#').click();
  await page.locator('.filters li', { hasText: 'demo/#' }).waitFor({ state: 'detached' });
  await button(page, 'Subscribe').click();
  await message(page, /by key, retained.*retained · 16 bytes/).waitFor();
  await called(page, 'BU', 1);
  await page.locator('.function[data-function=mqtt_publish] .runs:not([hidden])').waitFor({
    state: 'attached',
  });
  await button(page, 'Disconnect').click();
  await status(page, 'idle');
  await called(page, 'CL', 1);
  const last = page.locator('#panel-mqtt .rows li').last();
  assert.match((await last.textContent()) ?? '', /CL.*no error/);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('F2 a burst pauses writing over the high mark, and goes on at the low one', async () => {
  const { page, complaints } = await open();
  await page.getByLabel('Topic filter').fill('demo/burst');
  await button(page, 'Subscribe').click();
  await granted(page, 'demo/burst');
  await page.getByLabel('Megabytes').fill('4');
  await button(page, 'Burst').click();
  await page.locator('.result', { hasText: '4,194,304 bytes in' }).waitFor();
  await message(page, '1,048,576 bytes').nth(3).waitFor();
  await called(page, 'PW', 1);
  assert.equal(await total(page, 'PW'), await total(page, 'RW'));
  const download = page.waitForEvent('download');
  await button(page, 'Save').click();
  const { entries, limits } = JSON.parse(await readFile(await (await download).path(), 'utf8'));
  for (const { name, level } of entries)
    if (name === 'PW') assert.ok(level > limits.high, `PW at ${level}`);
    else if (name === 'RW') assert.ok(level <= limits.low, `RW at ${level}`);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('who one is, and the broker that says no', async () => {
  const { page, complaints } = await open();
  await button(page, 'Disconnect').click();
  await status(page, 'idle');
  await page.getByText('Broker, session, last will').click();
  const settings = {
    User: 'demo',
    Password: 'wrong',
    Subprotocol: 'mqtt',
    'Keep alive, s': '30',
    'Client id': 'somebody',
    'Will message': '',
  };
  for (const [label, value] of Object.entries(settings))
    await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByLabel('Will QoS').selectOption('0');
  await page.getByLabel('Retain the will').check();
  await page.getByLabel('Clean session').uncheck();
  assert.equal(await page.getByLabel('Will topic').inputValue(), 'demo/here/somebody');
  await button(page, 'Connect').click();
  await status(page, 'failed');
  assert.match(
    (await page.locator('#panel-mqtt .status').textContent()) ?? '',
    /user name or password is wrong \(EACCES 4\)/,
  );
  await page.getByLabel('Password').fill('demo');
  await page.keyboard.press('Enter');
  await status(page, 'open');
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('errors are shown, and the panel goes on', async () => {
  const { page } = await open();
  await button(page, 'Disconnect').click();
  await page.getByText('Broker, session, last will').click();
  const address = await page.getByLabel('Address').inputValue();
  await page.getByLabel('Address').fill('ws://127.0.0.1:1/mqtt');
  await button(page, 'Connect').click();
  await status(page, 'failed');
  await page.getByLabel('Address').fill(address);
  await button(page, 'Connect').click();
  await status(page, 'open');
  await page.getByLabel('Topic filter').fill('a#');
  await button(page, 'Subscribe').click();
  await page.locator('.result.failure', { hasText: 'not a topic' }).waitFor();
  await page.context().close();
});

for (const [width, height] of Object.entries(SIZES))
  for (const theme of THEMES)
    test(`a conversation: ${width} pixels, ${theme}`, async () => {
      const { page, complaints } = await open({
        colorScheme: theme,
        viewport: { width: Number(width), height },
      });
      const other = await open();
      await say(other.page, 'Hello, is anybody there?');
      await message(page, 'anybody').waitFor();
      await say(page, 'Yes: mqtt.c, on another page.');
      await message(page, 'another page').waitFor();
      await button(page, 'Burst').click();
      await page.locator('.result', { hasText: 'bytes in' }).waitFor();
      await page.getByText('Broker, session, last will').click();
      await checkAccess(page);
      await checkWidth(page);
      await shoot(page, `mqtt-conversation-${width}-${theme}`);
      assert.deepEqual([...complaints, ...other.complaints], []);
      await Promise.all([page, other.page].map((one) => one.context().close()));
    });
