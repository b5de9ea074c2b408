import { TowlineError, textOf } from '../errors.js';
import { isPromise } from './checks.js';
import { kindOf } from './protocol.js';

/** @typedef {import('./binding.js').Binding} Binding */
/** @typedef {import('./script.js').Script} Script */

/** What a callback that has thrown answers; TOW_ECALLBACK is told with it. */
const FAILED = -1;

/** 'data_received' as JavaScript calls it. @param {string} name */
const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

/** As textOf, of whatever is thrown: there are objects that have no text. @param {unknown} cause */
function wordsOf(cause) {
  try {
    return textOf(cause);
  } catch {
    return 'something without a text';
  }
}

/** @param {string} callback @param {unknown} cause */
export const callbackFailed = (callback, cause) =>
  new TowlineError('ECALLBACK', `${callback}(): ${wordsOf(cause)}`, { cause });

/** Those whose failure ends the connection. */
const fatal = ['dataReceived', 'getBuffer', 'bufferUpdated', 'eofReceived'];

/**
 * The imports of wasm/script/script.c. No exception leaves them but that of a module that is broken already: it would
 * break the module (wasm/README.md, rule 5).
 * @param {Script} script
 * @returns {Record<string, Function>}
 */
export function callbacks(script) {
  const { loop } = script;
  /** What was thrown last, and by whom: the core reports it before anything else runs. @type {{error: unknown, binding?: Binding} | undefined} */
  let thrown;
  /** Why a transport was given up: by the core, or (later) by a promise. @type {WeakMap<object, {error: TowlineError, isLate: boolean}>} */
  const failures = new WeakMap();

  /** A promise that a callback answered was rejected: as if it had thrown. @param {string} name @param {Binding} binding @param {unknown} cause */
  const rejected = (name, { transport, protocol }, cause) => {
    const error = callbackFailed(name, cause);
    loop.report(error, { callback: name, transport, protocol });
    if (!transport || !fatal.includes(name)) return;
    if (transport.isClosing() && transport.getWriteBufferSize() === 0) return; // the first cause wins [L8]
    failures.set(transport, { error, isLate: true });
    transport.abort();
  };

  /** @param {unknown} error @param {Binding} [binding] */
  const failed = (error, binding) => {
    if (script.dead) throw error;
    thrown = { error, binding };
    return FAILED;
  };

  /**
   * @param {string} name
   * @param {(binding: Binding, ...values: number[]) => unknown} body
   */
  const on =
    (name, body) =>
    (/** @type {number} */ self, /** @type {number} */ a, /** @type {number} */ b, c = 0) => {
      const binding = /** @type {Binding} */ (script.bindings.get(self));
      try {
        const answer = body(binding, a, b, c);
        if (!isPromise(answer)) return answer === true ? 1 : 0;
        answer.then(undefined, (cause) => rejected(name, binding, cause));
        return name === 'eofReceived' ? stayOpen(binding, answer) : 0;
      } catch (error) {
        return failed(error, binding);
      }
    };

  /** The stream has ended, and what the protocol does about it takes a while. @param {Binding} binding @param {PromiseLike<unknown>} answer */
  const stayOpen = ({ transport }, answer) => {
    answer.then(
      (value) => value === true || transport?.close(),
      () => {},
    );
    return 1;
  };

  /** @param {Binding} binding @param {number} peer a `tow_peer`; 0: nobody knows */
  const peerOf = ({ transport }, peer) =>
    transport && peer ? (script.peer(transport.address, peer) ?? '') : null;

  /** What has taken a child's pipe over. @param {any} transport @param {number} fd @returns {import('../streams/stream-protocol.js').StreamProtocol | undefined} */
  const takenOf = (transport, fd) => transport?.takenOf?.(fd);

  /** @param {Binding} binding @param {number} errorAt */
  const lost = (binding, errorAt) => {
    const { transport, protocol } = binding;
    const told = script.error(errorAt);
    const failure = transport && failures.get(transport);
    const isIts = failure && (failure.isLate ? told === null : told?.code === 'ECALLBACK');
    const error = isIts ? failure.error : told;
    try {
      return protocol.connectionLost?.(error);
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
        const kind = kindOf(protocol, opening.family);
        opening.binding = script.bind(self, protocol, kind);
        opening.binding.opening = opening;
        return kind;
      } catch (error) {
        opening.failed(error);
        return 0;
      }
    },
    connection_made: on('connectionMade', (binding, address) => {
      const { opening, protocol } = binding;
      const transport = script.open(binding, address);
      opening?.opened(transport, protocol);
      return protocol.connectionMade?.(transport);
    }),
    connection_lost: on('connectionLost', lost),
    pause_writing: on('pauseWriting', ({ protocol, transport }) => {
      takenOf(transport, 0)?.pauseWriting();
      return protocol.pauseWriting?.();
    }),
    resume_writing: on('resumeWriting', ({ protocol, transport }) => {
      takenOf(transport, 0)?.resumeWriting();
      return protocol.resumeWriting?.();
    }),
    eof_received: on('eofReceived', ({ protocol }) => protocol.eofReceived?.()),
    data_received: on('dataReceived', ({ protocol }, at, size) =>
      protocol.dataReceived?.(script.received(at, size)),
    ),
    get_buffer: on('getBuffer', (binding, hint, at) => {
      const { base, size } = binding.lend(binding.protocol.getBuffer(hint));
      script.setWords(at, base, size);
    }),
    buffer_updated: on('bufferUpdated', (binding, size) => {
      binding.fill(size);
      return binding.protocol.bufferUpdated?.(size);
    }),
    datagram_received: on('datagramReceived', (binding, at, size, peer) =>
      binding.protocol.datagramReceived?.(script.received(at, size), peerOf(binding, peer)),
    ),
    error_received: on('errorReceived', (binding, errorAt, peer) =>
      binding.protocol.errorReceived?.(script.error(errorAt), peerOf(binding, peer)),
    ),
    peer_joined: on('peerJoined', (binding, peer) =>
      binding.protocol.peerJoined?.(peerOf(binding, peer)),
    ),
    pipe_data_received: on('pipeDataReceived', ({ protocol, transport }, fd, at, size) => {
      const data = script.received(at, size);
      const taken = takenOf(transport, fd);
      return taken ? taken.dataReceived(data) : protocol.pipeDataReceived?.(fd, data);
    }),
    pipe_connection_lost: on('pipeConnectionLost', ({ protocol, transport }, fd, errorAt) => {
      const error = script.error(errorAt);
      /** @type {any} */ (transport)?.pipeLost(fd, error);
      return protocol.pipeConnectionLost?.(fd, error);
    }),
    process_exited: on('processExited', ({ protocol }) => protocol.processExited?.()),

    run: (/** @type {number} */ handle) => {
      const { callback, name } = script.handles.get(handle) ?? { name: '' };
      script.handles.delete(handle);
      try {
        const answer = /** @type {unknown} */ (callback?.());
        if (isPromise(answer))
          answer.then(undefined, (cause) => loop.reportFailure(name, cause, {}));
        return 0;
      } catch (error) {
        return failed(error);
      } finally {
        script.free(handle);
      }
    },
    log: (_context = 0, /** @type {number} */ level, /** @type {number} */ message) =>
      loop.log(level, script.string(message)),
    exception: (
      _context = 0,
      /** @type {number} */ name,
      /** @type {number} */ address,
      /** @type {number} */ errorAt,
    ) => {
      const callback = camel(script.string(name));
      const transport = thrown?.binding?.transport ?? script.transports.get(address);
      const protocol = thrown?.binding?.protocol ?? transport?.getProtocol();
      const error = thrown ? callbackFailed(callback, thrown.error) : script.error(errorAt);
      if (thrown && transport && error) failures.set(transport, { error, isLate: false });
      thrown = undefined;
      loop.report(error, { callback, transport, protocol });
    },
  };
}
