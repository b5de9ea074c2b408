/** demo/resp_check.c, in Node or in a page. */

/**
 * @typedef {object} Result
 * @property {number} code 0: every reply was right
 * @property {string} message
 * @property {number} commands
 * @property {number} pauses how often writing was paused
 * @property {number} mostWaiting commands on their way at once
 * @property {number} mostQueued bytes in the write buffer
 */

/**
 * Sends commands in a pipeline, and checks every reply.
 * @param {typeof import('../../js/index.js').load} load
 * @param {import('../../js/loader.js').Source} source
 * @param {string} address
 * @param {number} commands
 * @param {import('../../js/loader.js').LoadOptions['transports']} [transports]
 * @returns {Promise<Result>}
 */
export async function check(load, source, address, commands, transports) {
  /** @type {(result: Result) => void} */
  let settle = () => {};
  /** @type {Promise<Result>} */
  const result = new Promise((resolve) => {
    settle = resolve;
  });
  /** @param {number[]} values */
  const checked = (code, at, commands, _milliseconds, pauses, mostWaiting, mostQueued) =>
    settle({ code, message: module.memory.string(at), commands, pauses, mostWaiting, mostQueued });
  const module = await load(source, { transports, imports: { resp: { checked } } });
  try {
    await module.connect(address, { protocol: 'resp_check_protocol', context: commands });
    return await result;
  } finally {
    await module.close();
  }
}
