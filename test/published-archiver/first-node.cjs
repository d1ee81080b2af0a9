/**
 * The first validator of a restarted network, as far as the archiver talks to it: `node first-node.cjs <settings>`, with
 * the network's own libraries of the published archiver. It serves the socket on which the archiver wants its data, posts
 * itself to `/nodelist`, and prints the answer as a line of JSON. Each line of stdin is a list of cycle records, which it
 * sends to the archiver.
 */

"use strict";

const { createServer } = require("node:http");
const { createInterface } = require("node:readline");
const { createRequire } = require("node:module");

/** `directory` of the installation, `archiver` (URL), `archiverKey`, `publicKey`, `secretKey`, `hashKey`. */
const settings = JSON.parse(process.argv[2]);
const installed = createRequire(`${settings.directory}/package.json`);
const socketServer = installed("socket.io");
const crypto = installed("@shardeum-foundation/lib-crypto-utils");
const { Utils } = installed("@shardeum-foundation/lib-types");

crypto.init(settings.hashKey);
crypto.setCustomStringifier(Utils.safeStringify, "shardus_safeStringify");

const server = createServer();
const sockets = socketServer(server);
const sharedKey = crypto.generateSharedKey(
  crypto.convertSkToCurve(settings.secretKey),
  crypto.convertPkToCurve(settings.archiverKey),
);
const connected = new Promise((resolve) => sockets.on("connection", resolve));

server.listen(0, "127.0.0.1", async () => {
  const { publicKey, archiver } = settings;
  const body = { nodeInfo: { externalIp: "127.0.0.1", externalPort: server.address().port, publicKey } };
  crypto.signObj(body, settings.secretKey, publicKey);
  const response = await fetch(`${archiver}/nodelist`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: Utils.safeStringify(body),
  });
  process.stdout.write(`${await response.text()}\n`);
  const socket = await connected;
  for await (const line of createInterface({ input: process.stdin })) {
    const data = { publicKey, recipient: settings.archiverKey, responses: { CYCLE: JSON.parse(line) } };
    crypto.tagObj(data, sharedKey);
    socket.emit("DATA", Utils.safeStringify(data));
  }
  process.exit(0);
});
