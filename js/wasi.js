/** WASI's own error numbers. */
const EBADF = 8;
const ENOSYS = 52;

/** What else there is: it cannot be had. */
const others = [
  ...['clock_res_get', 'fd_advise', 'fd_allocate', 'fd_datasync', 'fd_fdstat_set_flags'],
  ...['fd_fdstat_set_rights', 'fd_filestat_get', 'fd_filestat_set_size', 'fd_filestat_set_times'],
  ...['fd_pread', 'fd_prestat_dir_name', 'fd_pwrite', 'fd_readdir', 'fd_renumber', 'fd_sync'],
  ...['fd_tell', 'path_create_directory', 'path_filestat_get', 'path_filestat_set_times'],
  ...['path_link', 'path_open', 'path_readlink', 'path_remove_directory', 'path_rename'],
  ...['path_symlink', 'path_unlink_file', 'poll_oneoff', 'proc_raise', 'sock_accept'],
  ...['sock_recv', 'sock_send', 'sock_shutdown'],
];

const print = (/** @type {string} */ text, /** @type {number} */ descriptor) =>
  (descriptor === 2 ? console.error : console.log)(text.replace(/\n$/, ''));

/**
 * The little of WASI that wasi-libc and Emscripten may ask of a module without files: output, clocks, random numbers, and
 * an honest "no" to the rest; and what Emscripten's libc imports besides.
 * @param {{memory: import('./memory.js').Memory}} instance
 * @param {Pick<import('./loader.js').LoadOptions, 'stdout'>} options
 * @returns {Record<string, Function>}
 */
export function imports({ memory }, { stdout: output = print }) {
  const decoders = [new TextDecoder(), new TextDecoder(), new TextDecoder()];
  /** @param {number} count @param {number} size */
  const none = (count, size) => {
    memory.setWords(count, 0);
    memory.setWords(size, 0);
    return 0;
  };
  const yes = () => 0;
  const bad = () => EBADF;
  const no = () => ENOSYS;
  return {
    ...Object.fromEntries(others.map((name) => [name, no])),
    fd_write: (
      /** @type {number} */ fd,
      /** @type {number} */ lines,
      /** @type {number} */ count,
      /** @type {number} */ written,
    ) => {
      if (fd !== 1 && fd !== 2) return EBADF;
      const bytes = memory.gather(lines, count, Number.POSITIVE_INFINITY);
      memory.setWords(written, bytes.length);
      output(decoders[fd].decode(bytes, { stream: true }), fd);
      return 0;
    },
    clock_time_get: (
      /** @type {number} */ clock,
      /** @type {bigint} */ _precision,
      /** @type {number} */ at,
    ) => {
      const milliseconds = clock === 0 ? Date.now() : performance.now();
      const nanoseconds = BigInt(Math.round(milliseconds * 1e6));
      memory.setWords(at, Number(nanoseconds & 0xffffffffn), Number(nanoseconds >> 32n));
      return 0;
    },
    random_get: (/** @type {number} */ address, /** @type {number} */ size) => {
      for (let done = 0; done < size; done += 65536)
        crypto.getRandomValues(memory.bytes(address + done, Math.min(65536, size - done)));
      return 0;
    },
    proc_exit: (/** @type {number} */ status) => {
      throw Object.assign(new Error(`exit(${status})`), { native: status }); // which is a trap
    },
    args_sizes_get: none,
    args_get: yes,
    environ_sizes_get: none,
    environ_get: yes,
    sched_yield: yes,
    fd_close: bad,
    fd_read: bad,
    fd_seek: bad,
    fd_fdstat_get: bad,
    fd_prestat_get: bad,
    emscripten_notify_memory_growth() {},
  };
}
