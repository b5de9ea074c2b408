import { fileURLToPath } from 'node:url';
import { instructionsPer } from '../instructions.js';
import { judge } from './compare.js';

const program = fileURLToPath(new URL('../../build/instructions', import.meta.url));

/** What the issue calls them, and the most they may be. */
const OPERATIONS = {
  buffered: { name: 'a chunk to a buffered protocol', most: 100 },
  stream: { name: 'a chunk to a plain protocol', most: 80 },
  write: { name: 'a write taken at once', most: 100 },
  timer: { name: 'a timer armed and fired, 10,000 others armed', most: 100 },
};
const CONNECTIONS = [10, 10_000];

/** @type {import('./index.js').Benchmark} */
export default {
  title: 'Instructions of the core',
  about:
    'What callgrind counts in `src/` for one operation on the memory host, with 10 connections and with 10,000 that take turns.',
  figures: Object.fromEntries(
    CONNECTIONS.map((count) => [count, `${count.toLocaleString('en')} connections`]),
  ),
  seconds: { full: 40, quick: 40, smoke: 1 },
  async run({ mode }, progress) {
    /** @type {import('./compare.js').Section} */
    const section = { title: 'instructions of', subjects: {}, judged: [] };
    const operations = Object.entries(OPERATIONS).slice(0, mode === 'smoke' ? 1 : undefined);
    for (const [operation, { name, most }] of operations) {
      progress(name);
      /** @type {Record<string, number>} */
      const row = {};
      const counts = mode === 'smoke' ? [10] : CONNECTIONS;
      for (const connections of counts)
        row[connections] = Math.round(await instructionsPer(program, operation, connections));
      section.subjects[name] = row;
      section.judged.push(judge({ what: name, most }, Object.values(row)));
      if (counts.length > 1)
        section.judged.push(
          judge({ what: `${name}: 10,000 connections / 10`, most: 1 }, [row[10_000] / row[10]]),
        );
    }
    return [section];
  },
};
