/** `towline connect`: netcat for any address, or a module's protocol on it; either with its calls as they come. */
import { bridged } from '../bridge/node.js';
import { Loop } from '../node.js';
import { watched } from '../trace/index.js';
import { ChildNetcat, DatagramNetcat, StreamNetcat } from './netcat.js';
import { observed } from './observed.js';
import { runModule } from './run-module.js';
import { StandardIO } from './standard-io.js';
import { printable, wholeNumber } from './text.js';
import { Trace } from './trace.js';
import { parse, UsageError } from './usage.js';

/** @import { TowlineError } from '../errors.js' */
/** @import { Carrier } from '../request.js' */
/** @import { AnyProtocol } from '../protocols/protocol.js' */

export const summary = 'is netcat for any address, or runs a module there; shows the calls';
export const help = `Usage: towline connect ADDRESS [OPTIONS] [-- ARGUMENTS]

Standard input goes to the connection, and the connection to standard output. A peer that does not read holds standard input
back; who does not read standard output holds the peer back. The exit code is 0 after an orderly end, 1 after an error; a
child's own.

ADDRESS:
  tcp://HOST:PORT   unix:/PATH   ws://HOST/PATH   wss://HOST/PATH
  udp://HOST:PORT                 each line that is typed, or piece that is read, is one datagram
  exec:PROGRAM                    a child process; ARGUMENTS are its own
  worker:PROGRAM.wasm             a WASI command
  webrtc-stream:ROOM, webrtc:ROOM with --rendezvous, and node-datachannel

  -l, --listen           waits for one connection at ADDRESS; port 0: one that is free. Of a module's, for any number
  --keep-open            goes on until both sides have ended. Else the peer's end ends all; and so does the end of standard
                         input, which is a half-close, where there is none (WebSockets without Towline framing, datagrams)
  --timeout SECONDS      until there is a connection: 30; 0: none
  --framing HOW          of a WebSocket: offered, demanded or refused
  --subprotocol NAME     of a WebSocket; may be repeated
  --header 'NAME: VALUE' of a WebSocket; may be repeated
  --bridge URL           reaches tcp:, unix: and udp: through a bridge that is there
  --rendezvous URL       where the participants of WebRTC's rooms find each other

  --module FILE.wasm     runs a protocol of this module on the connection; standard input is left alone
  --protocol NAME        its constructor; needed if it has several
  --trace                shows the protocol's calls on standard error: milliseconds since CM, and the short names of
                         CONTRACT.md (CM connection_made, DR data_received, BU buffer_updated, ER eof_received, PW
                         pause_writing, RW resume_writing, CL connection_lost ...), right before each is made. Callbacks
                         that a module leaves out are not called, so not shown; neither are protocols that it puts in
                         this one's place, or connects by itself
  --bytes N              how many bytes of what comes are shown of a call: 32
`;

const options = /** @type {const} */ ({
  listen: { type: 'boolean', short: 'l' },
  'keep-open': { type: 'boolean' },
  timeout: { type: 'string' },
  framing: { type: 'string' },
  subprotocol: { type: 'string', multiple: true },
  header: { type: 'string', multiple: true },
  bridge: { type: 'string' },
  rendezvous: { type: 'string' },
  module: { type: 'string' },
  protocol: { type: 'string' },
  trace: { type: 'boolean' },
  bytes: { type: 'string' },
});

/** @typedef {ReturnType<typeof read>} Command */

