/** The demo's server, and pages of it in headless Chromium that must not complain. */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startDemo } from '../../demo/server.js';
import { flags } from '../browser.js';

/** @typedef {import('playwright-core').Page} Page */

const SHOTS = fileURLToPath(new URL('../../build/demo-shots/', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** How wide pages are that are looked at, and in which themes. */
export const SIZES = { 1280: 900, 390: 844 };
export const THEMES = /** @type {const} */ (['light', 'dark']);

/** @param {Parameters<typeof startDemo>[0]} [options] */
export async function openStage(options) {
  const demo = await startDemo({ port: 0, mqttPort: 0, ...options });
  const browser = await chromium
    .launch({ executablePath: '/usr/bin/chromium', args: flags })
    .catch(async (error) => {
      await demo.close();
      throw error;
    });
  return {
    demo,
    /**
     * A page of its own context; what it complains about is in `complaints`.
     * @param {string} [hash] of the panel
     * @param {import('playwright-core').BrowserContextOptions} [context]
     */
    async open(hash = '', context) {
      const page = await (await browser.newContext(context)).newPage();
      page.setDefaultTimeout(60_000);
      /** @type {string[]} */
      const complaints = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.goto(`${demo.page}${hash}`);
      return { page, complaints };
    },
    async close() {
      await browser.close();
      await demo.close();
    },
  };
}

/** Kept in build/demo-shots, to be looked at. @param {Page} page @param {string} name */
export async function shoot(page, name) {
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: true });
}

/** What everybody must be able to read and to reach: names, contrast, roles. @param {Page} page */
export async function checkAccess(page) {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const violations = await page.evaluate(async () => {
    const { axe } = /** @type {any} */ (globalThis);
    const { violations } = await axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
    });
    return violations.map((/** @type {any} */ { id, help, nodes }) => ({
      id,
      help,
      where: nodes.slice(0, 3).map((/** @type {any} */ node) => node.html.slice(0, 160)),
    }));
  });
  assert.deepEqual(violations, []);
}

/** Nothing stands out to the side. @param {Page} page */
export async function checkWidth(page) {
  const [content, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    innerWidth,
  ]);
  assert.ok(content <= window, `${content} pixels wide, in a window of ${window}`);
}

/** How often a call has been counted in what is shown. @param {Page} page @param {string} name */
export async function total(page, name) {
  // What has happened is drawn in the next frame.
  await page.evaluate(
    () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
  );
  const count = page.locator(`.panel:not([hidden]) .totals div:has([data-call=${name}]) dd`);
  return Number((await count.textContent())?.replaceAll(',', ''));
}

/** Waits until a call has been counted so often. @param {Page} page @param {string} name @param {number} least */
export async function called(page, name, least) {
  await page.waitForFunction(
    ([name, least]) => {
      const count = document.querySelector(
        `.panel:not([hidden]) .totals div:has([data-call=${name}]) dd`,
      );
      return Number(count?.textContent?.replaceAll(',', '')) >= Number(least);
    },
    /** @type {const} */ ([name, least]),
  );
}
