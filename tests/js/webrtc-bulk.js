/** Much through WebRTC, and what it takes. */
import { parseOptions } from '../options.js';
import { inProcess, Pages, Rooms } from './webrtc-places.js';

const help = `usage: node tests/js/webrtc-bulk.js [--datagrams N] [--megabytes N] [--rest MS] [--retransmits N] [--between A-B]

Sends datagrams of 1,000 bytes at full speed, and a stream to a reader that rests after each 256 KiB; prints how long it
took, what was lost, damaged or came twice, and the most memory of both ends (MiB: of the process, in a page its heap; of
the module).

  --datagrams N   100000
  --megabytes N   200
  --rest MS       10
  --retransmits N how often a datagram that was lost is sent again: 0
  --between A-B   node-node, chromium-node, node-chromium or chromium-chromium: the sender first; unless given, the
                  first two`;

const { values } = parseOptions('webrtc-bulk', {
  options: {
    datagrams: { type: 'string', default: '100000' },
    megabytes: { type: 'string', default: '200' },
    rest: { type: 'string', default: '10' },
    retransmits: { type: 'string', default: '0' },
    between: { type: 'string', multiple: true, default: ['node-node', 'chromium-node'] },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}

for (const name of /** @type {const} */ (['datagrams', 'megabytes', 'rest', 'retransmits']))
  if (!/^\d+$/.test(values[name])) {
    console.error(`webrtc-bulk: --${name} is a number, not ${values[name]}`);
    process.exit(2);
  }

const rooms = new Rooms();
const pages = new Pages();

/** @param {string} place @param {string} name @param {string} build */
async function join(place, name, build) {
  const player =
    place === 'node'
      ? (await inProcess(rooms, build)).player
      : await (await pages.open(rooms)).player(build);
  await player.start({ name, maxRetransmits: Number(values.retransmits) });
  return player;
}

/** Prints how long it took, and the most memory meanwhile. @param {string} what @param {import('./webrtc-player.js').Player[]} players @param {() => Promise<string>} body */
async function measure(what, players, body) {
  const most = players.map(() => ({ whole: 0, module: 0 }));
  const look = setInterval(async () => {
    for (const [i, player] of players.entries()) {
      const { whole, module } = await player.memory();
      most[i] = {
        whole: Math.max(most[i].whole, whole),
        module: Math.max(most[i].module, module),
      };
    }
  }, 100);
  const begin = performance.now();
  const result = await body();
  clearInterval(look);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const memory = most.map(({ whole, module }) => `${whole} (${module})`).join(' and ');
  console.log(`  ${what}: ${result}; ${seconds} s; memory ${memory} MiB`);
}

for (const between of values.between) {
  const [from, to] = between.split('-');
  console.log(between);
  const sender = await join(from, 'sender', 'wasi');
  const receiver = await join(to, 'receiver', 'emscripten');
  const both = [sender, receiver];

  const datagrams = Number(values.datagrams);
  for (const player of both) await player.open('bind', 'webrtc:bulk');
  await sender.until('0 joined receiver');
  await receiver.until('0 joined sender');
  await receiver.behave({ tally: true });
  await measure(`${datagrams} datagrams`, both, async () => {
    await sender.flood('receiver', datagrams, 1000);
    const { come, twice, damaged } = await receiver.counted(500);
    const lost = (((datagrams - come) / datagrams) * 100).toFixed(2);
    return `${lost}% lost, ${twice} twice, ${damaged} damaged`;
  });

  const size = Number(values.megabytes) * 1e6;
  await receiver.open('listen', 'webrtc-stream:bulk');
  await sender.open('connect', 'webrtc-stream:bulk');
  await receiver.until('1 made');
  await receiver.behave({ rest: Number(values.rest) });
  await measure(`${values.megabytes} MB of a stream`, both, async () => {
    await sender.pour(1, size);
    await sender.close(1);
    const { wrong } = await receiver.got(1, size);
    return wrong < 0 ? 'all as it was sent' : `byte ${wrong} is wrong`;
  });
  for (const player of both) await player.stop();
}
await pages.close();
