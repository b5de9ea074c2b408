/** What can be run, and the files that programs find. */

/**
 * Lua scripts. Programs may change them, and leave files behind.
 * @returns {Map<string, string | Uint8Array>}
 */
export const files = () =>
  new Map([
    [
      '/hello.lua',
      `print('Hello from ' .. _VERSION .. ', in a Worker')
for number, argument in ipairs(arg) do print(number, argument) end
`,
    ],
    [
      '/guess.lua',
      `-- Reads what is typed.
local secret = math.random(100)
print('I think of a number from 1 to 100.')
for tries = 1, math.huge do
  io.write('Your guess: ') io.flush()
  local line = io.read()
  if not line then os.exit(1) end
  local guess = tonumber(line)
  if not guess then print('That is no number.')
  elseif guess < secret then print('More.')
  elseif guess > secret then print('Less.')
  else print('Yes, with ' .. tries .. ' tries.') return end
end
`,
    ],
    [
      '/spin.lua',
      `-- Never ends, and never looks up: Ctrl-C or Kill.
print('It spins.')
while true do end
`,
    ],
    [
      '/words.lua',
      `-- So many words, a line each.
local syllables = { 'ba', 'de', 'fi', 'go', 'lu', 'ma', 'ne', 'ri', 'so', 'tu' }
local state = 1
local function random(most)
  state = (state * 16807) % 2147483647
  return state % most + 1
end
for _ = 1, tonumber(arg[1]) or 10 do
  local word = {}
  for i = 1, random(3) + 1 do word[i] = syllables[random(10)] end
  io.write(table.concat(word), '\\n')
end
`,
    ],
    [
      '/copy.lua',
      `-- Writes a file, which is there for the next program.
local out = assert(io.open('copy.txt', 'w'))
for line in io.lines('copy.lua') do out:write(line:upper(), '\\n') end
out:close()
print('copy.txt is written.')
`,
    ],
  ]);

/** @typedef {{text: string, about: string}} Choice a command line, and what it is */

/** As they are shown, to choose from. @param {Choice[]} choices @returns {[string, string][]} */
export const listed = (choices) => choices.map(({ text, about }) => [text, `${text}: ${about}`]);

/** @type {Choice[]} */
const commands = [
  { text: 'lua -i', about: 'Lua, line by line' },
  { text: 'lua hello.lua one two', about: 'a script' },
  { text: 'lua guess.lua', about: 'a game' },
  { text: 'lua spin.lua', about: 'an endless loop' },
  { text: 'lua copy.lua', about: 'writes a file' },
  { text: 'esbuild --loader=ts --minify', about: 'TypeScript in, Ctrl-D, JavaScript out' },
  { text: 'sort', about: 'lines in, Ctrl-D, lines in order' },
  { text: 'nl', about: 'numbers lines' },
];

/** @type {Choice[]} */
const pipelines = [
  { text: 'lua words.lua 400000 | nl', about: 'a script, and who numbers its lines' },
  { text: 'lua words.lua 200000 | sort', about: 'all is read, then all is written' },
  { text: 'count 1000000 | nl', about: 'the same of numbers' },
  { text: 'count 5000000 | wc', about: 'as fast as it goes' },
];

/** @param {string} text */
export const parse = (text) =>
  text.split('|').map((part) => {
    const [program, ...list] = part.trim().split(/\s+/);
    return { program, arguments: list };
  });

/** Those whose programs are there. @param {Choice[]} choices @param {string[]} names */
const possible = (choices, names) =>
  choices.filter(({ text }) => parse(text).every(({ program }) => names.includes(program)));

/** @param {string[]} names of the programs that are there */
export const commandsOf = (names) => possible(commands, names);
/** @param {string[]} names */
export const pipelinesOf = (names) => possible(pipelines, names);
