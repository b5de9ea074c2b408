// The panel of processes: a terminal on a program in a Worker, and two programs in a row; each of its controls.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fromRoot } from '../adapters.js';
import { checkAccess, checkWidth, openStage, SIZES, shoot, THEMES } from './stage.js';

const hasLua = existsSync(fromRoot('build/wasi/programs/lua.wasm'));
const withLua = { skip: hasLua ? false : 'Lua was not built: make lua' };

/** @type {Awaited<ReturnType<typeof openStage>>} */
let stage;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string[]} */
let complaints;

before(async () => {
  stage = await openStage();
});
after(() => stage?.close());

const wide = { viewport: { width: 1280, height: 900 } };
/** @param {import('playwright-core').BrowserContextOptions} [context] */
async function open(context = wide) {
  ({ page, complaints } = await stage.open('#processes', context));
  await status('open');
}
afterEach(async () => {
  assert.deepEqual(complaints, []);
  await page?.context().close();
});

const terminal = () => page.locator('#processes-terminal');
const pipeline = () => page.locator('#processes-pipeline');
/** The view that is shown. */
const shown = () => page.locator('[role=tabpanel]:visible');
/** @param {string} state @param {string | RegExp} [text] */
const status = (state, text) =>
  shown()
    .locator(`.status[data-state=${state}]`)
    .filter({ ...(text && { hasText: text }) })
    .waitFor();
const press = (/** @type {string} */ name) =>
  shown().getByRole('button', { name, exact: true }).click();
const choose = (/** @type {string} */ label, /** @type {string} */ value) =>
  shown().getByLabel(label).selectOption(value);
/** The rows of calls that have such a one. @param {string} name */
const rows = (name) => shown().locator(`.rows li[data-names~=${name}]`);

/** Waits until a call has been counted so often. @param {string} name @param {number} least */
const called = (name, least = 1) =>
  page.waitForFunction(
    ([name, least]) => {
      const count = document.querySelector(
        `[role=tabpanel]:not([hidden]) .totals div:has([data-call=${name}]) dd`,
      );
      return Number(count?.textContent?.replaceAll(',', '')) >= Number(least);
    },
    /** @type {const} */ ([name, least]),
  );

// ---- The screen ----

/** What is on it, its empty rows left out. */
const screen = () =>
  page.evaluate(() =>
    [...document.querySelectorAll('.xterm-rows > div')]
      .map((row) => (row.textContent ?? '').replaceAll('\u00a0', ' ').trimEnd())
      .join('\n')
      .trimEnd(),
  );
/** Waits until its end is this. @param {string} text */
const screenEnds = (text) =>
  page.waitForFunction((text) => {
    const rows = [...document.querySelectorAll('.xterm-rows > div')].map((row) =>
      (row.textContent ?? '').replaceAll('\u00a0', ' ').trimEnd(),
    );
    return rows.join('\n').trimEnd().endsWith(text);
  }, text);
/** Waits until it is all. @param {string} text */
const screenIs = (text) =>
  page.waitForFunction(
    (text) =>
      [...document.querySelectorAll('.xterm-rows > div')]
        .map((row) => row.textContent?.trim())
        .join('') === text,
    text,
  );
/** @param {string} text in one row */
const screenHas = (text) => page.locator('.xterm-rows > div', { hasText: text }).waitFor();
/** @param {string} line */
async function type(line) {
  await page.getByRole('textbox', { name: 'Terminal' }).focus();
  await page.keyboard.type(line);
}
/** @param {...string} keys */
async function keys(...keys) {
  await page.getByRole('textbox', { name: 'Terminal' }).focus();
  for (const key of keys) await page.keyboard.press(key);
}
/** Put in as one piece, as from the clipboard. @param {string} text */
async function paste(text) {
  await page.getByRole('textbox', { name: 'Terminal' }).evaluate((field, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', text);
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
  }, text);
}

