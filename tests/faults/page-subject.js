import { openBrowser } from '../browser.js';
import { Events } from './events.js';
import { memoryOf } from './subject.js';

/** A subject in a page of a browser of its own. */
export class PageSubject extends Events {
  /** @param {import('./events.js').Scope} t */
  static async start(t) {
    const browser = await openBrowser();
    t.after(() => browser.close());
    const self = new PageSubject(browser);
    const { page } = browser;
    await page.exposeFunction('tell', (/** @type {import('./events.js').Event} */ event) =>
      self.tell(event),
    );
    page.on('crash', () => self.fail(new Error('the page crashed')));
    await page.evaluate(async () => {
      const { openSubject } = await import(new URL('/tests/faults/page.js', location.href).href);
      const scope = /** @type {any} */ (globalThis);
      scope.send = await openSubject(scope.tell);
    });
    self.#processes = await browser.processes();
    return self;
  }

  #browser;
  /** @type {number[]} */
  #processes = [];

  /** @param {Awaited<ReturnType<typeof openBrowser>>} browser */
  constructor(browser) {
    super();
    this.#browser = browser;
  }

  /** @param {string} text @override */
  send(text) {
    this.#browser.page
      .evaluate((command) => /** @type {any} */ (globalThis).send(command), text)
      .catch((error) => this.fail(error));
  }

  /** @override */
  async collect() {
    const { page } = this.#browser;
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.collectGarbage');
    await session.detach();
  }

  /** In KiB, now: the page's process, and the one that has its sockets. */
  get memory() {
    return this.#processes.reduce((sum, pid) => sum + memoryOf(pid), 0);
  }
}
