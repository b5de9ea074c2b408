/** A recording as a file, JSON, and back. What is opened comes from anywhere: every part of it is checked. */
import { ASKED, CALLS } from './calls.js';
import { FIGURES, KEEP_BYTES, KEPT, Recording } from './recording.js';
import { Samples } from './samples.js';

/** @typedef {import('./recording.js').Entry} Entry */

const FORMAT = 'towline-trace';
const VERSION = 1;
export const LARGEST = 32 << 20;
const MOST_SAMPLES = 100_000;
const LONGEST_TEXT = 4096;

/** @param {Uint8Array} data */
const toBase64 = (data) => btoa(String.fromCharCode(...data));

/** @param {Recording} recording @param {string} panel */
export function toText(recording, panel) {
  const { entries, dropped, figures, limits } = recording;
  return JSON.stringify({
    format: FORMAT,
    version: VERSION,
    panel,
    saved: new Date().toISOString(),
    limits,
    dropped,
    entries: entries.map(({ bytes, error, ...rest }) => ({
      ...rest,
      ...(bytes && bytes.length > 0 && { bytes: toBase64(bytes) }),
      ...(error !== undefined && {
        error: error && { code: error.code, native: error.native, message: error.message },
      }),
    })),
    figures: Object.fromEntries(
      Object.entries(figures).flatMap(([name, { times, values }]) =>
        times.length > 0 ? [[name, { times, values }]] : [],
      ),
    ),
  });
}

/** @param {unknown} value @param {string} what @returns {Record<string, unknown>} */
function object(value, what) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is no object`);
  return /** @type {Record<string, unknown>} */ (value);
}

/** @param {unknown} value @param {string} what @param {number} most @returns {unknown[]} */
function list(value, what, most) {
  if (!Array.isArray(value)) throw new Error(`${what} is no list`);
  if (value.length > most) throw new Error(`${what} has more than ${most} members`);
  return value;
}

/** @param {unknown} value @param {string} what */
function finite(value, what) {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`${what} is no number`);
  return value;
}

/** @param {unknown} value @param {string} what */
function text(value, what) {
  if (typeof value !== 'string' || value.length > LONGEST_TEXT)
    throw new Error(`${what} is no text`);
  return value;
}

/** @param {unknown} value @param {string} what */
function data(value, what) {
  try {
    const decoded = atob(text(value, what));
    return Uint8Array.from(decoded.slice(0, KEEP_BYTES), (letter) => letter.charCodeAt(0));
  } catch {
    throw new Error(`${what} is no base64`);
  }
}

/** @param {unknown} value @param {string} what */
function failure(value, what) {
  if (value === null) return null;
  const { code, native, message } = object(value, what);
  return {
    code: text(code, what),
    native: finite(native, what),
    message: text(message, what),
  };
}

const NUMBERS = /** @type {const} */ (['time', 'connection', 'depth']);
const MORE_NUMBERS = /** @type {const} */ ([
  'size',
  'hint',
  'fd',
  'level',
  'levelAfter',
  'duration',
]);
const TEXTS = /** @type {const} */ (['text', 'function', 'peer']);

/** @param {unknown} value @param {number} index @returns {Entry} */
function entryOf(value, index) {
  const what = `call ${index + 1}`;
  const given = object(value, what);
  const { name } = given;
  if (typeof name !== 'string' || !(name === ASKED || Object.hasOwn(CALLS, name)))
    throw new Error(`${what} has no name that is known`);
  /** @type {any} */
  const entry = { name };
  for (const key of NUMBERS) entry[key] = finite(given[key], `${what}: ${key}`);
  for (const key of MORE_NUMBERS)
    if (given[key] !== undefined) entry[key] = finite(given[key], `${what}: ${key}`);
  for (const key of TEXTS)
    if (given[key] !== undefined) entry[key] = text(given[key], `${what}: ${key}`);
  if (given.bytes !== undefined) entry.bytes = data(given.bytes, `${what}: bytes`);
  if (given.error !== undefined) entry.error = failure(given.error, `${what}: error`);
  return entry;
}

/** @param {unknown} value @param {string} name */
function samplesOf(value, name) {
  const given = object(value, name);
  const samples = new Samples();
  samples.times = list(given.times, `${name}: times`, MOST_SAMPLES).map((time) =>
    finite(time, name),
  );
  samples.values = list(given.values, `${name}: values`, MOST_SAMPLES).map((one) =>
    finite(one, name),
  );
  if (samples.times.length !== samples.values.length)
    throw new Error(`${name} has not as many times as values`);
  return samples;
}

/**
 * The recording in a file; an Error that says what is wrong with it.
 * @param {string} json
 */
export function fromText(json) {
  let given;
  try {
    given = JSON.parse(json);
  } catch {
    throw new Error('it is no JSON');
  }
  const file = object(given, 'the file');
  if (file.format !== FORMAT) throw new Error('it is no trace that this page has saved');
  if (file.version !== VERSION) throw new Error(`it is of version ${file.version}, not ${VERSION}`);
  const recording = new Recording();
  recording.isLive = false;
  recording.entries = list(file.entries, 'the calls', KEPT).map(entryOf);
  recording.dropped = 0;
  for (const { name } of recording.entries)
    recording.totals.set(name, (recording.totals.get(name) ?? 0) + 1);
  if (file.limits !== undefined) {
    const { low, high } = object(file.limits, 'limits');
    recording.limits = { low: finite(low, 'low'), high: finite(high, 'high') };
  }
  for (const [name, value] of Object.entries(object(file.figures, 'figures'))) {
    if (!Object.hasOwn(FIGURES, name)) throw new Error(`no figure ${text(name, 'a name')}`);
    recording.figures[/** @type {keyof typeof FIGURES} */ (name)] = samplesOf(value, name);
  }
  return { recording, panel: text(file.panel, 'panel'), saved: text(file.saved, 'saved') };
}
