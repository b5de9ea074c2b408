/** A reporter for logs of which only the end is kept: once all tests have run, those that failed are told again. */

/** @param {AsyncIterable<import('node:test/reporters').TestEvent>} events */
export default async function* failures(events) {
  const failed = [];
  for await (const { type, data } of events) {
    // A suite or file fails only because something in it has.
    if (type === 'test:fail' && data.details.type !== 'suite') failed.push(data);
  }
  for (const { name, file, line, details } of failed) {
    yield `\nfailed: ${name} (${file}:${line})\n${text(details.error)}\n`;
  }
}

/** @param {Error} error */
function text(error) {
  const { cause } = error;
  return (cause instanceof Error && cause.stack) || String(cause ?? error.message);
}
