// In Node, of which a page's library knows nothing.
import { createServer } from 'node:http';
import { connect, connectReadPipe, type Module, Protocol, type StreamTransport } from 'towline';
import { bridge, bridged } from 'towline/bridge';
import { Rendezvous } from 'towline/rendezvous';

export * from './common.js';

type Known<T> = 0 extends 1 & T ? never : T;
const known = <T>(value: Known<T>) => value;

export async function node(module: Module) {
  const { transport } = await connectReadPipe(0, () => new Protocol());
  const end: StreamTransport = known(transport);
  await module.connectWritePipe(1, { protocol: 'echo_new' });
  await connect('tcp://127.0.0.1:7', () => new Protocol(), { nodelay: false, keepalive: 1000 });
  const server = createServer();
  await using meeting = new Rendezvous({ server, origins: ['https://example.org'], maxRooms: 2 });
  const address: string = known(await meeting.listening);
  await using gate = await bridge({ allow: ['tcp://127.0.0.1:6379'], server });
  return { end, address, transports: bridged(known(gate.address)) };
}
