import { EventEmitter, once } from 'node:events';

/**
 * A page that Playwright does not watch, in the browser of one that it does. It has every message of a WebSocket told to it,
 * as text, and the page's thread does the telling: that took five times as long as the message. What is in a context that it
 * has not made it leaves alone; such a page is spoken to through the browser's session.
 * @param {import('playwright-core').Page} watched
 */
export async function openUnwatchedPage(watched) {
  const browser = /** @type {import('playwright-core').Browser} */ (watched.context().browser());
  const session = await browser.newBrowserCDPSession();
  const { browserContextId } = await session.send('Target.createBrowserContext');
  const target = { url: 'about:blank', browserContextId };
  const { targetId } = await session.send('Target.createTarget', target);
  const { sessionId } = await session.send('Target.attachToTarget', { targetId });
  const said = new EventEmitter(); // answers by their numbers, and events
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, method, error, result, params } = JSON.parse(message);
    said.emit(method ?? String(id), error ? { error } : (result ?? params));
  });
  let last = 0;

  /** @param {string} method of the DevTools protocol @param {object} [params] @returns {Promise<any>} */
  async function send(method, params) {
    const id = ++last;
    const answered = once(said, String(id));
    const message = JSON.stringify({ id, method, params });
    await session.send('Target.sendMessageToTarget', { sessionId, message });
    const [{ error, ...result }] = await answered;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }
  await send('Page.enable');
  await send('Performance.enable', { timeDomain: 'threadTicks' });

  return {
    /** Begins anew, where the other page is. */
    async load() {
      const loaded = once(said, 'Page.loadEventFired');
      await send('Page.navigate', { url: watched.url() });
      await loaded;
    },
    /** What a module's function answers. @param {string} path @param {string} name @param {...unknown} values */
    async call(path, name, ...values) {
      const { result, exceptionDetails } = await send('Runtime.evaluate', {
        expression: `import('${path}').then(({ ${name} }) => ${name}(...${JSON.stringify(values)}))`,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails)
        throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    },
    /** Processor time of its main thread so far: seconds. */
    async busy() {
      const { metrics } = await send('Performance.getMetrics');
      return metrics.find((/** @type {{name: string}} */ { name }) => name === 'TaskDuration')
        .value;
    },
  };
}
