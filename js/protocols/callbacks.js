import { TowlineError } from '../errors.js';
import { kindOf } from './protocol.js';

/** @typedef {import('./binding.js').Binding} Binding */
/** @typedef {import('./script.js').Script} Script */

/** What a callback that has thrown answers; TOW_ECALLBACK is told with it. */
const FAILED = -1;

/** 'data_received' as JavaScript calls it. @param {string} name */
const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

/** @param {unknown} cause */
const textOf = (cause) => (cause instanceof Error ? cause.message : String(cause));

/** @param {string} callback @param {unknown} cause */
export const callbackFailed = (callback, cause) =>
  new TowlineError('ECALLBACK', `${callback}(): ${textOf(cause)}`, { cause });

/**
 * The imports of wasm/script/script.c. No exception leaves them but that of a module that is broken already: it would
 * break the module (wasm/README.md, rule 5).
 * @param {Script} script
 * @returns {Record<string, Function>}
 */
export function callbacks(script) {
  /** What was thrown last, and by whom: the core reports it before anything else runs. @type {{error: unknown, binding?: Binding} | undefined} */
  let thrown;
  /** Why a transport was given up. @type {WeakMap<object, unknown>} */
  const causes = new WeakMap();

  /** @param {() => unknown} body @param {Binding} [binding] @returns {number} */
  const guard = (body, binding) => {
    try {
      return body() === true ? 1 : 0;
    } catch (error) {
      if (script.dead) throw error;
      thrown = { error, binding };
      return FAILED;
    }
  };

  /**
   * @template {any[]} A
   * @param {(binding: Binding, ...values: A) => unknown} body
   */
  const on =
    (body) =>
    (/** @type {number} */ self, /** @type {A} */ ...values) => {
      const binding = /** @type {Binding} */ (script.bindings.get(self));
      return guard(() => body(binding, ...values), binding);
    };

  /** @param {Binding} binding @param {number} peer a `tow_peer`; 0: nobody knows */
  const peerOf = ({ transport }, peer) =>
    transport && peer ? (script.peer(transport.address, peer) ?? '') : null;

  /** @param {Binding} binding @param {number} errorAt */
  const lost = (binding, errorAt) => {
    const { transport, protocol } = binding;
    const told = script.error(errorAt);
    const cause = transport ? causes.get(transport) : undefined;
    const error =
      told?.code === 'ECALLBACK' ? new TowlineError(told.code, told.message, { cause }) : told;
    try {
      protocol.connectionLost?.(error);
    } finally {
      if (transport) {
        script.transports.delete(transport.address);
        for (const one of transport.bindings.splice(0)) script.unbind(one);
        transport.lost(error);
      }
    }
  };

  return {
    create: (/** @type {number} */ context, /** @type {number} */ self) => {
      const opening = script.openings.get(context);
      if (!opening) return 0;
      try {
        const protocol = opening.factory();
        const kind = kindOf(protocol);
        opening.binding = script.bind(self, protocol);
        opening.binding.opening = opening;
        return kind;
      } catch (error) {
        opening.failed(error);
        return 0;
      }
    },
    connection_made: on((binding, /** @type {number} */ address) => {
      const { opening, protocol } = binding;
      const transport = script.open(binding, address);
      opening?.opened(transport, protocol);
      protocol.connectionMade?.(transport);
    }),
    connection_lost: on(lost),
    pause_writing: on(({ protocol }) => void protocol.pauseWriting?.()),
    resume_writing: on(({ protocol }) => void protocol.resumeWriting?.()),
    eof_received: on(({ protocol }) => protocol.eofReceived?.()),
    data_received: on(({ protocol }, /** @type {number} */ at, /** @type {number} */ size) => {
      protocol.dataReceived?.(script.bytes(at, size));
    }),
    get_buffer: on((binding, /** @type {number} */ hint, /** @type {number} */ at) => {
      const { base, size } = binding.lend(binding.protocol.getBuffer(hint));
      script.setWords(at, base, size);
    }),
    buffer_updated: on((binding, /** @type {number} */ size) => {
      binding.fill(size);
      binding.protocol.bufferUpdated?.(size);
    }),
    datagram_received: on(
      (
        binding,
        /** @type {number} */ at,
        /** @type {number} */ size,
        /** @type {number} */ peer,
      ) => {
        const from = peerOf(binding, peer); // the memory may grow: the view comes after
        binding.protocol.datagramReceived?.(script.bytes(at, size), from);
      },
    ),
    error_received: on((binding, /** @type {number} */ errorAt, /** @type {number} */ peer) => {
      binding.protocol.errorReceived?.(script.error(errorAt), peerOf(binding, peer));
    }),
    peer_joined: on((binding, /** @type {number} */ peer) => {
      binding.protocol.peerJoined?.(peerOf(binding, peer));
    }),
    pipe_data_received: on(
      (
        { protocol },
        /** @type {number} */ fd,
        /** @type {number} */ at,
        /** @type {number} */ size,
      ) => {
        protocol.pipeDataReceived?.(fd, script.bytes(at, size));
      },
    ),
    pipe_connection_lost: on(
      ({ protocol, transport }, /** @type {number} */ fd, /** @type {number} */ errorAt) => {
        const error = script.error(errorAt);
        /** @type {any} */ (transport)?.pipeLost(fd, error);
        protocol.pipeConnectionLost?.(fd, error);
      },
    ),
    process_exited: on(({ protocol }) => void protocol.processExited?.()),

    run: (/** @type {number} */ handle) => {
      const callback = script.handles.get(handle);
      script.handles.delete(handle);
      const answer = guard(() => void callback?.());
      script.free(handle);
      return answer;
    },
    log: (_context = 0, /** @type {number} */ level, /** @type {number} */ message) =>
      script.loop.log(level, script.string(message)),
    exception: (
      _context = 0,
      /** @type {number} */ name,
      /** @type {number} */ address,
      /** @type {number} */ errorAt,
    ) => {
      const callback = camel(script.string(name));
      const transport = thrown?.binding?.transport ?? script.transports.get(address);
      const protocol = thrown?.binding?.protocol ?? transport?.getProtocol();
      const cause = thrown?.error;
      if (thrown && transport) causes.set(transport, cause);
      const error = thrown ? callbackFailed(callback, cause) : script.error(errorAt);
      thrown = undefined;
      script.loop.report(error, { callback, transport, protocol });
    },
  };
}
