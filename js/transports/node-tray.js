/**
 * Where a piece lies while Node tries to write it. Nearly always the kernel takes it at once, and the next piece of whatever
 * socket can lie there.
 */
let tray = Buffer.alloc(0);
/** The last one: many are of one size. */
let piece = tray;

/** The longest piece. */
export const LONGEST = 1 << 17;

/**
 * A piece of the bytes of `tow_iovec`s, from the `skip`th on, `limit` at most.
 * @param {import('../memory.js').Memory} memory
 * @param {number} lines
 * @param {number} count
 * @param {number} skip
 * @param {number} limit
 */
export function putOnTray(memory, lines, count, skip, limit) {
  if (tray.length === 0) tray = Buffer.allocUnsafeSlow(LONGEST);
  let size = 0;
  for (let at = lines; at < lines + 8 * count; at += 8) {
    const line = memory.bytes(memory.word(at), memory.word(at + 4));
    const part = line.subarray(skip, skip + Math.max(0, limit - size));
    skip = Math.max(0, skip - line.length);
    tray.set(part, size);
    size += part.length;
  }
  if (piece.length !== size) piece = tray.subarray(0, size);
  return piece;
}

/** The bytes are Node's until it has written them: the next piece is put elsewhere. @param {Uint8Array} bytes */
export function leaveOnTray(bytes) {
  if (bytes === piece) tray = piece = Buffer.alloc(0);
}
