import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportDataText } from "../../src/format/export-data.ts";
import { manifestText } from "../../src/format/manifest.ts";
import { checkSnapshot, checkWithoutArtifacts } from "../../src/verify/check-snapshot.ts";
import { requireReadsBack } from "../../src/verify/read-back.ts";
import { failHandles } from "../helpers/failing-disk.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import {
  archiver,
  chain,
  exportData,
  hashKey,
  manifest,
  rows,
  timestamp,
  writtenSnapshot,
} from "./written-snapshot.ts";

describe("a check of a snapshot", () => {
  it("has no findings for a valid one, and states what it holds", async () => {
    const directory = writtenSnapshot();
    const { accounts, bytes, digest, networkHash } = manifest.snapshot;
    expect(await checkSnapshot(directory)).toMatchObject({
      directory,
      ok: true,
      timestamp,
      cycle: 7,
      networkHash,
      digest,
      partitions: { total: 6, checked: 6, verified: 6 },
      subset: null,
      accounts,
      bytes,
      nodeList: { source: "evidence", nodes: 5 },
      findings: [],
      findingsOmitted: 0,
    });
  });

  it("reads only a subset of the artifacts if one is requested", async () => {
    const subset = { oneIn: 4, first: 1 };
    expect(await checkSnapshot(writtenSnapshot(), { subset })).toMatchObject({
      ok: true,
      subset,
      partitions: { total: 6, checked: 2, verified: 2 },
    });
  });

  it("is a usage error for a subset without artifacts", async () => {
    const check = checkSnapshot(writtenSnapshot(), { subset: { oneIn: 9, first: 8 } });
    await expect(check).rejects.toMatchObject({
      code: "usage",
      message: "part 9 of 9 contains no artifact: the snapshot has 6 artifacts",
      hint: "Divide it into at most 6 parts.",
    });
  });

  it("explains a directory that is not a snapshot", async () => {
    await expect(checkSnapshot(join(temporaryDirectory(), "none"))).rejects.toMatchObject({
      code: "no-such-snapshot",
      message: expect.stringContaining("does not exist"),
    });
  });

  it("has no evidence if the manifest or the hash key is malformed", async () => {
    const noManifest = await checkSnapshot(writtenSnapshot({ manifest: "{" }));
    expect(noManifest).toMatchObject({
      ok: false,
      timestamp: null,
      networkHash: null,
      votes: [],
      chain: "unread",
    });
    expect(noManifest.partitions).toEqual({ total: 0, checked: 0, verified: 0 });
    const noKey = await checkSnapshot(
      writtenSnapshot({ exportData: exportDataText(exportData).replace(hashKey, "x") }),
    );
    expect(noKey).toMatchObject({ ok: false, timestamp, claims: [] });
  });

  it.each([
    { id: "an archiver's key", trust: () => ({ archiverKey: archiver.publicKey }), unproved: [] },
    { id: "a marker", trust: () => ({ trustMarker: String(chain[1]?.["marker"]) }), unproved: ["nodeList"] },
    { id: "a node list", trust: () => ({ trustNodeList: nodeListFile() }), unproved: ["cycle"] },
  ])("requires proof of every claim if the auditor gives $id", async ({ trust, unproved }) => {
    const { findings } = await checkSnapshot(writtenSnapshot(), trust());
    expect(findings.map(({ kind, claim }) => [kind, claim])).toEqual(
      unproved.map((claim) => ["unproved", claim]),
    );
    expect((await checkSnapshot(writtenSnapshot(), { ...trust(), require: "told" })).findings).toEqual([]);
  });

  it("fails if the auditor's node list cannot be read", async () => {
    const check = checkSnapshot(writtenSnapshot(), { trustNodeList: "/nowhere/list.json" });
    await expect(check).rejects.toMatchObject({ code: "configuration" });
  });

  it("ends if its signal is aborted", async () => {
    const reason = new Error("ended");
    const signal = AbortSignal.abort(reason);
    await expect(checkSnapshot(writtenSnapshot(), { signal })).rejects.toBe(reason);
  });

  it("has no result if the disk fails", async () => {
    failHandles("read", "EIO", (path) => path.endsWith("partition-00001.json"));
    await expect(checkSnapshot(writtenSnapshot())).rejects.toMatchObject({ code: "disk" });
  });
});

function nodeListFile(): string {
  const file = join(temporaryDirectory(), "mine.json");
  writeFileSync(file, JSON.stringify(rows));
  return file;
}

describe("a check without artifacts", () => {
  it("does not read them", async () => {
    const directory = writtenSnapshot();
    const path = join(directory, "partition-00000.json");
    const { accounts, partitions } = await checkWithoutArtifacts(directory);
    expect([accounts, partitions]).toEqual([0, { total: 6, checked: 0, verified: 0 }]);
    rmSync(path);
    mkdirSync(path);
    expect((await checkWithoutArtifacts(directory)).findings).toMatchObject([
      { kind: "artifact-unreadable" },
    ]);
    expect((await checkWithoutArtifacts(writtenSnapshot({ manifest: "{" }))).findings).toHaveLength(1);
  });
});

describe("a snapshot that is read back", () => {
  it("passes if it is as it was written", async () => {
    await requireReadsBack(writtenSnapshot(), { quorum: undefined });
  });

  it("fails with the code disk if only files differ from what was written", async () => {
    const changed = manifestText({ ...manifest, snapshot: { ...manifest.snapshot, bytes: 1 } });
    const check = requireReadsBack(writtenSnapshot({ manifest: changed }), { quorum: undefined });
    await expect(check).rejects.toMatchObject({
      code: "disk",
      message: expect.stringMatching(
        /is not published: export-manifest\.json: it states 1 bytes, but there are \d+$/,
      ),
      hint: expect.stringContaining("kept for the next run"),
    });
  });

  it("fails with the code of its findings if the votes do not support it", async () => {
    const check = requireReadsBack(writtenSnapshot({ gossip: [] }), { quorum: "majority" });
    await expect(check).rejects.toMatchObject({
      code: "no-agreement",
      message: expect.stringContaining(
        "partition -1 has 0 votes for its hash and 0 against, of 5 (and 5 more findings)",
      ),
    });
  });

  it("is counted by the rule of the run", async () => {
    const gossip = { gossip: [] };
    await expect(requireReadsBack(writtenSnapshot(gossip), { quorum: "popular" })).rejects.toThrow("of 5");
  });
});
