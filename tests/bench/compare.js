/** The one way in which things are measured beside each other. */
import { bounds, median } from './statistics.js';

/**
 * What one run of a subject measured: { messages: 52000, cpu: 9.5 }.
 * @typedef {Record<string, number>} Figures
 */

/**
 * What a figure of one subject is to be beside another's, as a ratio.
 * @typedef {object} Target
 * @property {string} figure
 * @property {string} of
 * @property {string} to
 * @property {number} [least]
 * @property {number} [most]
 */

/**
 * A target beside what was measured. Of a single value, as a size, the bounds are the value itself.
 * @typedef {object} Judged
 * @property {string} what
 * @property {number} median
 * @property {number} low
 * @property {number} high
 * @property {number} [least]
 * @property {number} [most]
 * @property {'met' | 'not met' | 'not certain'} verdict
 */

/**
 * One table: a row for each subject with its figures, then the targets.
 * @typedef {object} Section
 * @property {string} title
 * @property {Record<string, Figures>} subjects medians
 * @property {Judged[]} judged
 */

/**
 * Runs every subject once a round, in an order that rotates, so that what changes on the machine meanwhile touches all of
 * them. A ratio is taken within each round.
 * @param {object} what
 * @param {string} what.title
 * @param {Record<string, (() => Promise<Figures>) | undefined>} what.subjects one that is not there is left out
 * @param {Target[]} [what.targets]
 * @param {number} what.rounds with fewer than 2 nothing is judged
 * @param {(text: string) => void} what.progress
 * @returns {Promise<Section>}
 */
export async function compare({ title, subjects, targets = [], rounds, progress }) {
  const runs = Object.entries(subjects).filter(([, run]) => run);
  /** @type {Record<string, Figures[]>} */
  const measured = Object.fromEntries(runs.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < runs.length; i++) {
      const [name, run] = runs[(round + i) % runs.length];
      progress(`${title}, round ${round + 1} of ${rounds}: ${name}`);
      measured[name].push(await /** @type {() => Promise<Figures>} */ (run)());
    }
  const judged = rounds < 2 ? [] : targets.filter(({ of, to }) => measured[of] && measured[to]);
  return {
    title,
    subjects: Object.fromEntries(
      Object.entries(measured).map(([name, all]) => [name, medians(all)]),
    ),
    judged: judged.map((target) => ratio(target, measured)),
  };
}

/** @param {Figures[]} all */
function medians(all) {
  return Object.fromEntries(
    Object.keys(all[0]).map((figure) => [figure, median(all.map((figures) => figures[figure]))]),
  );
}

/** @param {Target} target @param {Record<string, Figures[]>} measured */
function ratio({ figure, of, to, least, most }, measured) {
  const ratios = measured[of].map((figures, i) => figures[figure] / measured[to][i][figure]);
  return judge({ what: `${figure}: ${of} / ${to}`, least, most }, ratios);
}

/**
 * Met when it is so within the bounds; not certain when only the median says so.
 * @param {{what: string, least?: number, most?: number}} target
 * @param {number[]} values
 * @returns {Judged}
 */
export function judge({ what, least = -Infinity, most = Infinity }, values) {
  const middle = median(values);
  const [low, high] = bounds(values);
  const met = low >= least && high <= most;
  const perhaps = middle >= least && middle <= most;
  return {
    what,
    median: middle,
    low,
    high,
    ...(least > -Infinity && { least }),
    ...(most < Infinity && { most }),
    verdict: met ? 'met' : perhaps ? 'not certain' : 'not met',
  };
}
