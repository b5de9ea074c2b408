// Much that flows to a reader that takes its time, over WebSockets: with Towline framing both sides' memory stays as it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directions, MEBIBYTE, SlowStream } from './slow-stream.js';

const MUCH = 96 * MEBIBYTE;
/** After so much the engines have grown to what they need... */
const WARM = 48 * MEBIBYTE;
/** ... and this is how much more it may be, in KiB: Node collects its garbage late. */
const GROWTH = 24 * 1024;
/** Memory is looked at whenever so much has come. */
const OFTEN = 8 * MEBIBYTE;

/** @typedef {import('./slow-stream.js').Memory} Memory */

for (const direction of directions) {
  test(`a slow reader holds its peer back [F2, R1]: ${direction.name}`, {
    timeout: 120_000,
  }, async (t) => {
    const stream = await SlowStream.open(t, direction);
    /** @type {Memory[]} */
    const early = [];
    /** @type {Memory[]} */
    const late = [];
    for await (const received of stream.stops(MUCH)) {
      if (received % OFTEN >= MEBIBYTE) continue;
      await stream.collect();
      (received > WARM ? late : early).push(await stream.memory());
    }
    /** @param {Memory[]} samples @param {keyof Memory} whose */
    const most = (samples, whose) => Math.max(...samples.map((sample) => sample[whose]));
    /** @param {keyof Memory} whose */
    const growth = (whose) => most(late, whose) - most(early, whose);
    const grown = { writer: growth('writer'), reader: growth('reader') };
    t.diagnostic(`${JSON.stringify(grown)} KiB more memory; modules ${late[0].modules} KiB`);
    assert.equal(growth('modules'), 0);
    assert.ok(Math.max(grown.writer, grown.reader) <= GROWTH, JSON.stringify(grown));
  });
}
