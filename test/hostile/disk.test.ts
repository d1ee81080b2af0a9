/** Validators that send more than they store, to fill the disk of the program. */

import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { PartialSnapshot } from "../../src/store/partial-snapshot.ts";
import { startCluster } from "../../src/testnet/cluster/cluster.ts";
import { assembleFrom, failureOf } from "../app/run.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";

const MB = 1_000_000;
const expected = await published(smallFixture());

/** Returns the largest size of a directory while a run continues. */
async function peakOf(directory: string, action: Promise<unknown>): Promise<number> {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, sizeOf(directory));
  }, 5);
  await action.finally(() => clearInterval(timer));
  return peak;
}

function sizeOf(directory: string): number {
  const sizes = readdirSync(directory, { recursive: true }).map(
    (name) => statSync(join(directory, String(name)), { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Mounts a disk of some megabytes, if this user may; otherwise returns `undefined`. */
function tinyDisk(megabytes: number): string | undefined {
  const directory = temporaryDirectory();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0755`, "tmpfs", directory], {
      stdio: "ignore",
    });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync("umount", [directory]));
  return directory;
}

describe("a validator that sends two gigabytes for a small partition", () => {
  it("uses little of the disk, is blamed, and does not delay the snapshot", async () => {
    await withCluster({ faults: ["0:inflate", "4:inflate"] }, async (cluster) => {
      const out = temporaryDirectory();
      // A busy machine inflates slowly; a stalled response would be a different offence.
      const run = assembleFrom(cluster, { out, stallTimeoutMs: 30_000 });
      expect(await peakOf(out, run)).toBeLessThan(120 * MB);
      const { networkHash, offences } = await run;
      expect(networkHash).toBe(expected.networkHash);
      const liars = new Set([cluster.nodes[0]?.id, cluster.nodes[4]?.id]);
      expect(offences.length).toBeGreaterThan(0);
      for (const { node, kind } of offences) {
        expect(liars).toContain(node);
        expect(kind).toBe("oversized-answer");
      }
      expect(readdirSync(out)).toEqual([`snapshot-${cluster.snapshotTimestamp}`]);
    });
  });

  it.each([
    { id: "by the free space that the disk reports", isSaid: true },
    { id: "by the failed write", isSaid: false },
  ])("does not fill a disk that is smaller than its response, $id", async ({ isSaid }) => {
    const disk = tinyDisk(8);
    const out = disk ?? temporaryDirectory();
    const free = vi.spyOn(PartialSnapshot.prototype, "freeBytes");
    // Without such a disk, the real one reports little free space.
    if (disk === undefined) free.mockResolvedValue(8 * MB);
    else if (!isSaid) free.mockResolvedValue(Number.POSITIVE_INFINITY);
    onTestFinished(() => free.mockRestore());
    await withCluster({ faults: ["0:inflate", "4:inflate"] }, async (cluster) => {
      // A busy machine inflates slowly; a stalled response would be an offence.
      const run = assembleFrom(cluster, { out, stallTimeoutMs: 30_000 });
      expect(await peakOf(out, run)).toBeLessThan(9 * MB);
      const { networkHash, queries, offences } = await run;
      expect(networkHash).toBe(expected.networkHash);
      expect(queries.map(({ outcome }) => outcome)).toContain("disk-full");
      expect(offences).toEqual([]);
      expect(free).toHaveBeenCalled();
    });
  });
});

describe("a disk that is too small for the state", () => {
  it("ends the run with a failure of the disk, blames no node, and keeps verified partitions", async () => {
    const disk = tinyDisk(1);
    const out = disk ?? temporaryDirectory();
    const free = vi.spyOn(PartialSnapshot.prototype, "freeBytes");
    if (disk === undefined) free.mockResolvedValue(100_000);
    onTestFinished(() => free.mockRestore());
    // 2 MB in five partitions.
    const cluster = await startCluster(smallFixture({ accounts: 6_000 }));
    onTestFinished(() => cluster.stop());
    const failure = await failureOf(assembleFrom(cluster, { out }));
    expect(failure).toMatchObject({ code: "disk" });
    expect(failure.hint).toContain("Free some space");
    expect(readdirSync(out)).toEqual([`.snapshot-${cluster.snapshotTimestamp}.partial`]);
    expect(readdirSync(join(out, `.snapshot-${cluster.snapshotTimestamp}.partial`))).not.toContain(
      "incoming",
    );
  });
});
