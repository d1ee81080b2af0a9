/** Every parser of outside text returns a value or throws a WireError. */

import fc from "fast-check";
import { makeShard } from "../../../src/protocol/shard.ts";
import { parseCycleRecords } from "../../../src/wire/cycle-records.ts";
import { parseGossipMessage } from "../../../src/wire/gossip-message.ts";
import { parseNetconfig } from "../../../src/wire/netconfig.ts";
import { parseNodeList } from "../../../src/wire/node-list.ts";
import { parseJson, WireError } from "../../../src/wire/parse.ts";
import { parseStateMetadata } from "../../../src/wire/state-metadata.ts";
import { parseWrappedData } from "../../../src/wire/wrapped-data.ts";
import { makeAccounts } from "../../helpers/accounts.ts";
import { readVectors } from "../../helpers/vectors.ts";
import { nestedJson } from "../../protocol/nested-json.ts";
import { type FuzzTarget, fuzzTarget } from "../fuzz-target.ts";
import { mutatedText } from "../mutated-text.ts";

const hash = "ab".repeat(32);
const node = {
  id: hash,
  ip: "10.0.0.1",
  port: 9001,
  publicKey: hash,
  externalIp: "::1",
  externalPort: "9002",
};
const sign = { owner: hash, sig: hash.repeat(3) };
const { cycles } = readVectors<{ cycles: object[] }>("cycles");
const hashes = { "-1": hash, "0": hash, "17": hash };

/** A valid value, in which every part may be replaced. */
function parser(name: string, honest: readonly unknown[], parse: (text: string) => unknown): FuzzTarget {
  const texts = honest.map((value) => JSON.stringify(value));
  const inputs = fc.oneof({ weight: 5, arbitrary: mutatedText(texts) }, { weight: 1, arbitrary: nestedJson });
  return fuzzTarget(name, inputs, async (text) => {
    try {
      await parse(text);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  });
}

const source = "the text";

export const parserTargets = [
  parser("node lists", [[node, node], { nodeList: [node, { ...node, id: undefined }], sign }], (text) =>
    parseNodeList(parseJson(text, source), source),
  ),
  parser("cycle records", [cycles, { cycleInfo: cycles.slice(0, 2), sign }], (text) =>
    parseCycleRecords(parseJson(text, source), source),
  ),
  parser(
    "gossip messages",
    [
      { cycle: 7, data: { partitionHash: hashes, receiptMapHash: {} }, sender: hash, sign },
      { cycle: 7, data: hashes, sender: hash, sign },
    ],
    (text) => parseGossipMessage(parseJson(text, source), source),
  ),
  parser("netconfig", [{ config: { sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 2 } } }], (text) =>
    parseNetconfig(parseJson(text, source), source),
  ),
  parser(
    "state metadata",
    [{ counter: 3, stateHashes: [{ counter: 3, partitionHashes: hashes, networkHash: hash }] }],
    (text) => parseStateMetadata(parseJson(text, source), source),
  ),
  parser("accounts", makeAccounts(makeShard({ numNodes: 2 }), { perPartition: 3, globals: 1 }), (text) =>
    parseWrappedData(Buffer.from(text), source),
  ),
];
