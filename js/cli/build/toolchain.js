/** Compiling, archiving and linking: the arguments, for those who run clang and for Emscripten. */
import {
  COMPILE,
  COMPILE_LIBRARY,
  LINK_EMSCRIPTEN,
  LINK_WASI,
  MAP,
  OPTIMISE_EMSCRIPTEN,
  STRIP_WASI,
} from './flags.js';

/**
 * Runs one of a compiler's programs; what it says of errors goes out as it is, before a Failure that says `what`.
 * @typedef {(tool: 'compiler' | 'archiver', args: Argument[], what: string) => Promise<Said>} Run
 * @typedef {{stdout: string, stderr: string}} Said
 */

/**
 * An argument; a path in it is set apart, for it may be called otherwise where the compiler runs.
 * @typedef {string | {before?: string, path: string, is: 'input' | 'output' | 'folder'}} Argument
 */

/** @param {string} path @returns {Argument} */
export const input = (path) => ({ path, is: 'input' });
/** @param {string} path @returns {Argument} */
const output = (path) => ({ path, is: 'output' });
/** @param {string} path @returns {Argument} */
export const headers = (path) => ({ before: '-I', path, is: 'folder' });

/**
 * @typedef {object} Link
 * @property {string[]} inputs objects, and the library at last
 * @property {string} output
 * @property {string[]} exports
 * @property {number} memory how much it has at first, in bytes
 * @property {string[]} [candidates] only to see what is linked: prints a map of it, and exports those of these that are
 *   there, and where the heap begins
 */

/** The linker's: where static data and the stack end. */
export const HEAP_BASE = '__heap_base';

/** @param {string[]} candidates */
const survey = (candidates) => [
  ...candidates.map((name) => `-Wl,--export-if-defined=${name}`),
  `-Wl,--export=${HEAP_BASE}`,
  MAP,
];

export class Toolchain {
  /**
   * @param {string} name what `--with` calls it
   * @param {string} identity changes whenever what it makes of the same source may
   * @param {Run} run
   */
  constructor(name, identity, run) {
    this.name = name;
    this.identity = identity;
    this.run = run;
  }

  /** Another program makes what this one links smaller. */
  get wantsOptimiser() {
    return true;
  }

  /**
   * Answers what the compiler had to say.
   * @param {string} source
   * @param {string} object
   * @param {{folders: string[], library?: boolean, more?: string[]}} options
   */
  compile(source, object, { folders, library = false, more = [] }) {
    const flags = library ? COMPILE_LIBRARY : COMPILE;
    const args = [...flags, ...folders.map(headers), ...more, '-c', input(source), '-o'];
    return this.run('compiler', [...args, output(object)], `${source} does not compile`);
  }

  /** @param {string[]} objects @param {string} archive */
  archive(objects, archive) {
    const args = ['rcs', output(archive), ...objects.map(input)];
    return this.run('archiver', args, 'the library cannot be archived');
  }

  /** @param {Link} link */
  link({ inputs, output: to, exports, memory, candidates }) {
    /** @type {Argument[]} */
    const args = [...LINK_WASI, ...inputs.map(input), '-o', output(to)];
    args.push(`-Wl,--initial-memory=${memory}`);
    args.push(...exports.map((name) => `-Wl,--export=${name}`));
    args.push(...(candidates ? survey(candidates) : STRIP_WASI));
    return this.run('compiler', args, 'it does not link');
  }
}

/** Emscripten's clang is the same; only what links is not. It optimises by itself. */
export class Emscripten extends Toolchain {
  /** @override */
  get wantsOptimiser() {
    return false;
  }

  /** @param {Link} link @override */
  link({ inputs, output: to, exports, memory, candidates }) {
    const names = exports.map((name) => `_${name}`);
    /** @type {Argument[]} */
    const args = [...inputs.map(input), '-o', output(to), ...LINK_EMSCRIPTEN];
    args.push(`-sEXPORTED_FUNCTIONS=${names}`, `-sINITIAL_MEMORY=${memory}`);
    args.push(...(candidates ? ['-O0', ...survey(candidates)] : OPTIMISE_EMSCRIPTEN));
    return this.run('compiler', args, 'it does not link');
  }
}