describe('Lua in the terminal', withLua, () => {
  beforeEach(async () => {
    await open();
    await screenEnds('PUC-Rio\n>');
  });

  test('X2 what is typed is answered, errors in their own colour; which way its pipes are taken is told', async () => {
    await status('open', 'lua runs. Its pipes: shared memory.');
    await type('1 + 41\n');
    await screenEnds('> 1 + 41\n42\n>');
    await type('error("oops")\n');
    await screenHas('[C]: in ?'); // before the next prompt or after it: those are two pipes
    const colours = await page.evaluate(() =>
      ['stdin:1: oops', '> 1 + 41'].map((text) => {
        const row = [...document.querySelectorAll('.xterm-rows > div')].find((one) =>
          one.textContent?.replaceAll('\u00a0', ' ').startsWith(text),
        );
        return getComputedStyle(/** @type {Element} */ (row?.firstElementChild)).color;
      }),
    );
    assert.notEqual(colours[0], colours[1]);
    await called('PD', 4);
    await rows('asked').filter({ hasText: 'type "1 + 41\\n"' }).waitFor();
    const errors = rows('PD').filter({ hasText: /fd 2/ }).first();
    await errors.click();
    await shown().locator('.inspector pre').filter({ hasText: 'stdin:1: oops' }).waitFor();
    await shown()
      .locator('.function[data-function=shell_type] .runs')
      .filter({ hasText: '×2' })
      .waitFor();
  });

  test('a line is edited, longer than a row too, and remembered', async () => {
    await type('print("b"');
    await keys('ArrowLeft', 'Backspace', 'ArrowLeft', 'ArrowRight');
    await type('cd"');
    await keys('Home', 'Delete', 'Control+e', 'ArrowLeft', 'Delete', 'Control+a');
    await type('p');
    await keys('End');
    await type(')\n');
    await screenEnds('\ncd\n>');
    await type('junk');
    await keys('Control+u');
    await type('two words');
    await keys('Control+w', 'Control+a', 'Control+k', 'ArrowUp', 'ArrowUp', 'ArrowDown');
    await screenEnds('>');
    const long = `print(#"${'x'.repeat(300)}")`;
    await type(long);
    await keys('Home', ...Array(5).fill('ArrowRight'));
    await type(' ');
    await keys('Backspace', 'Enter');
    await screenEnds('\n300\n>');
    await keys('ArrowUp', 'ArrowUp', 'Enter');
    await screenEnds('\ncd\n>');
    await keys('Control+l');
    await screenIs('>');
    await paste('a = 6\nb = 7\na * b\n');
    await screenHas('42');
  });

  test('Tab leads out of it', async () => {
    await page.getByRole('textbox', { name: 'Terminal' }).focus();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement?.closest('.terminal')), null);
  });

  test('X5 X6 Ctrl-C and Kill end a program that spins, Enter starts it again', async () => {
    await type('while true do end\n');
    await keys('Control+c');
    await status('failed', 'lua: ended by SIGINT (-2)');
    await screenEnds('lua: ended by SIGINT (-2). Enter starts it again.');
    assert.match(await screen(), /\^C\n/);
    for (const name of ['PX', 'PL', 'CL']) await called(name);

    await keys('Enter');
    await status('open');
    await screenEnds('PUC-Rio\n>');
    await type('while true do end\n');
    await press('Kill');
    await status('failed', 'lua: ended by SIGKILL (-9)');
    await rows('asked').filter({ hasText: 'kill' }).waitFor();

    await press('Start');
    await screenEnds('PUC-Rio\n>');
    await press('Ctrl-C');
    await status('failed', 'SIGINT');
  });

  test('X5 Ctrl-D is the end of its input; how it exits is told', async () => {
    await keys('Control+d');
    await status('idle', 'lua: exit code 0');
    assert.ok(await shown().getByRole('button', { name: 'Kill' }).isDisabled());
    await press('Start');
    await screenEnds('PUC-Rio\n>');
    await type('os.exit(7)\n');
    await status('idle', 'lua: exit code 7');
    await keys('Enter');
    await screenEnds('PUC-Rio\n>');
    await press('Ctrl-D');
    await status('idle', 'lua: exit code 0');
    await rows('asked').filter({ hasText: 'end of input' }).waitFor();
  });

  test('X8 F2 a program that does not read is not written to', async () => {
    await type('while true do end\n');
    await paste(`${'-'.repeat(65536)}\n`.repeat(4));
    await called('PW');
    await shown().locator('.gauge .chip').filter({ hasText: 'paused' }).waitFor();
    assert.equal(await rows('RW').count(), 0);
    await press('Restart');
    await screenEnds('PUC-Rio\n>');
    await called('PW', 0);
    await type('"as" .. " new"\n');
    await screenEnds('as new\n>');
  });

  test('R1 output that cannot be shown so fast is not read: the page lives, and Ctrl-C works', async () => {
    await type('while true do print("again and again") end\n');
    await called('PD', 200);
    await keys('Control+c');
    await status('failed', 'lua: ended by SIGINT (-2)');
    await screenEnds('Enter starts it again.');
  });

  test('scripts are files in memory, and what they write stays', async () => {
    await choose('Command', 'lua hello.lua one two');
    for (const text of ['Hello from Lua 5.4, in a Worker', '1       one', '2       two'])
      await screenHas(text);
    await status('idle', 'lua: exit code 0');
    await choose('Command', 'lua copy.lua');
    await shown().getByText('copy.txt', { exact: true }).click();
    await shown().getByLabel('copy.txt').filter({ hasText: 'OUT:CLOSE()' }).waitFor();
    await choose('Command', 'lua guess.lua');
    await screenEnds('Your guess:');
    await type('no\n');
    await screenEnds('That is no number.\nYour guess:');
    await choose('Command', 'lua spin.lua');
    await screenEnds('It spins.');
    await press('Ctrl-C');
    await status('failed', 'SIGINT');
    // Who thinks better of it gets the last one.
    await choose('Command', 'lua guess.lua');
    await choose('Command', 'lua -i');
    await screenEnds('PUC-Rio\n>');
    await status('open', 'lua runs');
  });

  test("the theme is the terminal's, too", async () => {
    const ground = () =>
      page.evaluate(() => {
        const element = /** @type {Element} */ (
          document.querySelector('.xterm-scrollable-element')
        );
        return getComputedStyle(element).backgroundColor;
      });
    await page.getByLabel('Theme').selectOption('light');
    assert.equal(await ground(), 'rgb(255, 255, 255)');
    await page.getByLabel('Theme').selectOption('dark');
    assert.equal(await ground(), 'rgb(20, 27, 34)');
  });
});

