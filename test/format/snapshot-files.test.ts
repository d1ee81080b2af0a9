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
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash.ts";
import { emptyRun } from "../helpers/run-record.ts";

const hash = (digit: string) => digit.repeat(64);
const data: ExportData = {
  timestamp: 1700000640000,
  cycle: 10,
  hashKey: DEFAULT_HASH_KEY,
  networkHash: hash("a"),
  partitionHashes: new Map([-1, 0, 1, 2].map((partition) => [partition, hash(String(partition + 1))])),
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

describe("the manifest", () => {
  const manifest = makeManifest(data, { accounts: 3, bytes: 100 }, "gzip");

  it("is read as it was written", () => {
    expect(parseManifest(manifestText(manifest))).toEqual(manifest);
  });

  it.each([
    { id: "another number of partitions", text: '"numPartitions": 3', other: '"numPartitions": 4' },
    { id: "one file twice", text: "partition-00001.json.gz", other: "partition-00000.json.gz" },
    { id: "a path", text: "partition-00001.json.gz", other: "../partition-00001.json.gz" },
    { id: "a field more", text: '"blockHeight"', other: '"extra": 1, "blockHeight"' },
  ])("is refused with $id", ({ text, other }) => {
    expect(() => parseManifest(manifestText(manifest).replace(text, other))).toThrow(
      /export-manifest\.json: /,
    );
  });
});

describe("the export data", () => {
  const text = exportDataText(data);

  it("are read as they were written", () => {
    const entries = parseExportData(text, 3, (problem) => expect.unreachable(problem));
    expect(entries.get("network.hash")).toBe(hash("a"));
    expect(entries.get("partition.2")).toBe(hash("3"));
    expect(entries.size).toBe(9);
  });

  it.each([
    { id: "lines in another order", changed: text.split("\n").reverse().slice(1).concat("").join("\n") },
    { id: "a last line without its end", changed: text.slice(0, -1) },
    { id: "white space in a line", changed: text.replace('["hash.key",', '["hash.key", ') },
    { id: "a line that is no entry", changed: `${text}["x",1]\n` },
    { id: "many lines too many", changed: text + '["x","y"]\n'.repeat(100) },
  ])("are reported with $id", ({ changed }) => {
    expect(problemsOf(changed)).not.toEqual([]);
  });
});

describe("the record of a run", () => {
  const files = { "export-manifest.json": hash("1"), "evidence/gossip.jsonl": hash("2") };
  const text = runRecordText(emptyRun, files, DEFAULT_HASH_KEY);

  it("is read as it was written", () => {
    expect(readRunRecord(text, DEFAULT_HASH_KEY)).toEqual(files);
  });

  it.each([
    { id: "another value", changed: text.replace('"bytesReceived": 0', '"bytesReceived": 1') },
    { id: "other white space", changed: `${text}\n` },
    { id: "no hash of its own", changed: text.replace(/,\n {2}"hash": .*/, "") },
    { id: "a path", changed: text.replace("evidence/gossip.jsonl", "evidence/../gossip.jsonl") },
  ])("is refused with $id", ({ changed }) => {
    expect(changed).not.toBe(text);
    expect(() => readRunRecord(changed, DEFAULT_HASH_KEY)).toThrow(/run\.json: /);
  });
});

describe("the evidence", () => {
  it("has a netconfig where the settings are proved, and the gossip last", () => {
    const evidence = { nodeList: Buffer.from("1"), cycles: Buffer.from("2"), counting, gossip: [] };
    const names = (files: ReturnType<typeof evidenceFiles>) => files.map(({ file }) => file);
    const four = ["node-list.json", "cycles.json", "counting.json", "gossip.jsonl"];
    expect(names(evidenceFiles(evidence))).toEqual(four.map((name) => `evidence/${name}`));
    expect(names(evidenceFiles({ ...evidence, netconfig: Buffer.from("3") }))).toContain(
      "evidence/netconfig.json",
    );
  });

  it("has counting rules that are read as they were written", () => {
    expect(parseCountingRules(JSON.parse(countingRulesText(counting)), "x")).toEqual(counting);
  });

  it("has no counting rules without their source", () => {
    expect(() => parseCountingRules({ consensusRadius: 2 }, "x")).toThrow(/older version/);
    expect(() => parseCountingRules({ sharding: {}, quorum: {} }, "x")).toThrow(/x: sharding/);
  });

  it("has the config of a netconfig beside its settings", () => {
    const config = { sharding: { nodesPerConsensusGroup: 5, nodesPerEdge: 2 }, other: 1 };
    const proof = parseNetconfigProof({ config }, "x");
    expect(proof).toMatchObject({ settings: { nodesPerConsensusGroup: 5, nodesPerEdge: 2 }, config });
    expect(() => parseNetconfigProof({ config: {} }, "x")).toThrow(/x: config/);
  });

  it("has gossip of which no line is longer than a message can be", async () => {
    const tooLong = Buffer.alloc(gossipLineBytesMax(3) + 1, "b");
    const chunks = Readable.from([Buffer.from("a\n"), tooLong, Buffer.from("\nc\n")]);
    const lines: (string | undefined)[] = [];
    for await (const { bytes } of gossipLines(chunks, 3)) lines.push(bytes?.toString());
    expect(lines).toEqual(["a", undefined, "c"]);
  });
});
