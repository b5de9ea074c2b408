/** The results: a file each, and of all of them tables and a chart. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { drawChart } from './chart.js';

/** @typedef {import('./compare.js').Section} Section */
/** @typedef {import('./compare.js').Judged} Judged */

/**
 * @typedef {object} Result
 * @property {string} title
 * @property {string} about
 * @property {Record<string, string>} figures
 * @property {{figure: string, title: string, base: string}[]} [charts]
 * @property {number} rounds
 * @property {number} seconds
 * @property {Record<string, string | number | undefined>} machine
 * @property {Section[]} sections
 */

const folder = new URL('results/', import.meta.url);

/** @param {string} name @param {Result} result */
export async function save(name, result) {
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(`${name}.json`, folder), `${JSON.stringify(result, null, 2)}\n`);
}

/** Of the results that are there. @param {string[]} names */
export async function writeReport(names) {
  const results = [];
  for (const name of names) {
    const text = await readFile(new URL(`${name}.json`, folder), 'utf8').catch(() => undefined);
    if (text !== undefined) results.push([name, /** @type {Result} */ (JSON.parse(text))]);
  }
  const pages = /** @type {[string, Result][]} */ (results);
  await writeFile(new URL('README.md', folder), await readme(pages));
  const chart = await drawChart(pages.map(([, result]) => result));
  if (chart) await writeFile(new URL('chart.svg', folder), chart);
}

/** @param {[string, Result][]} pages */
async function readme(pages) {
  const parts = [
    '# What was measured',
    'Made by `make bench`. Figures are medians; of ratios, taken within each round, the median and its 95% bounds are given. A ' +
      'target is met when the bound meets it, and not certain when only the median does.',
    '![The chart of these tables](chart.svg)',
    ...(await Promise.all(pages.map(([name, result]) => page(name, result)))),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** What is to be said of a result by hand is beside it, in NAME.md. @param {string} name @param {Result} result */
async function page(name, { title, about, figures, rounds, seconds, machine, sections }) {
  const remark = await readFile(new URL(`${name}.md`, folder), 'utf8').catch(() => '');
  const where = Object.entries(machine).map(([what, value]) => `${what} ${value}`);
  const many = sections.some(({ judged }) => judged.some(({ low, high }) => low !== high));
  return [
    `## ${title}`,
    about,
    ...sections.map((section) => tables(section, figures)),
    remark.trim(),
    `<sub>${many ? `${rounds} rounds of ${seconds} s. ` : ''}${where.join(', ')}.</sub>`,
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** @param {Section} section @param {Record<string, string>} figures */
function tables({ title, subjects, judged }, figures) {
  const rows = Object.entries(subjects);
  const columns = Object.keys(figures).filter((figure) => rows.some(([, row]) => figure in row));
  const measured = table(
    [title, ...columns.map((figure) => figures[figure])],
    rows.map(([name, row]) => [name, ...columns.map((figure) => short(row[figure]))]),
  );
  if (judged.length === 0) return measured;
  const targets = judged.map(({ what, median, low, high, least, most, verdict }) => [
    what,
    low === high ? short(median) : `${short(median)} (${short(low)} to ${short(high)})`,
    least === undefined ? `at most ${short(most)}` : `at least ${short(least)}`,
    verdict === 'met' ? verdict : `**${verdict}**`,
  ]);
  return `${measured}\n\n${table(['', 'measured', 'target', ''], targets)}`;
}

/** @param {string[]} head @param {string[][]} rows */
function table(head, rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  const rule = `|---|${'--:|'.repeat(head.length - 1)}`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** Three digits are more than enough, but whole numbers stay whole. @param {number | undefined} value */
function short(value) {
  if (value === undefined) return '';
  if (Number.isInteger(value) || Math.abs(value) >= 1000)
    return Math.round(value).toLocaleString('en');
  return Number(value.toPrecision(3)).toString();
}
