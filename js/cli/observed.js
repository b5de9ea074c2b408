/**
 * The same protocol, of whose calls somebody hears right before each is made.
 * @template {object} P
 * @param {P} protocol
 * @param {(name: string, values: any[]) => void} tell
 * @returns {P}
 */
export const observed = (protocol, tell) =>
  new Proxy(protocol, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (/** @type {any[]} */ ...values) => {
        tell(String(name), values);
        return value.apply(target, values);
      };
    },
  });
