/** The package from CommonJS. Prints what comes back, or why it cannot be had. */
try {
  const { openConnection, startServer } = require('towline');
  const { workers } = require('towline/worker');
  const { webrtc } = require('towline/webrtc');
  const { Rendezvous } = require('towline/rendezvous');
  const { bridge } = require('towline/bridge');
  main(openConnection, startServer, [workers, webrtc, Rendezvous, bridge]);
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}

async function main(openConnection, startServer, others) {
  const server = await startServer('tcp://127.0.0.1:0', async ({ reader, writer }) => {
    await writer.write(await reader.readLine());
  });
  const connection = await openConnection(server.address);
  await connection.writer.write('required\n');
  const line = await connection.reader.readLine();
  await connection.close();
  server.close();
  const kinds = others.map((other) => typeof other);
  console.log(JSON.stringify({ line: new TextDecoder().decode(line), kinds }));
}
