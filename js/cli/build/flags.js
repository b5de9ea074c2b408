/** What a module is compiled and linked with, whoever does it. */

/** A maximum lets an engine reserve the address space: memory grows where it is, and the kernel may read into it (B5). */
export const MAXIMUM_MEMORY = 1 << 30;
/**
 * Of the heap, what is there from the start: untouched it costs nothing. Once any memory has grown, V8 checks at every access
 * to an array, in the whole process, whether its bytes have gone.
 */
export const HEAP = 1 << 20;
const STACK = 128 << 10;

/** What every engine has had since 2021. Inlining is left to wasm-opt, which knows better what is small there. */
const CODE = '-Oz -fno-inline -ffunction-sections -fdata-sections'.split(' ');
const FEATURES = '-mcpu=mvp -mbulk-memory -msign-ext -mnontrapping-fptoint'.split(' ');
const OPTIMISER_FEATURES = [
  'bulk-memory',
  'sign-ext',
  'nontrapping-float-to-int',
  'mutable-globals',
];

/** Of the user's files. */
export const COMPILE = [...CODE, ...FEATURES];
/** Of the library's own. */
export const COMPILE_LIBRARY = ['-std=c11', ...COMPILE];
export const OPTIMISE = [
  '-Oz',
  '--converge',
  ...OPTIMISER_FEATURES.map((feature) => `--enable-${feature}`),
];

/** No -O where clang links: it would run whatever wasm-opt it finds, not knowing what features that has. */
export const LINK_WASI = [
  '-mexec-model=reactor',
  '-Wl,--stack-first',
  `-Wl,-z,stack-size=${STACK}`,
  `-Wl,--max-memory=${MAXIMUM_MEMORY}`,
];
export const STRIP_WASI = ['-Wl,--strip-all', '-Wl,--compress-relocations'];

export const OPTIMISE_EMSCRIPTEN = ['-Oz'];
/** Emscripten takes the import modules for misspelt functions; link.js looks for what is really misspelt. */
export const LINK_EMSCRIPTEN = [
  '-sSTANDALONE_WASM',
  '--no-entry',
  '-sMALLOC=none',
  '-sALLOW_MEMORY_GROWTH=1',
  `-sTOTAL_STACK=${STACK}`,
  `-sMAXIMUM_MEMORY=${MAXIMUM_MEMORY}`,
  '-sERROR_ON_UNDEFINED_SYMBOLS=0',
  '-sWARN_ON_UNDEFINED_SYMBOLS=0',
];

/** Emscripten takes -Map for something else. */
export const MAP = '-Wl,--print-map';
