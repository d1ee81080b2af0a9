/** A damaged snapshot is repaired: its intact files are neither fetched nor lost. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { AssembleResult } from "../../src/app/assemble.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import type { Cluster } from "../../src/testnet/cluster/cluster.ts";
import { failCalls, failHandles } from "../helpers/failing-disk.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { withCluster } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom, comparedFiles, digestOf, digestsIn, failureOf, filesIn } from "./run.ts";

/** Flips one bit in the middle of a file. */
function flipBit(path: string, at = statSync(path).size >> 1): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** Flips the last bit of the compressed data, which is padding unless the data end with a whole byte. */
function withSpareBitFlipped(gzip: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.from(gzip);
  const last = bytes.length - 9;
  bytes[last] = (bytes[last] ?? 0) ^ 0x80;
  return bytes;
}

function hasSpareBits(gzip: Buffer = Buffer.alloc(0)): boolean {
  try {
    return gunzipSync(withSpareBitFlipped(gzip)).equals(gunzipSync(gzip));
  } catch {
    return false;
  }
}

const evidence = ["gossip.jsonl", "node-list.json", "cycles.json", "counting.json"];
const derived = [
  "run.json",
  "export-data.jsonl",
  "export-manifest.json",
  ...evidence.map((file) => `evidence/${file}`),
];

/** Runs a test on a right published snapshot. */
async function withPublished(
  changes: Record<string, unknown>,
  test: (cluster: Cluster, out: string, published: AssembleResult) => Promise<void>,
): Promise<void> {
  await withCluster(changes, async (cluster) => {
    const out = temporaryDirectory();
    await test(cluster, out, await assembleFrom(cluster, { out }));
  });
}

const fetched = ({ queries }: AssembleResult) => queries.flatMap(({ partitions }) => partitions);

async function expectRight(out: string, published: AssembleResult, before: Map<string, string>) {
  expect(comparedFiles(published.directory)).toEqual(before);
  expect((await verifySnapshot(published.directory)).findings).toEqual([]);
  expect(readdirSync(out)).toEqual([`snapshot-${published.timestamp}`]);
}

