/** A snapshot with planted write errors fails its own check before it is published. */

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { verifySnapshot } from "../../src/app/verify.ts";
import type { Evidence } from "../../src/format/evidence/evidence.ts";
import { PartialSnapshot } from "../../src/store/partial-snapshot.ts";
import { assembleFrom, failureOf } from "../app/run.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { withCluster } from "../testnet/cluster/small-cluster.ts";

/** Changes every snapshot after it is complete. */
function plantAfterwards(change: (directory: string) => void): void {
  const original = PartialSnapshot.prototype.complete;
  const spy = vi.spyOn(PartialSnapshot.prototype, "complete");
  spy.mockImplementation(async function (this: PartialSnapshot, ...args) {
    const manifest = await original.apply(this, args);
    change(this.directory);
    return manifest;
  });
  onTestFinished(() => spy.mockRestore());
}

/** Changes the evidence of every snapshot before it is written. */
function plantInEvidence(change: (evidence: Evidence) => Evidence): void {
  const original = PartialSnapshot.prototype.complete;
  const spy = vi.spyOn(PartialSnapshot.prototype, "complete");
  spy.mockImplementation(function (this: PartialSnapshot, data, size, evidence, run) {
    return original.call(this, data, size, change(evidence), run);
  });
  onTestFinished(() => spy.mockRestore());
}

function* withOneByteChanged(lines: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const line of lines) yield Buffer.from(String(line).replace(/"[0-9a-f]{8}/, '"00000000'));
}

it("a snapshot whose evidence does not support the agreed hashes is not published", async () => {
  const out = temporaryDirectory();
  plantInEvidence((evidence) => ({ ...evidence, gossip: withOneByteChanged(evidence.gossip) }));
  await withCluster({}, async (cluster) => {
    const { code, message } = await failureOf(assembleFrom(cluster, { out }));
    expect(code).toBe("no-agreement");
    expect(message).toContain("fails its own check and is not published");
    expect(message).toContain("evidence/gossip.jsonl");
  });
  expect(readdirSync(out).filter((name) => !name.startsWith("."))).toEqual([]);
});

it("a snapshot whose evidence has other counting rules is not published", async () => {
  const out = temporaryDirectory();
  plantInEvidence((evidence) => ({ ...evidence, netconfig: Buffer.from('{"config":{}}') }));
  await withCluster({}, async (cluster) => {
    expect(await failureOf(assembleFrom(cluster, { out }))).toMatchObject({ code: "no-agreement" });
  });
  expect(readdirSync(out).filter((name) => !name.startsWith("."))).toEqual([]);
});

it("a snapshot whose files changed after they were written fails with the code disk", async () => {
  const out = temporaryDirectory();
  plantAfterwards((directory) => writeFileSync(join(directory, "export-data.jsonl"), ""));
  await withCluster({}, async (cluster) => {
    const { code, hint } = await failureOf(assembleFrom(cluster, { out }));
    expect(code).toBe("disk");
    expect(hint).toContain("kept for the next run");
  });
  expect(readdirSync(out).filter((name) => !name.startsWith("."))).toEqual([]);
});

it("a run after a failed check publishes a valid snapshot", async () => {
  const out = temporaryDirectory();
  await withCluster({}, async (cluster) => {
    plantInEvidence((evidence) => ({ ...evidence, gossip: [] }));
    await failureOf(assembleFrom(cluster, { out }));
    vi.restoreAllMocks();
    const { directory } = await assembleFrom(cluster, { out });
    expect(existsSync(directory)).toBe(true);
    expect((await verifySnapshot(directory)).findings).toEqual([]);
  });
});

/** No record names the configuration, and a dishonest node prevents a proof of the group size by votes. */
const told = { nodes: 9, nodesPerConsensusGroup: 3, nodesPerEdge: 1, networkConfigHash: false };

it("a snapshot with unproved claims is published", async () => {
  await withCluster({ ...told, faults: ["4:lie=4"] }, async (cluster) => {
    const archiverKey = cluster.archiverPublicKey;
    const { directory } = await assembleFrom(cluster, { archiverKey });
    expect(await verifySnapshot(directory, { archiverKey })).toMatchObject({
      ok: false,
      findings: [{ kind: "unproved", claim: "sharding" }],
    });
    expect(await verifySnapshot(directory)).toMatchObject({ ok: true });
  });
});
