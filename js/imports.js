/**
 * The functions that every module imports from `towline`: wasm/README.md says what each is asked. Those that few do are in
 * endpoint-imports.js and request-imports.js.
 * @param {import('./instance.js').Instance} instance
 * @param {(level: number, message: string) => void} [onlog]
 * @returns {Record<string, Function>}
 */
export function towlineImports(
  instance,
  onlog = (level, message) => level > 0 && console.warn(message),
) {
  const { memory } = instance;
  const connection = (/** @type {number} */ id) => /** @type {any} */ (instance.things.get(id));

  return {
    now: () => performance.now(),
    set_timer: (/** @type {number} */ _host, /** @type {number} */ when) => instance.setTimer(when),
    wake: () => instance.wake(),

    write: (/** @type {number} */ id, /** @type {number} */ lines, /** @type {number} */ count) =>
      connection(id).write(lines, count),
    flush: (/** @type {number} */ id) => connection(id).flush(),
    shutdown: (/** @type {number} */ id) => connection(id).shutdown(),
    set_reading: (/** @type {number} */ id, /** @type {number} */ on) =>
      connection(id).setReading(on !== 0),
    revoke: (/** @type {number} */ id) => connection(id).revoke(),
    close: (/** @type {number} */ id, /** @type {number} */ errorAt) => {
      const error = instance.readError(errorAt);
      connection(id).end(error);
      connection(id).close(error);
    },
    extra_info: (
      /** @type {number} */ id,
      /** @type {number} */ name,
      /** @type {number} */ value,
      /** @type {number} */ capacity,
    ) => instance.answer(connection(id).extraInfo(memory.string(name)), value, capacity),

    construct: (/** @type {number} */ _loop, /** @type {number} */ id) =>
      connection(id).construct(),

    log: (
      /** @type {number} */ _context,
      /** @type {number} */ level,
      /** @type {number} */ message,
    ) => {
      const line = memory.string(message);
      queueMicrotask(() => onlog(level, line));
    },
    exception: (
      /** @type {number} */ _context,
      /** @type {number} */ callback,
      /** @type {number} */ _transport,
      /** @type {number} */ errorAt,
    ) => {
      const error = instance.readError(errorAt, `${memory.string(callback)}(): `);
      if (error) queueMicrotask(() => instance.onerror(error));
    },
  };
}
