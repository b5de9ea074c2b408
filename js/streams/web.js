/** @typedef {import('./stream-protocol.js').StreamProtocol} StreamProtocol */
/** @typedef {import('../protocols/transport.js').Bytes} Bytes */

/** The most that a chunk has. */
export const CHUNK = 65536;

/** @type {WeakMap<StreamProtocol, ReadableStream<Uint8Array>>} */
const readables = new WeakMap();
/** @type {WeakMap<StreamProtocol, WritableStream<Bytes>>} */
const writables = new WeakMap();

/**
 * The Web Stream over a StreamReader: it takes when it is asked, so the peer is held back by the reader's limit. Cancelling
 * it drops what comes from then on, and closes the connection when nothing more is to be written either.
 * @param {StreamProtocol} protocol
 */
export function readableOf(protocol) {
  const { reader, writer } = protocol;
  let isWanted = true;
  const readable =
    readables.get(protocol) ??
    new ReadableStream(
      {
        type: 'bytes',
        async pull(controller) {
          const chunk = await reader.read(CHUNK);
          if (!isWanted) return;
          if (chunk.length > 0) return controller.enqueue(chunk);
          controller.close();
          controller.byobRequest?.respond(0);
        },
        cancel() {
          isWanted = false;
          reader.discard();
          if (writer.hasEnded) writer.close();
        },
      },
      { highWaterMark: 0 },
    );
  readables.set(protocol, readable);
  return readable;
}

/**
 * The Web Stream over a StreamWriter. Closing it ends the stream where there is a half-close and somebody reads what is
 * yet to come, else the connection, and waits until all has left; aborting it aborts the connection.
 * @param {StreamProtocol} protocol
 */
export function writableOf(protocol) {
  const { writer, reader, transport } = protocol;
  const writable =
    writables.get(protocol) ??
    new WritableStream({
      start(controller) {
        writer.lost.then((error) => {
          if (!writer.hasEnded) controller.error(error);
        });
      },
      write: (/** @type {Bytes} */ chunk) => writer.write(chunk),
      close: () => writer.finish(reader.isDone),
      abort: () => transport.abort(),
    });
  writables.set(protocol, writable);
  return writable;
}
