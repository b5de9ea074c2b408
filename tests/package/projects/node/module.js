/** What a program does with the package: tests/package.test.js looks at what it prints. */
import {
  connect,
  connectReadPipe,
  Loop,
  load,
  openConnection,
  Protocol,
  startServer,
} from 'towline';
import { bridge, bridged } from 'towline/bridge';
import { workers } from 'towline/worker';

const textOf = (bytes) => new TextDecoder().decode(bytes);

const server = await startServer('tcp://127.0.0.1:0', async ({ reader, writer }) => {
  for await (const line of reader) await writer.write(line);
});

/** Says a line to the server, and takes the answer. */
class Greeter extends Protocol {
  connectionMade(transport) {
    this.transport = transport;
    transport.write('hello\n');
  }

  dataReceived(data) {
    this.answer = textOf(data);
    this.transport.close();
  }
}

async function protocolInJavaScript() {
  const { transport, protocol } = await connect(server.address, () => new Greeter());
  await transport.closed;
  return protocol.answer;
}

async function streams() {
  const connection = await openConnection(server.address);
  connection.writer.write('a line\n');
  connection.writer.writeEof();
  const all = await connection.reader.read();
  await connection.close();
  return textOf(all);
}

/** The peer ends the stream as soon as C has answered. */
async function moduleInC() {
  let answer = '';
  const greeter = await startServer('tcp://127.0.0.1:0', async ({ reader, writer }) => {
    await writer.write('to C\n');
    answer = textOf(await reader.readLine());
  });
  const module = await load(new URL('./echo.wasm', import.meta.url));
  const { transport } = await module.connect(greeter.address, { protocol: 'echo_new' });
  await transport.closed;
  greeter.close();
  return answer;
}

async function programInWorker() {
  const loop = new Loop({ transports: { worker: workers() } });
  let output = '';
  const collector = () => ({
    pipeDataReceived(_fd, data) {
      output += textOf(data);
    },
  });
  const program = new URL('./cat.wasm', import.meta.url);
  const { transport } = await loop.spawn('worker:cat', collector, { program });
  const input = transport.getPipeTransport(0);
  input.write('through a Worker');
  input.writeEof();
  await transport.closed;
  await loop.close();
  return output;
}

async function throughBridge() {
  const gateway = await bridge({ allow: [server.address] });
  const loop = new Loop({ transports: bridged(gateway.address) });
  const connection = await loop.openConnection(server.address);
  await connection.writer.write('far\n');
  const line = await connection.reader.readLine();
  await connection.close();
  await loop.close();
  await gateway.close();
  return textOf(line);
}

const results = {
  protocolInJavaScript: await protocolInJavaScript(),
  streams: await streams(),
  moduleInC: await moduleInC(),
  programInWorker: await programInWorker(),
  throughBridge: await throughBridge(),
  descriptors: typeof connectReadPipe,
};
server.close();
console.log(JSON.stringify(results));
