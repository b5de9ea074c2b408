import { userInstructions } from './callgrind.js';
import { compare, judge } from './compare.js';
import { hasPython, load, PYTHON, program, source, withServer } from './server.js';

/** @type {Record<string, number>} */
const SIZES = { '1 KiB': 1024, '10 KiB': 10 * 1024, '100 KiB': 100 * 1024 };
const CONNECTIONS = 10;
/** Nothing that is equal is proved to be at least 1: this is as near as 30 rounds tell. */
const AS_FAST = 0.98;

/** @returns {Promise<Record<string, string[] | undefined>>} */
const servers = async () => ({
  Towline: [program('echo_towline'), 'plain'],
  'Towline, buffered': [program('echo_towline'), 'buffered'],
  libuv: [program('echo_libuv')],
  uvloop: (await hasPython('uvloop')) ? [PYTHON, source('echo.py'), 'uvloop'] : undefined,
  asyncio: [PYTHON, source('echo.py'), 'asyncio'],
});

/** @param {string} size @returns {import('./compare.js').Target[]} */
const targets = (size) => [
  { figure: 'cpu', of: 'Towline', to: 'libuv', most: 1.1 },
  { figure: 'cpu', of: 'Towline, buffered', to: 'libuv', most: 1.1 },
  { figure: 'messages', of: 'Towline', to: 'uvloop', least: 1 },
  { figure: 'messages', of: 'Towline, buffered', to: 'Towline', least: AS_FAST },
  ...(size === '1 KiB' ? [{ figure: 'messages', of: 'Towline', to: 'asyncio', least: 3.5 }] : []),
];

/** @type {import('./compare.js').Target[]} */
const INSTRUCTION_TARGETS = ['Towline', 'Towline, buffered'].flatMap((of) => [
  { figure: 'instructions', of, to: 'libuv', most: 1.5 },
  { figure: 'instructions', of, to: 'uvloop', most: 0.25 },
]);

/** @param {string[]} command @param {number} size @param {number} seconds */
const echo = (command, size, seconds) =>
  withServer(command, async ({ port, pid }) => {
    const [messages, took, cpu, user] = await load(
      'echo_load',
      port,
      pid,
      CONNECTIONS,
      size,
      `${seconds}s`,
    );
    return {
      messages: messages / took,
      cpu: (cpu / messages) * 1e6,
      user: (user / messages) * 1e6,
    };
  });

/**
 * Twice, so that what happens once is not counted. Much more the second time, because the connections do not always end
 * the same way: of 1000 messages that made 20 instructions each.
 * @param {string[]} command
 * @param {number} size
 */
async function instructions(command, size) {
  const few = 200;
  const many = 5200;
  const [a, b] = await Promise.all(
    [few, many].map((messages) =>
      userInstructions(command, ({ port }) =>
        load('echo_load', port, 0, CONNECTIONS, size, messages),
      ),
    ),
  );
  return { instructions: (b - a) / (many - few) };
}

/** @template T @param {Record<string, string[] | undefined>} commands @param {(command: string[]) => Promise<T>} run */
const each = (commands, run) =>
  Object.fromEntries(
    Object.entries(commands).map(([name, command]) => [name, command && (() => run(command))]),
  );

/** @type {import('./index.js').Benchmark} */
export default {
  title: 'TCP echo',
  about:
    '10 connections, one message at a time on each, from one load generator that checks every byte; it has a core, the server the ' +
    'other. Every server reads up to 256 KiB at once, writes at once what it can, and does not read from a peer that does not read. ' +
    'A server that is quick waits for its client, so the processor time of a message tells more than messages per second.',
  figures: {
    messages: 'messages/s',
    cpu: 'processor time of a message, µs',
    user: 'of it the user’s, µs',
    instructions: 'instructions of a message, user space',
  },
  charts: [
    {
      figure: 'cpu',
      title: 'TCP echo: processor time of a message, beside Towline’s (less is better)',
      base: 'Towline',
    },
    {
      figure: 'messages',
      title: 'TCP echo: messages a second, beside Towline’s (more is better)',
      base: 'Towline',
    },
  ],
  seconds: { full: 450, quick: 60, smoke: 1 },
  async run({ rounds, seconds, mode }, progress) {
    const commands = await servers();
    const sections = [];
    for (const [title, size] of Object.entries(SIZES))
      sections.push(
        await compare({
          title,
          subjects: each(commands, (command) => echo(command, size, seconds)),
          targets: targets(title),
          rounds,
          progress,
        }),
      );
    const counted = { full: sections, quick: sections.slice(0, 1), smoke: [] }[mode];
    await countInstructions(commands, counted, progress);
    return sections;
  },
};

/**
 * Adds to the tables what callgrind counts, which no other program on the machine disturbs.
 * @param {Record<string, string[] | undefined>} commands
 * @param {import('./compare.js').Section[]} sections
 * @param {(text: string) => void} progress
 */
async function countInstructions(commands, sections, progress) {
  for (const { title, subjects, judged } of sections) {
    for (const name of Object.keys(subjects)) {
      progress(`${title}: instructions of ${name}`);
      Object.assign(
        subjects[name],
        await instructions(/** @type {string[]} */ (commands[name]), SIZES[title]),
      );
    }
    for (const { of, to, most } of INSTRUCTION_TARGETS)
      if (subjects[to])
        judged.push(
          judge({ what: `instructions: ${of} / ${to}`, most }, [
            subjects[of].instructions / subjects[to].instructions,
          ]),
        );
  }
}
