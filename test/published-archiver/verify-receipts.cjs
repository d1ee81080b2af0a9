/**
 * Verifies receipts with the published archiver's own code. Arguments: its `build` directory, a file of JSON with
 * `{hashKey, nodesPerConsensusGroup, nodes: {cycle: […]}, receipts: […]}`. Prints whether each receipt and its accounts
 * are right, as JSON.
 */

const { readFileSync } = require("node:fs");
const Module = require("node:module");
const { join } = require("node:path");

// Its native network library reads keys of transactions alone.
const nothing = new Proxy({}, { get: () => () => undefined });
const loadModule = Module._load;
Module._load = function (request, ...rest) {
  return request === "@shardeum-foundation/lib-net" ? nothing : loadModule.call(this, request, ...rest);
};

const [build, file] = process.argv.slice(2);
const load = (path) => require(join(build, path));
const { hashKey, nodesPerConsensusGroup, nodes, receipts } = JSON.parse(readFileSync(file, "utf8"));

console.log = () => undefined;
console.error = () => undefined;
const ignore = () => undefined;
const silent = { log: ignore, error: ignore, debug: ignore, info: ignore, warn: ignore };
load("Logger.js").mainLogger = silent;
load("Crypto.js").setCryptoHashKey(hashKey);
load("types/ajv/Helpers.js").initAjvSchemas();
const { shardValuesByCycle } = load("Data/Cycles.js");
const { verifyReceiptData } = load("Data/Collector.js");
const { verifyAccountHash } = load("shardeum/calculateAccountHash.js");
const shards = load("ShardFunctions.js").default;

for (const [cycle, list] of Object.entries(nodes)) {
  const shardGlobals = shards.calculateShardGlobals(list.length, nodesPerConsensusGroup, 0);
  const [parititionShardDataMap, nodeShardDataMap] = [new Map(), new Map()];
  shards.computePartitionShardDataMap(shardGlobals, parititionShardDataMap, 0, shardGlobals.numPartitions);
  for (const isFull of [false, true]) {
    shards.computeNodePartitionDataMap(
      shardGlobals,
      nodeShardDataMap,
      list,
      parititionShardDataMap,
      list,
      isFull,
    );
  }
  const data = {
    shardGlobals,
    parititionShardDataMap,
    nodeShardDataMap,
    nodes: list,
    cycleNumber: Number(cycle),
  };
  shardValuesByCycle.set(Number(cycle), data);
}

async function verified(receipt) {
  const { success } = await verifyReceiptData(receipt);
  return success && (await verifyAccountHash(receipt, [], []));
}

Promise.all(receipts.map(verified)).then((results) => {
  process.stdout.write(JSON.stringify(results), () => process.exit());
});