describe("a published snapshot with a damaged file", () => {
  it.each(derived)("is repaired without a fetch if the file is %s", async (file) => {
    await withPublished({}, async (cluster, out, published) => {
      const before = comparedFiles(published.directory);
      flipBit(join(published.directory, file));
      const again = await assembleFrom(cluster, { out });
      expect(fetched(again)).toEqual([]);
      expect(again.damage.map((one) => one.file)).toContain(
        file === "export-manifest.json" ? "export-manifest.json" : file,
      );
      expect(again.warnings.join()).toContain("is damaged");
      await expectRight(out, published, before);
    });
  });

  it.each(["none", "gzip"] as const)(
    "is repaired by fetching only that partition (%s)",
    async (compression) => {
      await withCluster({}, async (cluster) => {
        const out = temporaryDirectory();
        const published = await assembleFrom(cluster, { out, compression });
        const before = comparedFiles(published.directory);
        const file = `partition-00002.json${compression === "gzip" ? ".gz" : ""}`;
        flipBit(join(published.directory, file));
        const again = await assembleFrom(cluster, { out, compression });
        expect(fetched(again)).toEqual([2]);
        expect(again.damage).toEqual([{ file, problem: expect.any(String) }]);
        await expectRight(out, published, before);
        expect((await assembleFrom(cluster, { out })).damage).toEqual([]);
      });
    },
  );

  it("contains a lost signed message again after the repair", async () => {
    await withPublished({}, async (cluster, out, { directory }) => {
      const path = join(directory, "evidence/gossip.jsonl");
      const before = readFileSync(path);
      flipBit(path, 300);
      await assembleFrom(cluster, { out });
      expect(digestOf(readFileSync(path))).toBe(digestOf(before));
    });
  });

  it("is compressed again, not fetched, if only its compressed bytes differ", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const published = await assembleFrom(cluster, { out, compression: "gzip" });
      const before = comparedFiles(published.directory);
      const files = filesIn(published.directory);
      const file = [...files.keys()].find((name) => name.endsWith(".gz") && hasSpareBits(files.get(name)));
      if (file === undefined) throw new Error("no artifact has a bit that its text does not depend on");
      const path = join(published.directory, file);
      writeFileSync(path, withSpareBitFlipped(files.get(file)));
      expect((await verifySnapshot(published.directory)).findings).toEqual([
        expect.objectContaining({ kind: "artifact-hash", file }),
      ]);
      const again = await assembleFrom(cluster, { out, compression: "gzip" });
      expect(fetched(again)).toEqual([]);
      expect(again.damage).toEqual([{ file, problem: expect.stringContaining("compressed bytes") }]);
      await expectRight(out, published, before);
    });
  });

  it("is reused in the requested form", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const published = await assembleFrom(cluster, { out, compression: "gzip" });
      flipBit(join(published.directory, "run.json"));
      const again = await assembleFrom(cluster, { out });
      expect(fetched(again)).toEqual([]);
      expect(comparedFiles(again.directory)).toEqual(comparedFiles((await assembleFrom(cluster)).directory));
    });
  });

  it.each(derived)("is repaired if the file is missing: %s", async (file) => {
    await withPublished({}, async (cluster, out, published) => {
      const before = comparedFiles(published.directory);
      rmSync(join(published.directory, file));
      const again = await assembleFrom(cluster, { out });
      expect(fetched(again)).toEqual([]);
      expect(again.damage).not.toEqual([]);
      await expectRight(out, published, before);
    });
  });

  it("names its wrong artifacts even if its export data cannot be read", async () => {
    await withPublished({}, async (cluster, out, { directory }) => {
      writeFileSync(join(directory, "export-data.jsonl"), "");
      flipBit(join(directory, "partition-00001.json"));
      const again = await assembleFrom(cluster, { out });
      expect(fetched(again)).toEqual([1]);
      expect(again.damage.map(({ file }) => file)).toEqual(
        expect.arrayContaining(["export-data.jsonl", "partition-00001.json"]),
      );
    });
  });

  it("is repaired without validators that hold the snapshot if only derived files are damaged", async () => {
    const out = temporaryDirectory();
    await withCluster({}, async (cluster) => {
      const { directory } = await assembleFrom(cluster, { out });
      for (const file of derived) flipBit(join(directory, file));
    });
    await withCluster({ faults: ["*:no-snapshot"] }, async (cluster) => {
      const again = await assembleFrom(cluster, { out });
      expect(again.queries).toEqual([]);
      expect((await verifySnapshot(again.directory)).findings).toEqual([]);
    });
  });

  it("is repaired by its own evidence if the validators no longer keep their votes", async () => {
    const out = temporaryDirectory();
    await withCluster({}, async (cluster) => {
      const { directory } = await assembleFrom(cluster, { out });
      for (const file of derived) if (file !== "evidence/gossip.jsonl") flipBit(join(directory, file));
      flipBit(join(directory, "evidence/gossip.jsonl"), 300);
    });
    await withCluster({ faults: ["*:no-snapshot", "*:no-gossip"] }, async (cluster) => {
      const again = await assembleFrom(cluster, { out });
      expect(again.queries).toEqual([]);
      expect(again.offences).toEqual([]);
      expect((await verifySnapshot(again.directory)).findings).toEqual([]);
    });
  });

  it("is not changed if its artifact cannot be fetched again", async () => {
    const out = temporaryDirectory();
    await withCluster({ faults: ["*:corrupt-data=3"] }, async (cluster) => {
      await withCluster({}, async (honest) => void (await assembleFrom(honest, { out })));
      const published = join(out, `snapshot-${cluster.snapshotTimestamp}`);
      flipBit(join(published, "partition-00003.json"));
      const before = digestsIn(published);
      expect((await failureOf(assembleFrom(cluster, { out }))).code).toBe("verification");
      expect(digestsIn(published)).toEqual(before);
    });
  });
});

describe("an error of reading a published snapshot", () => {
  it.each(["EIO", "EMFILE"] as const)("is a failure of the disk, not damage: %s", async (code) => {
    await withPublished({}, async (cluster, out, { directory }) => {
      const before = digestsIn(out);
      const end = failCalls("open", code, (path) => path === join(directory, "partition-00001.json"));
      const { code: failure, hint } = await failureOf(assembleFrom(cluster, { out }));
      expect(failure).toBe("disk");
      if (code === "EMFILE") expect(hint).toContain("ulimit -n");
      await expect(verifySnapshot(directory)).rejects.toMatchObject({ code: "disk" });
      end();
      expect(digestsIn(out)).toEqual(before);
      expect((await assembleFrom(cluster, { out })).damage).toEqual([]);
    });
  });

  it("does not remove what an earlier run has verified", async () => {
    const out = temporaryDirectory();
    await withCluster({ faults: ["*:corrupt-data=3"] }, async (cluster) => {
      expect((await failureOf(assembleFrom(cluster, { out }))).code).toBe("verification");
      const artifact = join(out, `.snapshot-${cluster.snapshotTimestamp}.partial`, "partition-00001.json");
      const end = failCalls("open", "EIO", (path) => path === artifact);
      expect((await failureOf(assembleFrom(cluster, { out }))).code).toBe("disk");
      end();
      expect(existsSync(artifact)).toBe(true);
    });
  });
});

