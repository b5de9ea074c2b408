/**
 * Whether a module's own memory has a maximum, so that it grows where it is: the flags in its memory section.
 * @param {BufferSource} code a valid module; one that is compiled has no bytes to look at
 */
export function hasMaximum(code) {
  const bytes = ArrayBuffer.isView(code)
    ? new Uint8Array(code.buffer, code.byteOffset, code.byteLength)
    : new Uint8Array(code);
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const size = number();
    if (section === 5) return number() > 0 && (bytes[at] & 1) === 1;
    at += size;
  }
  return false;
}
