/** What the tests do with programs; each answers what came of it. tests/js/programs.test.js tells them. */

/** @typedef {Awaited<ReturnType<typeof import('./stage.js').openStage>>} Stage */
/** @typedef {{spawn: Stage['spawn']}} Scene */

const SIGINT = 2;
const SIGKILL = 9;

/** Lua, line by line. @param {Scene} scene */
async function dialogue({ spawn }) {
  const lua = await spawn('lua -i');
  await lua.until(() => lua.output.endsWith('> '));
  const greeting = lua.output;
  const answers = [
    await lua.ask('1 + 1'),
    await lua.ask('sum = 0; for i = 1, 100 do sum = sum + i end'),
    await lua.ask('sum'),
    await lua.ask('error("oops")'),
    await lua.ask('select(2, pcall(error, "caught"))'),
    await lua.ask('#string.rep("x", 1000000)'),
  ];
  lua.write('os.exit(7)\n');
  await lua.closed;
  return { greeting, answers, errors: lua.errors, returncode: lua.returncode };
}

/** Lua ends when its input does. @param {Scene} scene */
async function endOfInput({ spawn }) {
  const lua = await spawn('lua -');
  lua.write('print(io.read == nil, #arg)\nprint("bye")');
  lua.end();
  await lua.closed;
  return { output: lua.output, returncode: lua.returncode };
}

/** Ctrl-C, and worse, for a script that spins. @param {Scene} scene */
async function spinning({ spawn }) {
  const returncodes = [];
  for (const signal of [SIGINT, SIGKILL]) {
    const lua = await spawn('lua -i');
    lua.write('print("it spins") while true do end\n');
    await lua.until(() => lua.output.includes('it spins'));
    lua.send(signal);
    await lua.closed;
    returncodes.push(lua.returncode);
  }
  return returncodes;
}

/** A script among files, which reads one and writes one. @param {Scene} scene */
async function script({ spawn }) {
  const files = new Map([
    ['/data/in.txt', 'one\ntwo\n'],
    [
      '/data/script.lua',
      `local out = assert(io.open(arg[1], 'w'))
       for line in io.lines('in.txt') do out:write(line:upper(), '\\n') end
       out:close()
       assert(not io.open('/nowhere'))
       error(os.getenv('WHY'))`,
    ],
  ]);
  const environment = { WHY: 'that is why' };
  const lua = await spawn('lua script.lua out.txt', { files, directory: '/data', environment });
  await lua.closed;
  const out = new TextDecoder().decode(/** @type {any} */ (files.get('/data/out.txt')));
  return { out, errors: lua.errors, returncode: lua.returncode };
}

const sources = {
  '/src/main.ts': 'import { answer } from "./answer";\nconsole.log(answer as number);\n',
  '/src/answer.ts': 'export const answer = 42;\nexport const unused = 43;\n',
};

/** esbuild bundles what is in memory. @param {Scene} scene */
async function bundle({ spawn }) {
  const files = new Map(Object.entries(sources));
  const command = 'esbuild --bundle --minify --outfile=/src/out.js /src/main.ts';
  const esbuild = await spawn(command, { files, stdio: ['null', 'pipe', 'pipe'] });
  await esbuild.closed;
  const out = new TextDecoder().decode(/** @type {any} */ (files.get('/src/out.js')));
  return { out, returncode: esbuild.returncode };
}

/** esbuild says what is wrong. @param {Scene} scene */
async function brokenBundle({ spawn }) {
  const files = { '/main.js': 'import "./missing"' };
  const esbuild = await spawn('esbuild --bundle /main.js', { files });
  await esbuild.closed;
  return { errors: esbuild.errors, returncode: esbuild.returncode };
}

/** esbuild between two pipes. @param {Scene} scene */
async function transform({ spawn }) {
  const esbuild = await spawn('esbuild --loader=ts --minify');
  esbuild.write('enum Colour { Red }\n'.repeat(1000));
  esbuild.write('export const x: number = 1 + 1;\n');
  esbuild.end();
  await esbuild.closed;
  return { tail: esbuild.output.slice(-18), returncode: esbuild.returncode };
}

/** A reader that does not read stops the first of two, through both their pipes. @param {Scene} scene */
async function pipeline({ spawn }) {
  const size = 5_000_000;
  const first = await spawn(`bulk ${size}`);
  first.read(1, false);
  const second = await spawn('cat');
  second.read(1, false);
  const seen = { written: 0, read: 0, wrong: 0, most: 0 };
  let isHeld = false;
  first.data = (fd, bytes) => {
    if (fd !== 1) return;
    second.write(bytes);
    seen.written += bytes.length;
    seen.most = Math.max(seen.most, seen.written - seen.read);
  };
  first.lost = (fd) => void (fd === 1 && second.end());
  second.pause = () => {
    isHeld = true;
    first.read(1, false);
  };
  second.resume = () => {
    isHeld = false;
    first.read(1, true);
  };
  second.data = (_fd, bytes) => {
    for (const byte of bytes) seen.wrong += Number(byte !== seen.read++ % 251);
  };
  first.read(1, true);
  await first.until(() => isHeld && seen.written > 1 << 17);
  const early = { read: seen.read, returncode: first.returncode ?? null };
  second.read(1, true);
  await Promise.all([first.closed, second.closed]);
  return { ...seen, early, returncodes: [first.returncode, second.returncode] };
}

export const stories = {
  dialogue,
  endOfInput,
  spinning,
  script,
  bundle,
  brokenBundle,
  transform,
  pipeline,
};
