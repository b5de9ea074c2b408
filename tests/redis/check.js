/** demo/resp_check.c, in Node or in a page. */

/**
 * @typedef {object} Result
 * @property {number} code 0: every reply was right
 * @property {string} message
 * @property {number} commands
 * @property {number} pauses how often writing was paused
 * @property {number} mostQueued bytes in the write buffer
 */

/**
 * Sends commands in a pipeline, and checks every reply.
 * @param {typeof import('../../js/index.js').load} load
 * @param {import('../../js/loader.js').Source} source
 * @param {string} address
 * @param {number} commands
 * @param {import('../../js/loader.js').LoadOptions['transports']} [transports]
 */
export async function startCheck(load, source, address, commands, transports) {
  /** @type {(result: Result) => void} */
  let settle = () => {};
  /** @type {Promise<Result>} */
  const checked = new Promise((resolve) => {
    settle = resolve;
  });
  /** @type {(code: number, at: number, ...more: number[]) => void} */
  const tell = (code, at, ...more) => {
    const [commands, , pauses, , mostQueued] = more;
    settle({ code, message: module.memory.string(at), commands, pauses, mostQueued });
  };
  const module = await load(source, { transports, imports: { resp: { checked: tell } } });
  const options = { protocol: 'resp_check_protocol', context: commands };
  const { protocol } = await module.connect(address, options);
  return {
    /** How many commands have been sent; while it runs. @returns {number} */
    sent: () => module.exports.resp_check_sent(protocol),
    result: checked.finally(() => module.close()),
  };
}

/** All of it. @param {Parameters<typeof startCheck>} values */
export const check = async (...values) => (await startCheck(...values)).result;
