import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import {
  type CountingRules,
  countingRulesText,
  parseCountingRules,
} from "../../src/format/evidence/counting-rules.ts";
import { evidenceFiles } from "../../src/format/evidence/evidence.ts";
import { gossipLineBytesMax, gossipLines } from "../../src/format/evidence/gossip.ts";
import { parseNetconfigProof } from "../../src/format/evidence/netconfig.ts";
import { type ExportData, exportDataText, parseExportData } from "../../src/format/export-data.ts";
import { makeManifest, manifestText, parseManifest } from "../../src/format/manifest.ts";
import { readRunRecord, runRecordText } from "../../src/format/run-record.ts";
import { asCycle, asHashHex } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { asHashes } from "../helpers/brands.ts";
import { emptyRun } from "../helpers/run-record.ts";

const hash = (digit: string) => digit.repeat(64);
const data: ExportData = {
  timestamp: 1700000640000,
  cycle: asCycle(10),
  hashKey: DEFAULT_HASH_KEY,
  networkHash: asHashHex(hash("a")),
  partitionHashes: asHashes(
    new Map([-1, 0, 1, 2].map((partition) => [partition, hash(String(partition + 1))])),
  ),
};
const counting: CountingRules = {
  sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 2, source: "proved" },
  quorum: { rule: "majority", source: "given" },
};

function problemsOf(text: string): string[] {
  const problems: string[] = [];
  parseExportData(text, 3, (problem) => problems.push(problem));
  return problems;
}

describe("a manifest", () => {
  const manifest = makeManifest(data, { accounts: 3, bytes: 100 }, "gzip");

  it("is parsed to the value that was written", () => {
    expect(parseManifest(manifestText(manifest))).toEqual(manifest);
  });

  it.each([
    { id: "another number of partitions", text: '"numPartitions": 3', other: '"numPartitions": 4' },
    { id: "a duplicate file", text: "partition-00001.json.gz", other: "partition-00000.json.gz" },
    { id: "a path as file name", text: "partition-00001.json.gz", other: "../partition-00001.json.gz" },
    { id: "an unknown field", text: '"blockHeight"', other: '"extra": 1, "blockHeight"' },
  ])("is rejected with $id", ({ text, other }) => {
    expect(() => parseManifest(manifestText(manifest).replace(text, other))).toThrow(
      /export-manifest\.json: /,
    );
  });
});

describe("export data", () => {
  const text = exportDataText(data);

  it("is parsed to the entries that were written", () => {
    const entries = parseExportData(text, 3, (problem) => expect.unreachable(problem));
    expect(entries.get("network.hash")).toBe(hash("a"));
    expect(entries.get("partition.2")).toBe(hash("3"));
    expect(entries.size).toBe(9);
  });

  it.each([
    { id: "lines in another order", changed: text.split("\n").reverse().slice(1).concat("").join("\n") },
    { id: "a last line without a line end", changed: text.slice(0, -1) },
    { id: "white space in a line", changed: text.replace('["hash.key",', '["hash.key", ') },
    { id: "a line that is not an entry", changed: `${text}["x",1]\n` },
    { id: "too many lines", changed: text + '["x","y"]\n'.repeat(100) },
  ])("is reported with $id", ({ changed }) => {
    expect(problemsOf(changed)).not.toEqual([]);
  });
});

describe("a run record", () => {
  const files = { "export-manifest.json": hash("1"), "evidence/gossip.jsonl": hash("2") };
  const text = runRecordText(emptyRun, files, DEFAULT_HASH_KEY);

  it("is parsed to the hashes that were written", () => {
    expect(readRunRecord(text, DEFAULT_HASH_KEY)).toEqual(files);
  });

  it.each([
    { id: "another value", changed: text.replace('"received": 0', '"received": 1') },
    { id: "different white space", changed: `${text}\n` },
    { id: "no hash of its own", changed: text.replace(/,\n {2}"hash": .*/, "") },
    { id: "a path as file name", changed: text.replace("evidence/gossip.jsonl", "evidence/../gossip.jsonl") },
  ])("is rejected with $id", ({ changed }) => {
    expect(changed).not.toBe(text);
    expect(() => readRunRecord(changed, DEFAULT_HASH_KEY)).toThrow(/run\.json: /);
  });
});

describe("the evidence", () => {
  it("includes a netconfig if the settings are proved", () => {
    const evidence = { nodeList: Buffer.from("1"), cycles: Buffer.from("2"), counting, gossip: [] };
    const names = (files: ReturnType<typeof evidenceFiles>) => files.map(({ file }) => file);
    const four = ["node-list.json", "cycles.json", "counting.json", "gossip.jsonl"];
    expect(names(evidenceFiles(evidence))).toEqual(four.map((name) => `evidence/${name}`));
    expect(names(evidenceFiles({ ...evidence, netconfig: Buffer.from("3") }))).toContain(
      "evidence/netconfig.json",
    );
  });

  it("includes counting rules that are parsed to the value that was written", () => {
    expect(parseCountingRules(JSON.parse(countingRulesText(counting)), "x")).toEqual(counting);
  });

  it("is rejected if the source of its counting rules is missing", () => {
    expect(() => parseCountingRules({ consensusRadius: 2 }, "x")).toThrow(/older version/);
    expect(() => parseCountingRules({ sharding: {}, quorum: {} }, "x")).toThrow(/x: sharding/);
  });

  it("includes the config of a netconfig and the settings in it", () => {
    const config = { sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 2 }, other: 1 };
    const proof = parseNetconfigProof({ config }, "x");
    expect(proof).toMatchObject({ settings: { nodesPerConsensusGroup: 5, nodesPerEdge: 2 }, config });
    expect(() => parseNetconfigProof({ config: {} }, "x")).toThrow(/x: config/);
  });

  it("is read without gossip lines that are longer than a message can be", async () => {
    const tooLong = Buffer.alloc(gossipLineBytesMax(3) + 1, "b");
    const chunks = Readable.from([Buffer.from("a\n"), tooLong, Buffer.from("\nc\n")]);
    const lines: (string | undefined)[] = [];
    for await (const { bytes } of gossipLines(chunks, 3)) lines.push(bytes?.toString());
    expect(lines).toEqual(["a", undefined, "c"]);
  });
});
