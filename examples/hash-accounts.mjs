/**
 * The hashes that honest validators gossip for a state: `node examples/hash-accounts.mjs <nodes> <accounts>`, where
 * the file has a JSON list of accounts as `POST /snapshot` sends them.
 */

import { readFileSync } from "node:fs";
import { coveringNodes, makeShard, networkHash, partitionHashes, partitionRange } from "snapshot-assemble";

const [numNodes, file] = process.argv.slice(2);
const shard = makeShard({ numNodes: Number(numNodes), nodesPerConsensusGroup: 5, nodesPerEdge: 2 });
const hashes = partitionHashes(JSON.parse(readFileSync(file, "utf8")), shard);

for (const [partition, hash] of hashes) {
  const range =
    partition === -1 ? "global accounts" : `from ${partitionRange(shard, partition).low.slice(0, 8)}`;
  console.log(`${partition}: ${hash} (${range}; ${coveringNodes(shard, partition).length} nodes vote)`);
}
console.log(`network hash: ${networkHash(hashes)}`);
