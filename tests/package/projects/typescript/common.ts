// What a user of TypeScript writes, in a page and in Node alike. It need not run.
import {
  type AnyStreamProtocol,
  BufferedProtocol,
  type Bytes,
  type Carrier,
  connect,
  DatagramProtocol,
  type DatagramTransport,
  datagram,
  IncompleteReadError,
  type LoadOptions,
  Loop,
  type LoopOptions,
  listen,
  load,
  MemoryNetwork,
  type Module,
  type ModuleOptions,
  type Options,
  openConnection,
  Protocol,
  type Source,
  type StreamConnection,
  type StreamTransport,
  SubprocessProtocol,
  type SubprocessTransport,
  spawn,
  startServer,
  TowlineError,
  type Transport,
} from 'towline';
import { broadcastChannel, invitation, rendezvous, type Signalling, webrtc } from 'towline/webrtc';
import { type WorkersOptions, workers } from 'towline/worker';
import { run } from 'towline/worker/program';

/** Fails to compile where a type has become `any`. */
type Known<T> = 0 extends 1 & T ? never : T;
const known = <T>(value: Known<T>) => value;

// ---- Protocols in JavaScript ----

export class Echo extends Protocol {
  #transport?: StreamTransport;

  override connectionMade(transport: StreamTransport) {
    this.#transport = transport;
    transport.setWriteBufferLimits({ high: 4096 });
  }

  override dataReceived(data: Uint8Array) {
    this.#transport?.write(data);
  }

  override eofReceived() {
    return true;
  }

  override connectionLost(error: TowlineError | null) {
    if (error) console.error(known(error.code), known(error.native), error.cause);
  }
}

export class Buffered extends BufferedProtocol {
  #buffer = new Uint8Array(4096);
  received = 0;

  override getBuffer(sizehint: number) {
    return sizehint > 0 ? this.#buffer.subarray(0, sizehint) : this.#buffer;
  }

  override bufferUpdated(size: number) {
    this.received += size;
  }
}

export class Pings extends DatagramProtocol {
  override connectionMade(transport: DatagramTransport) {
    transport.sendto('ping');
  }

  override datagramReceived(data: Uint8Array, peer: string) {
    console.log(data.length, known(peer));
  }

  override errorReceived(error: TowlineError, peer: string | null) {
    console.log(error.code, peer);
  }
}

export class Child extends SubprocessProtocol {
  override pipeDataReceived(fd: number, data: Uint8Array) {
    console.log(fd, data.length);
  }
}

export async function opened(signal: AbortSignal) {
  const options: Options = { signal, timeout: 1000, high: 1, inbox: 1 << 20, framing: 'demanded' };
  const { transport, protocol } = await connect('ws://host/', () => new Echo(), options);
  const echo: Echo = known(protocol);
  const lost: TowlineError | null = known(await transport.closed);
  const limits: { low: number; high: number } = known(transport.getWriteBufferLimits());
  const name: string | undefined = known(transport.getExtraInfo('peername'));
  transport.setProtocol(new Buffered());
  // A plain object with some of the callbacks does as well.
  const plain = await connect('ws://host/', () => ({ dataReceived: (data: Uint8Array) => data }));
  known(plain.protocol.dataReceived);
  const bare = await connect('ws://host/');
  known(bare.transport.readable.getReader());
  // @ts-expect-error: no such option
  await connect('ws://host/', () => new Echo(), { timeuot: 1 });
  // @ts-expect-error: not for streams
  await connect('ws://host/', () => new Pings());
  return { echo, lost, limits, name };
}

export async function served() {
  const factory: () => AnyStreamProtocol = () => new Echo();
  await using server = await listen('ws://127.0.0.1:0/', factory, { backlog: 10 });
  const address: string = known(server.address);
  const { transport } = await datagram('webrtc:room', () => new Pings(), { bind: true });
  transport.sendto(new Uint8Array(1), 'peer');
  const child = await spawn('worker:a.wasm', () => new Child(), {
    arguments: ['-i'],
    environment: { LANG: 'C' },
    stdio: ['pipe', 'pipe', 'stdout'],
    files: { '/a': 'text', '/b': new Uint8Array(1) },
  });
  const process: SubprocessTransport = known(child.transport);
  const input: StreamTransport | null = known(process.getPipeTransport(0));
  const code: number | null = known(process.getReturncode());
  return { address, input, code };
}

