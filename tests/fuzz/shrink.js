/** Makes a failing scenario small: leaves out what it can while it still fails. */

/**
 * @typedef {import('../traces/format.js').Scenario} Scenario
 * @typedef {(scenario: Scenario) => Promise<boolean>} Fails
 */

/** @template T @param {T} value @returns {T} */
const copy = (value) => JSON.parse(JSON.stringify(value));

/**
 * Every list inside a scenario from which something may be left out: steps, what is done inside callbacks, sizes.
 * @param {any} value
 * @returns {any[][]}
 */
function listsOf(value) {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.values(value).flatMap(listsOf);
  return Array.isArray(value) ? [value, ...below] : below;
}

/** @param {any} value @returns {any[]} */
function objectsOf(value) {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.values(value).flatMap(objectsOf);
  return Array.isArray(value) ? below : [value, ...below];
}

/** What a scenario needs to be one. */
const NEEDED = new Set(['name', 'kind', 'drive', 'about', 'proto', 'steps', 'data_len']);
/** A step's own name and what it cannot do without. */
const OF_STEPS = new Set([
  'proto',
  'peer',
  'env',
  'n',
  'ns',
  'text',
  'errno',
  'label',
  'to',
  'max',
]);

/** What no number may fall below: writing nothing again and again would never end. @type {Record<string, number>} */
const LEAST = { chunk: 1 };
/** How many scenarios are tried at most. */
const MOST = 5000;

class Shrinker {
  /** @param {Scenario} scenario @param {Fails} fails */
  constructor(scenario, fails) {
    this.best = scenario;
    this.fails = fails;
    this.tried = 0;
  }

  /** Keeps the change if the scenario still fails. @param {(scenario: Scenario) => void} change */
  async attempt(change) {
    const candidate = copy(this.best);
    change(candidate);
    if (JSON.stringify(candidate) === JSON.stringify(this.best)) return false;
    if (this.tried++ >= MOST || !(await this.fails(candidate))) return false;
    this.best = candidate;
    return true;
  }

  /** Pieces of each list, half of it at first, single items at last. */
  async dropItems() {
    for (let which = 0; which < listsOf(this.best).length; which++) {
      const list = () => listsOf(this.best)[which] ?? [];
      for (let size = list().length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
        for (let at = 0; at < list().length; ) {
          const dropped = await this.attempt((scenario) => {
            listsOf(scenario)[which].splice(at, size);
          });
          if (!dropped) at += size;
        }
      }
    }
  }

  async dropKeys() {
    for (let which = 0; which < objectsOf(this.best).length; which++) {
      for (const key of Object.keys(objectsOf(this.best)[which] ?? {})) {
        const isStep = 'about' in objectsOf(this.best)[which] ? NEEDED : OF_STEPS;
        if (isStep.has(key)) continue;
        await this.attempt((scenario) => {
          delete objectsOf(scenario)[which]?.[key];
        });
      }
    }
  }

  async lowerNumbers() {
    const holders = () => [...objectsOf(this.best), ...listsOf(this.best)];
    for (let which = 0; which < holders().length; which++) {
      for (const [key, value] of Object.entries(holders()[which])) {
        const least = LEAST[key] ?? 0;
        if (typeof value !== 'number' || value <= least || key === 'to') continue;
        const lower = [least, 1, 2, Math.floor(value / 16), Math.floor(value / 2), value - 1];
        for (const other of lower.filter((number) => number >= least && number < value)) {
          const lowered = await this.attempt((scenario) => {
            const all = [...objectsOf(scenario), ...listsOf(scenario)];
            all[which][key] = other;
          });
          if (lowered) break;
        }
      }
    }
  }
}

/**
 * @param {Scenario} scenario one that fails
 * @param {Fails} fails
 */
export async function shrink(scenario, fails) {
  const shrinker = new Shrinker(scenario, fails);
  for (let before = ''; before !== JSON.stringify(shrinker.best); ) {
    before = JSON.stringify(shrinker.best);
    await shrinker.dropItems();
    await shrinker.dropKeys();
    await shrinker.lowerNumbers();
  }
  return shrinker.best;
}