/** The command line, checked. @param {string[]} args */
function read(args) {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const { values, positionals } = parse({
    args: args.slice(0, end),
    options,
    allowPositionals: true,
  });
  const [address, ...others] = positionals;
  if (address === undefined) throw new UsageError('ADDRESS is missing: tcp://HOST:PORT, ws://...');
  if (others.length > 0) throw new UsageError(`one ADDRESS only, not ${others[0]} too`);
  const scheme = /^([a-z][a-z0-9+.-]*):./.exec(address)?.[1];
  if (!scheme) throw new UsageError(`${address} is no address: tcp://HOST:PORT, ws://...`);
  const family = ['exec', 'worker'].includes(scheme)
    ? 'child'
    : ['udp', 'webrtc'].includes(scheme)
      ? 'datagrams'
      : 'stream';
  if (args.length > end && family !== 'child')
    throw new UsageError('arguments are for exec:, worker:');
  if (values.listen && family === 'child') throw new UsageError(`nobody connects to ${scheme}:`);
  if (values.protocol && !values.module) throw new UsageError('--protocol is of a --module');
  if (values.framing && !['offered', 'demanded', 'refused'].includes(values.framing))
    throw new UsageError(`--framing ${values.framing}: offered, demanded or refused`);
  for (const header of values.header ?? [])
    if (!/^[\w!#$%&'*+.^`|~-]+:[^\r\n]*$/.test(header))
      throw new UsageError(`--header ${printable(header, 80)}: 'NAME: VALUE'`);
  return {
    address,
    scheme,
    family,
    module: values.module,
    protocol: values.protocol,
    bridge: values.bridge,
    rendezvous: values.rendezvous,
    listen: values.listen ?? false,
    keepsOpen: values['keep-open'] ?? false,
    trace: values.trace ?? false,
    arguments: args.slice(end + 1),
    bytes: wholeNumber('--bytes', values.bytes) ?? 32,
    settings: {
      ...(values.framing && { framing: /** @type {'offered'} */ (values.framing) }),
      ...(values.subprotocol && { subprotocols: values.subprotocol }),
      ...(values.header && { headers: values.header.map((line) => `${line}\r\n`).join('') }),
      ...(values.timeout && { timeout: wholeNumber('--timeout', values.timeout, 1000) }),
    },
  };
}

/** Those that are not there by themselves. @param {Command} command @returns {Promise<Record<string, Carrier>>} */
async function carriers({ scheme, bridge, rendezvous: place }) {
  /** @type {Record<string, Carrier>} */
  const more = bridge === undefined ? {} : bridged(bridge);
  if (scheme === 'worker') {
    const { workers } = await import('../worker/node.js');
    more.worker = workers();
  } else if (scheme.startsWith('webrtc')) {
    if (place === undefined) throw new UsageError(`${scheme}: needs --rendezvous URL`);
    const { rendezvous, webrtc } = await import('../webrtc/index.js');
    more[scheme] = webrtc({ signalling: rendezvous(place) });
  }
  return more;
}

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

// ---- Netcat ----

/** @param {Command} command */
async function netcat(command) {
  const loop = new Loop({ transports: await carriers(command) });
  const io = new StandardIO();
  /** @template {AnyProtocol} P @param {P} protocol */
  const shown = (protocol) => {
    if (!command.trace) return protocol;
    const trace = new Trace(say);
    return watched(protocol, { keep: command.bytes, oncall: (call) => trace.call(call) });
  };
  try {
    if (command.family === 'child') return await child(loop, command, shown(new ChildNetcat(io)));
    const error =
      command.family === 'datagrams'
        ? await datagrams(
            loop,
            command,
            new DatagramNetcat(io, command.keepsOpen, command.listen),
            shown,
          )
        : await stream(loop, command, () => shown(new StreamNetcat(io, command.keepsOpen)));
    if (error) throw error;
    return 0;
  } finally {
    await loop.close();
  }
}

/** Answers the child's exit code, or what a shell makes of a signal. @param {Loop} loop @param {Command} command @param {ChildNetcat} protocol */
async function child(loop, { address, settings, ...command }, protocol) {
  const { transport } = await loop.spawn(address, () => protocol, {
    ...settings,
    arguments: command.arguments,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const error = await transport.closed;
  if (error) throw error;
  const code = transport.getReturncode() ?? 1;
  return code < 0 ? 128 - code : code;
}

/**
 * @param {Loop} loop
 * @param {Command} command
 * @param {DatagramNetcat} protocol
 * @param {(protocol: DatagramNetcat) => DatagramNetcat} shown
 */
async function datagrams(loop, { address, scheme, settings, listen }, protocol, shown) {
  const options = { ...settings, bind: listen };
  const { transport } = await loop.datagram(address, () => shown(protocol), options);
  if (listen) say(`listening on ${scheme}://${transport.getExtraInfo('sockname', '')}`);
  return (await transport.closed) ?? protocol.failure;
}

/** @param {Loop} loop @param {Command} command @param {() => StreamNetcat} make */
async function stream(loop, { address, settings, listen }, make) {
  if (listen) return first(loop, address, make, settings);
  const { transport } = await loop.connect(address, make, settings);
  return transport.closed;
}

/**
 * Serves the first who comes, and answers what connection_lost was told.
 * @param {Loop} loop
 * @param {string} address
 * @param {() => StreamNetcat} make
 * @param {Command['settings']} settings
 */
async function first(loop, address, make, settings) {
  /** @type {(transport: {closed: Promise<TowlineError | null>}) => void} */
  let come = () => {};
  /** @type {Promise<{closed: Promise<TowlineError | null>}>} */
  const client = new Promise((resolve) => {
    come = resolve;
  });
  let isTaken = false;
  const server = await loop.listen(
    address,
    () => {
      if (isTaken) return { connectionMade: (transport) => transport.abort() };
      isTaken = true;
      return observed(make(), (name, [transport]) => {
        if (name === 'connectionMade') come(transport);
      });
    },
    settings,
  );
  say(`listening on ${server.address}`);
  const { closed } = await client;
  server.close();
  return closed;
}

/** @param {string[]} args */
export async function run(args) {
  const command = read(args);
  if (command.module === undefined) return netcat(command);
  return runModule(command.module, command, await carriers(command));
}