describe("a leftover of a killed run", () => {
  const leave = (out: string, name: string) => {
    mkdirSync(join(out, name));
    writeFileSync(join(out, name, "partition-00000.json"), "[]");
  };

  it("is removed by a run that finds its snapshot published", async () => {
    await withPublished({}, async (cluster, out, { timestamp }) => {
      leave(out, `.snapshot-${timestamp}.replaced`);
      leave(out, `.snapshot-${timestamp}.partial`);
      leave(out, ".snapshot-1600000000000.partial");
      leave(out, ".snapshot-1600000060000.partial");
      writeFileSync(join(out, ".snapshot-1600000060000.lock"), "");
      writeFileSync(join(out, ".snapshot-1600000060000.lock.holder"), "process 1");
      writeFileSync(join(out, ".snapshot-1600000120000.lock-journal"), "");
      writeFileSync(join(out, ".snapshot-1600000180000.lock.probe-1"), "");
      leave(out, ".not-ours.partial");
      expect((await assembleFrom(cluster, { out })).warnings).toEqual([]);
      expect(readdirSync(out).sort()).toEqual([".not-ours.partial", `snapshot-${timestamp}`]);
    });
  });

  it("is put back if it is the only copy of a snapshot", async () => {
    await withPublished({}, async (cluster, out, { directory }) => {
      leave(out, ".snapshot-1600000000000.replaced");
      await assembleFrom(cluster, { out });
      expect(readdirSync(out).sort()).toEqual(["snapshot-1600000000000", directory.slice(out.length + 1)]);
    });
  });
});

describe("a file that the system cannot read or sync", () => {
  it.each(["evidence/counting.json", "partition-00001.json"])("is named in the error: %s", async (file) => {
    await withPublished({}, async (cluster, out, { directory }) => {
      failHandles("read", "EIO", (path) => path === join(directory, file));
      const { code, message } = await failureOf(assembleFrom(cluster, { out }));
      expect({ code, message }).toEqual({
        code: "disk",
        message: `cannot read ${join(directory, file)}: EIO: injected, read`,
      });
    });
  });

  it("is named in the error if it is new", async () => {
    await withCluster({}, async (cluster) => {
      failHandles("sync", "EIO", (path) => path.endsWith("partition-00001.json"));
      const { code, message } = await failureOf(assembleFrom(cluster));
      expect(code).toBe("disk");
      expect(message).toMatch(/^cannot sync .*partition-00001\.json: EIO: injected, sync$/);
    });
  });
});

describe("a read-only directory", () => {
  it.each(["EROFS", "EACCES"] as const)("does not fail a run whose snapshot is right: %s", async (code) => {
    await withPublished({}, async (cluster, out, { directory }) => {
      failCalls("writeFile", code, (path) => path.startsWith(out));
      expect(await assembleFrom(cluster, { out })).toMatchObject({ directory, queries: [] });
      flipBit(join(directory, "run.json"));
      expect((await failureOf(assembleFrom(cluster, { out }))).code).toBe("disk");
    });
  });
});

describe("a lock that cannot be removed", () => {
  const isLock = (path: string) => path.endsWith(".lock") || path.endsWith(".holder");

  it("is a warning after the snapshot is published", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const end = failCalls("rm", "EROFS", isLock);
      const { warnings, directory } = await assembleFrom(cluster, { out });
      expect(warnings.join()).toContain("cannot remove the lock");
      expect((await verifySnapshot(directory)).ok).toBe(true);
      end();
      expect((await assembleFrom(cluster, { out })).warnings).toEqual([]);
      expect(readdirSync(out)).toHaveLength(1);
    });
  });

  it("does not hide the failure of the run", async () => {
    await withCluster({ faults: ["*:corrupt-data=3"] }, async (cluster) => {
      failCalls("rm", "EROFS", isLock);
      expect((await failureOf(assembleFrom(cluster))).code).toBe("verification");
    });
  });
});

describe("the end of a publication", () => {
  it("is a warning if the older snapshot cannot be removed; the next run removes it", async () => {
    await withPublished({}, async (cluster, out, { directory }) => {
      flipBit(join(directory, "run.json"));
      const end = failCalls("rm", "EIO", (path) => path.endsWith(".replaced"));
      expect((await assembleFrom(cluster, { out })).warnings.join()).toContain(".replaced");
      end();
      expect((await assembleFrom(cluster, { out })).damage).toEqual([]);
      expect(readdirSync(out)).toEqual([directory.slice(out.length + 1)]);
    });
  });

  it("is synced by the next run if the sync failed", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const end = failCalls("open", "EIO", (path) => path === out);
      expect((await failureOf(assembleFrom(cluster, { out }))).code).toBe("disk");
      expect((await failureOf(assembleFrom(cluster, { out }))).code).toBe("disk");
      end();
      expect(await assembleFrom(cluster, { out })).toMatchObject({ queries: [] });
    });
  });

  it("puts the older snapshot back if the new one cannot be renamed", async () => {
    await withPublished({}, async (cluster, out, { directory }) => {
      flipBit(join(directory, "run.json"));
      const before = digestsIn(directory);
      failCalls("rename", "EIO", (path) => path.endsWith(".partial"));
      expect((await failureOf(assembleFrom(cluster, { out }))).code).toBe("disk");
      expect(digestsIn(directory)).toEqual(before);
    });
  });
});
