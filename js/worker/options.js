import { TowlineError } from '../errors.js';

/** @typedef {import('./carrier.js').WorkersOptions} WorkersOptions */
/** @typedef {import('./carrier.js').WorkerOptions} WorkerOptions */

const ways = ['shared', 'suspending', 'deferred'];

/** @param {boolean} is @param {string} what */
function demand(is, what) {
  if (!is) throw new TowlineError('EINVAL', what);
}

/** Throws what cannot be. @param {Required<Pick<WorkersOptions, 'programs' | 'limit' | 'pool' | 'grace'>>} options */
export function checkWorkers({ programs, limit, pool, grace }) {
  const isCount = (/** @type {unknown} */ value) => Number.isInteger(value) && Number(value) >= 0;
  demand(Object(programs) === programs, 'programs is an object of programs by name');
  demand(isCount(limit) && limit > 0, `limit is a number of processes, not ${limit}`);
  demand(isCount(pool), `pool is a number of Workers, not ${pool}`);
  demand(grace >= 0 && grace < 2 ** 31, `grace is from 0 to 2147483647, not ${grace}`);
}

/** The same of what `spawn` is told besides. @param {WorkerOptions} options */
export function checkSpawn({ files = {}, isolate }) {
  const contents = files instanceof Map ? [...files.values()] : Object.values(files);
  const isContent = (/** @type {unknown} */ content) =>
    typeof content === 'string' || content instanceof Uint8Array;
  demand(
    Object(files) === files && contents.every(isContent),
    'files are an object or a Map of strings or Uint8Arrays by path',
  );
  demand(isolate === undefined || ways.includes(isolate), `isolate is one of ${ways}`);
}