// ---- Streams ----

export async function streams(bytes: Bytes) {
  await using connection: StreamConnection = await openConnection('ws://host/', { limit: 1024 });
  const { reader, writer } = connection;
  await writer.write(bytes);
  const line: Uint8Array<ArrayBuffer> = known(await reader.readLine());
  new Blob([await reader.readExactly(3), await reader.readUntil('\r\n'), line]);
  for await (const each of reader) console.log(known(each.length));
  try {
    await reader.read(1, { signal: AbortSignal.timeout(10) });
  } catch (error) {
    if (error instanceof IncompleteReadError) console.log(known(error.partial), error.expected);
    else if (error instanceof TowlineError) console.log(error.code);
  }
  await connection.readable.pipeTo(connection.writable);
  return startServer('ws://127.0.0.1:0/', async ({ reader, writer }) => {
    await writer.write(await reader.readLine());
  });
}

// ---- Modules ----

export async function modules(source: Source, compiled: WebAssemblyModule) {
  const network = new MemoryNetwork();
  const carrier: Carrier = workers();
  const options: LoadOptions = {
    imports: { app: { tell: (value: number) => console.log(value) } },
    onerror: (error) => console.error(known(error.code)),
    onlog: (level, message) => console.log(known(level), known(message)),
    stdout: (text, descriptor) => console.log(known(text), known(descriptor)),
    transports: { mem: network, worker: carrier },
  };
  await using module: Module = known(await load(source, options));
  await load(compiled);
  await load(fetch('./echo.wasm'));
  const more: ModuleOptions = { protocol: 'echo_new', context: 0, subprotocols: ['mqtt'] };
  const { transport, protocol } = await module.connect('ws://host/', more);
  const end: Transport = known(transport);
  const lost: TowlineError | null = known(await end.closed);
  const bytes: Uint8Array = known(module.memory.bytes(known(protocol), 4));
  const answer: number = known(module.call('mqtt_publish', protocol, 'topic', bytes));
  await module.bind('webrtc:room', { protocol: 'netcode_new', maxRetransmits: 3, name: 'me' });
  await module.spawn('worker:a.wasm', { protocol: 'shell_new', arguments: ['-i'] });
  const server = await module.listen('ws://127.0.0.1:0/', { protocol: 'echo_new' });
  // @ts-expect-error: which protocol?
  await module.connect('ws://host/', {});
  return { lost, answer, address: known(server.address) };
}

/** Of a program that has no library with this name. */
type WebAssemblyModule = object;

// ---- What carries bytes elsewhere ----

export function carriers(WebSocket: new (url: string) => { send(data: string): void }) {
  const mine: (room: string) => Signalling = (room) => ({
    send: (text) => console.log(room, known(text)),
    receive: (take) => take('text'),
  });
  const programs: WorkersOptions = { programs: { lua: 'lua.wasm' }, limit: 4, pool: 2, grace: 100 };
  const loops: LoopOptions = {
    transports: {
      worker: workers(programs),
      webrtc: webrtc({ signalling: mine, iceServers: [{ urls: 'stun:example.org' }] }),
      other: webrtc({ signalling: rendezvous('wss://example.org/', { WebSocket, firstPause: 1 }) }),
      tabs: webrtc({ signalling: broadcastChannel({ prefix: 'a' }), ordered: true }),
    },
    onerror: (error, { callback, transport, protocol }) =>
      console.log(error.code, known(callback), known(transport), known(protocol)),
  };
  const paper = invitation();
  paper.invite().then(({ text, accept }) => accept(known(text)));
  return new Loop(loops);
}

run(async ({ arguments: list, environment, stdin, stdout, listen: heed }) => {
  heed(15, () => console.log(known(list), known(environment)));
  for await (const bytes of stdin) await stdout.write(known(bytes));
  return 0;
});
