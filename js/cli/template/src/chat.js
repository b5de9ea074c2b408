/** The other side of chat.c, for the page, for Node and for the test. */
import { load } from 'towline';

const decoder = new TextDecoder();

/**
 * @param {string | URL} source where chat.wasm is
 * @param {Parameters<typeof load>[1]} [options]
 */
export async function loadChat(source, options) {
  /** Who hears, by what C knows a visitor by. @type {Map<number, ReadableStreamDefaultController<string>>} */
  const visitors = new Map();
  const module = await load(source, {
    ...options,
    imports: {
      chat: {
        /** @param {number} visitor @param {number} address @param {number} size */
        heard(visitor, address, size) {
          visitors.get(visitor)?.enqueue(decoder.decode(module.memory.bytes(address, size)));
        },
        /** @param {number} visitor */
        left(visitor) {
          visitors.get(visitor)?.close();
          visitors.delete(visitor);
        },
      },
    },
  });

  return {
    /** Serves the room. @param {string} address */
    listen: (address) => module.listen(address, { protocol: 'member_new' }),

    /**
     * Enters a room: `lines` is what is heard there, until it ends.
     * @param {string} address
     * @param {string} name of at most 24 bytes
     */
    async join(address, name) {
      const { transport, protocol } = await module.connect(address, { protocol: 'visitor_new' });
      const lines = new ReadableStream({
        start: (controller) => {
          visitors.set(protocol, controller);
        },
      });
      const mine = visitors.get(protocol);
      /** Nothing is said once the connection is lost. @param {string} text */
      const say = (text) => {
        if (visitors.get(protocol) === mine) module.call('visitor_say', protocol, text);
      };
      say(name);
      return { lines, say, leave: () => transport.close() };
    },

    close: () => module.close(),
  };
}
