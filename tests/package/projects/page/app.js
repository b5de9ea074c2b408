/** What a page does with the package, whatever has bundled it: tests/package.test.js looks at what comes of it. */
import { connect, Loop, load, openConnection, Protocol, SubprocessProtocol } from 'towline';
import { broadcastChannel, webrtc } from 'towline/webrtc';
import { workers } from 'towline/worker';

const textOf = (bytes) => new TextDecoder().decode(bytes);

/** Says hello, and takes the answer. */
class Greeter extends Protocol {
  connectionMade(transport) {
    this.transport = transport;
    transport.write('hello');
  }

  dataReceived(data) {
    this.answer = textOf(data);
    this.transport.close();
  }
}

async function protocolInJavaScript(address) {
  const { transport, protocol } = await connect(address, () => new Greeter());
  await transport.closed;
  return protocol.answer;
}

async function streams(address) {
  const connection = await openConnection(address);
  await connection.writer.write('a line\nand another\n');
  const line = await connection.reader.readLine();
  await connection.close();
  return textOf(line);
}

/** The peer greets, is answered by C, and closes the connection. */
async function moduleInC(address) {
  const module = await load(new URL('./echo.wasm', import.meta.url));
  const { transport } = await module.connect(`${address}greet`, { protocol: 'echo_new' });
  return transport.closed;
}

class Collector extends SubprocessProtocol {
  output = '';

  pipeDataReceived(_fd, data) {
    this.output += textOf(data);
  }
}

async function programInWorker() {
  const loop = new Loop({ transports: { worker: workers() } });
  const program = new URL('./cat.wasm', import.meta.url);
  const { transport, protocol } = await loop.spawn('worker:cat', () => new Collector(), {
    program,
  });
  const input = transport.getPipeTransport(0);
  input.write('through a Worker');
  input.writeEof();
  await transport.closed;
  const returncode = transport.getReturncode();
  await loop.close();
  return [protocol.output, returncode];
}

async function peers() {
  const carrier = webrtc({ signalling: broadcastChannel() });
  const loop = new Loop({ transports: { 'webrtc-stream': carrier } });
  await loop.startServer('webrtc-stream:page', ({ readable, writable }) =>
    readable.pipeTo(writable),
  );
  const connection = await loop.openConnection('webrtc-stream:page');
  await connection.writer.write('to a peer');
  connection.writer.writeEof();
  const all = await connection.reader.read();
  await connection.close();
  await loop.close();
  return textOf(all);
}

globalThis.run = async (address) => ({
  protocolInJavaScript: await protocolInJavaScript(address),
  streams: await streams(address),
  moduleInC: await moduleInC(address),
  programInWorker: await programInWorker(),
  peers: await peers(),
});
