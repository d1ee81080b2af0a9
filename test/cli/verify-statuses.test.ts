import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRunRecord, runRecordText } from "../../src/format/run-record.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { assembleFrom } from "../app/run.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { withCluster } from "../testnet/cluster/small-cluster.ts";
import { commandLine } from "./command-line.ts";

interface Listed {
  nodeList: Record<string, unknown>[];
}

describe("verify ends with a status for each kind of failure", () => {
  let out: string;
  let published: string;
  beforeAll(async () => {
    out = makeTemporaryDirectory();
    published = await withCluster({}, async (cluster) => (await assembleFrom(cluster, { out })).directory);
  });
  afterAll(() => removeDirectory(out));

  /** A copy with a changed file, and a run record that lists it, so no file looks damaged. */
  const forged = (file: string, change: (text: string) => string) => {
    const directory = join(temporaryDirectory(), "forged");
    cpSync(published, directory, { recursive: true });
    const text = change(readFileSync(join(directory, file), "utf8"));
    writeFileSync(join(directory, file), text);
    const runPath = join(directory, "run.json");
    const run = readFileSync(runPath, "utf8");
    const hashes = { ...readRunRecord(run, DEFAULT_HASH_KEY), [file]: hashText(text) };
    const { files: _files, hash: _hash, ...record } = JSON.parse(run) as Record<string, unknown>;
    writeFileSync(runPath, runRecordText(record, hashes, DEFAULT_HASH_KEY));
    return directory;
  };
  const statusOf = async (...args: string[]) => {
    const { status, summary } = await commandLine(["verify", "--json", ...args]);
    const findings = summary()["findings"] as { kind: string }[];
    return { status, kinds: [...new Set(findings.map(({ kind }) => kind))] };
  };

  it("0 for a right snapshot", async () => {
    expect(await statusOf(published)).toEqual({ status: 0, kinds: [] });
  });

  it("4 for wrong bytes", async () => {
    const directory = forged("partition-00000.json", (text) => text.replace("1", "2"));
    expect(await statusOf(directory)).toEqual({ status: 4, kinds: ["artifact-hash"] });
  });

  it("6 for too few votes", async () => {
    const directory = forged(
      "evidence/gossip.jsonl",
      (text) => text.slice(text.indexOf("\n") + 1).split("\n")[0] ?? "",
    );
    expect(await statusOf(directory)).toEqual({ status: 6, kinds: ["no-agreement"] });
  });

  it("7 for a broken cycle chain", async () => {
    const directory = forged("evidence/cycles.json", (text) => {
      const { cycleInfo } = JSON.parse(text) as { cycleInfo: Record<string, unknown>[] };
      return JSON.stringify(cycleInfo.map((record) => ({ ...record, mode: "changed" })));
    });
    expect(await statusOf(directory)).toEqual({ status: 7, kinds: ["chain"] });
  });

  it("8 for a node list that is not the trusted one", async () => {
    const list = JSON.parse(readFileSync(join(published, "evidence/node-list.json"), "utf8")) as Listed;
    const trusted = join(temporaryDirectory(), "nodes.json");
    const stranger = { ...list.nodeList[0], id: "f".repeat(64), publicKey: "e".repeat(64) };
    writeFileSync(trusted, JSON.stringify([...list.nodeList, stranger]));
    expect(await statusOf("--trust-node-list", trusted, published)).toEqual({
      status: 8,
      kinds: ["node-list", "unproved"],
    });
  });
});
