/** The WASI programs that the page may run: those that were built. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../build/wasi/programs', import.meta.url));

/** Their names: lua, wc ... */
export function programs() {
  try {
    return readdirSync(folder).flatMap((file) =>
      file.endsWith('.wasm') ? [basename(file, '.wasm')] : [],
    );
  } catch {
    return [];
  }
}
