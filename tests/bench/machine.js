/** Where something was measured: without it figures say little. */
import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';

/** The first version number in what a program prints, if it is there. @param {string[]} command */
function version([program, ...args]) {
  try {
    const text = execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /\d+(\.\d+)+/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}

export function machine() {
  return {
    processor: cpus()[0].model,
    cores: cpus().length,
    Linux: release().split('-')[0],
    gcc: version(['gcc', '-dumpfullversion']),
    clang: version(['clang', '--version']),
    libuv: version(['pkg-config', '--modversion', 'libuv']),
    Python: version(['/usr/bin/python3', '--version']),
    uvloop: version(['/usr/bin/python3', '-c', 'import uvloop; print(uvloop.__version__)']),
    Node: process.versions.node,
    'libuv in Node': process.versions.uv,
    Chromium: version(['chromium', '--version']),
    Emscripten: version(['emcc', '--version']),
  };
}
