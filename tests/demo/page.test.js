// The demo's shell: five panels, by address and by keyboard, in both themes, on a phone, for everybody, and small.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { checkAccess, checkWidth, openStage, SIZES, shoot, THEMES } from './stage.js';

const PANELS = ['stream', 'mqtt', 'datagrams', 'processes', 'own'];
/** What a panel may load, besides the terminal and WASI programs. */
const MOST_BYTES = 500_000;
const BESIDES = /xterm|addon-fit|\/programs\/|wasi-worker/;

/** @type {Awaited<ReturnType<typeof openStage>>} */
let stage;
before(async () => {
  stage = await openStage();
});
after(() => stage?.close());

/** @param {import('playwright-core').Page} page @param {string} id */
const shown = (page, id) => page.locator(`#panel-${id}:not([hidden]) h1`).waitFor();

for (const id of PANELS)
  for (const [width, height] of Object.entries(SIZES))
    for (const theme of THEMES)
      test(`#${id}: ${width} pixels, ${theme}`, async () => {
        const { page, complaints } = await stage.open(`#${id}`, {
          colorScheme: theme,
          viewport: { width: Number(width), height },
        });
        await shown(page, id);
        await page.waitForLoadState('networkidle');
        await checkAccess(page);
        await checkWidth(page);
        await shoot(page, `${id}-${width}-${theme}`);
        assert.deepEqual(complaints, []);
        await page.context().close();
      });

test('panels are addresses, links, and neighbours by the arrow keys', async () => {
  const { page, complaints } = await stage.open();
  await shown(page, 'stream');
  await page.getByRole('link', { name: 'Your own' }).click();
  await shown(page, 'own');
  assert.equal(new URL(page.url()).hash, '#own');
  assert.match(await page.title(), /^Your own/);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await shown(page, 'processes');
  await page.goBack();
  await shown(page, 'own');
  await page.evaluate(() => {
    location.hash = '#nothing-of-that-name';
  });
  await shown(page, 'stream');
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the theme is the one that was chosen, the next time too', async () => {
  const { page } = await stage.open('', { colorScheme: 'light' });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByLabel('Theme').selectOption('dark');
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await ground(), dark);
  assert.equal(await page.getByLabel('Theme').inputValue(), 'dark');
  await page.getByLabel('Theme').selectOption('system');
  assert.equal(await ground(), light);
  await page.context().close();
});

test('all that a page loads is small, and comes from its own server', async () => {
  for (const id of PANELS) {
    const { page } = await stage.open(`#${id}`);
    await shown(page, id);
    await page.waitForLoadState('networkidle');
    const resources = await page.evaluate(() =>
      performance.getEntriesByType('resource').map((entry) => {
        const { name, decodedBodySize } = /** @type {PerformanceResourceTiming} */ (entry);
        return { name, size: decodedBodySize };
      }),
    );
    const { origin } = new URL(stage.demo.page);
    assert.deepEqual(
      resources.filter(({ name }) => !name.startsWith(origin)),
      [],
    );
    const counted = resources.filter(({ name }) => !BESIDES.test(name));
    const bytes = counted.reduce((sum, { size }) => sum + size, 0);
    assert.ok(bytes > 10_000 && bytes <= MOST_BYTES, `#${id} loads ${bytes} bytes`);
    await page.context().close();
  }
});
