import { compare } from './compare.js';
import { load, program, withServer } from './server.js';

/** @param {string} name @param {number} seconds */
const receive = (name, seconds) => () =>
  withServer([program(name)], async ({ port, pid }) => {
    const [bytes, took, cpu, user] = await load('bulk_load', port, pid, seconds);
    const megabytes = bytes / 1e6;
    return {
      megabytes: megabytes / took,
      cpu: (cpu / megabytes) * 1e6,
      user: (user / megabytes) * 1e6,
    };
  });

/** @type {import('./index.js').Benchmark} */
export default {
  title: 'TCP, one way',
  about:
    'One connection, as much as its sender can send, into 1 MiB of memory: a buffered protocol beside a loop around `read`. The ' +
    'receiver answers how many bytes came. Sender and receiver have a core each. How the two ' +
    'fall into step varies by a tenth: in full there are twice as many rounds.',
  figures: {
    megabytes: 'MB/s',
    cpu: 'processor time of a MB, µs',
    user: 'of it the user’s, µs',
  },
  seconds: { full: 80, quick: 10, smoke: 2 },
  async run({ mode, rounds, seconds }, progress) {
    return [
      await compare({
        title: '1 MiB',
        subjects: {
          'Towline, buffered': receive('bulk_towline', seconds),
          'a bare read loop': receive('bulk_read', seconds),
        },
        targets: [
          { figure: 'megabytes', of: 'Towline, buffered', to: 'a bare read loop', least: 0.95 },
        ],
        rounds: mode === 'full' ? 2 * rounds : rounds,
        progress,
      }),
    ];
  },
};