test('without Lua the page says so, and other programs run', async () => {
  ({ page, complaints } = await stage.open('#own', wide));
  await page.route('**/config.json', async (route) => {
    const response = await route.fetch();
    const config = await response.json();
    const programs = config.programs.filter((/** @type {string} */ name) => name !== 'lua');
    await route.fulfill({ response, json: { ...config, programs } });
  });
  await page.goto('about:blank');
  await page.goto(`${stage.demo.page}#processes`);
  await page.getByRole('note').filter({ hasText: 'Lua is not here' }).waitFor();
  await status('open', 'esbuild runs');
  await type('enum Colour { Red }\nconsole.log(Colour.Red as number)\n');
  await keys('Control+d');
  await screenHas('console.log(0)');
  await status('idle', 'esbuild: exit code 0');
  await choose('Command', 'sort');
  await status('open', 'sort runs');
  await type('pear\napple\n');
  await keys('Control+d');
  await screenEnds('\napple\npear\nsort: exit code 0. Enter starts it again.');
  await page.getByRole('tab', { name: 'Pipeline' }).click();
  const pipelines = await pipeline().getByLabel('Programs').textContent();
  assert.match(pipelines ?? '', /count/);
  assert.doesNotMatch(pipelines ?? '', /lua/);
});

describe('the pipeline', () => {
  beforeEach(async () => {
    await open();
    await page.getByRole('tab', { name: 'Terminal' }).focus();
    await page.keyboard.press('ArrowRight');
    await pipeline().waitFor();
  });
  const output = () => shown().locator('.output pre');
  /** @param {number} index */
  const lane = (index) => shown().locator('.lane').nth(index);

  test('X8 a slow reader stops the first of two, and goes on; both exit with 0', async () => {
    await choose('Programs', 'count 1000000 | nl');
    await choose('This page reads', '64 KB a second');
    await press('Run');
    await called('PW');
    await lane(0).locator('.chip').filter({ hasText: 'waits' }).waitFor();
    await called('RW', 2);
    await lane(0).locator('.figure').filter({ hasText: /B\/s$/ }).waitFor();
    await shown()
      .locator('.pin.pw')
      .filter({ hasText: /^PW \d/ })
      .waitFor();
    await choose('This page reads', 'as fast as it comes');
    await status('idle', /^count: exit code 0; nl: exit code 0; after /);
    await output()
      .filter({ hasText: /1000000 {2}1000000\n$/ })
      .waitFor();
    for (const index of [0, 1])
      await lane(index).locator('.chip').filter({ hasText: 'exit code 0' }).waitFor();
    // 6,888,896 bytes of digits and ends of lines.
    await lane(0).filter({ hasText: '6.57 MB written' }).waitFor();
    await shown()
      .locator('.function[data-function=shell_read_slowly] .runs')
      .filter({ hasText: '×1' })
      .waitFor();
  });

  test('X2 nothing is lost on the way', async () => {
    await choose('Programs', 'count 5000000 | wc');
    await press('Run');
    await status('idle', 'wc: exit code 0');
    await output()
      .filter({ hasText: /5000000 +5000000 +38888896\n$/ })
      .waitFor();
  });

  test('a script and a sort', withLua, async () => {
    await choose('Programs', 'lua words.lua 200000 | sort');
    await choose('This page reads', 'as fast as it comes');
    await press('Run');
    await status('idle', /^lua: exit code 0; sort: exit code 0/);
    const words = ((await output().textContent()) ?? '').trim().split('\n');
    assert.deepEqual(words, [...words].sort());
    assert.ok(words.length > 2);
  });

  test('X6 Stop ends both', async () => {
    await choose('Programs', 'count 1000000 | nl');
    await choose('This page reads', '64 KB a second');
    await press('Run');
    await called('PW');
    await press('Stop');
    await status('idle', 'nl: ended by SIGKILL (-9)');
    await press('Run');
    await called('PW');
    await press('Stop');
    await status('idle', 'nl: ended by SIGKILL (-9)');
  });

  test('a trace is saved and opened: its lanes, too', async () => {
    await choose('Programs', 'count 1000000 | nl');
    await press('Run');
    await called('PW');
    await press('Stop');
    await status('idle');
    const written = await lane(0).locator('p').last().textContent();
    const download = page.waitForEvent('download');
    await press('Save');
    const file = await (await download).path();
    assert.equal(JSON.parse(await readFile(file, 'utf8')).panel, 'processes');
    await shown().getByRole('button', { name: 'Clear', exact: true }).click();
    await lane(0).filter({ hasText: '0 B written' }).waitFor();
    await shown().locator('input[type=file]').setInputFiles(file);
    await shown().locator('.banner[data-state=opened]').waitFor();
    assert.equal(await lane(0).locator('p').last().textContent(), written);
    await press('Back to what goes on');
    await lane(0).filter({ hasText: '0 B written' }).waitFor();
  });
});

for (const [width, height] of Object.entries(SIZES))
  for (const theme of THEMES)
    test(`both views: ${width} pixels, ${theme}`, async () => {
      await open({ colorScheme: theme, viewport: { width: Number(width), height } });
      await terminal().locator('.xterm').scrollIntoViewIfNeeded();
      if (hasLua) {
        await screenEnds('>');
        await type('for i = 1, 5 do print(i, i * i) end\n');
        await screenEnds('25\n>');
        await type('error("oops")\n');
        await screenHas('[C]: in ?');
      }
      await checkAccess(page);
      await checkWidth(page);
      await shoot(page, `processes-terminal-${width}-${theme}`);
      await page.getByRole('tab', { name: 'Pipeline' }).click();
      await press('Run');
      await called('RW', 3);
      await checkAccess(page);
      await checkWidth(page);
      await shoot(page, `processes-pipeline-${width}-${theme}`);
    });
