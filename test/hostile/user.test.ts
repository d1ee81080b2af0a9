/** Another user of the same machine, in a shared directory. */

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { PartialSnapshot } from "../../src/store/partial-snapshot.ts";
import { acquireRunLock } from "../../src/store/run-lock.ts";
import { lockPath } from "../../src/store/snapshot-place.ts";
import { assembleFrom, digestsIn, failureOf, filesIn } from "../app/run.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { withCluster } from "../testnet/cluster/small-cluster.ts";

const nobody = 65_534;

/** Gives a file to another user. Without root's rights, makes this process appear as another user instead. */
function giveAway(...paths: string[]): void {
  if (process.getuid?.() === 0) {
    for (const path of paths) chownTree(path);
    return;
  }
  const own = process.getuid?.() ?? 0;
  const id = vi.spyOn(process as { getuid: () => number }, "getuid").mockReturnValue(own + 1);
  onTestFinished(() => id.mockRestore());
}

function chownTree(path: string): void {
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) chownTree(join(path, name));
  if (!lstatSync(path).isSymbolicLink()) chownSync(path, nobody, nobody);
}

/** A shared directory such as /tmp. */
function sharedDirectory(): string {
  const out = join(temporaryDirectory(), "shared");
  mkdirSync(out);
  chmodSync(out, 0o1777);
  return out;
}

const timestamp = 1_700_000_640_000;
const name = `snapshot-${timestamp}`;

describe("a file of another user in a shared directory", () => {
  it.each([
    { id: "a partial directory", planted: `.${name}.partial` },
    { id: "a replaced snapshot", planted: `.${name}.replaced` },
  ])("is refused and not changed if it is $id", async ({ planted }) => {
    const out = sharedDirectory();
    mkdirSync(join(out, planted));
    writeFileSync(join(out, planted, "partition-00001.json"), "theirs");
    giveAway(process.getuid?.() === 0 ? join(out, planted) : out);
    const opened = PartialSnapshot.open({ out, timestamp, compression: "none", numPartitions: 1 });
    await expect(opened).rejects.toMatchObject({
      name: "SnapshotError",
      code: "disk",
      message: expect.stringContaining("belongs to"),
    });
    expect(readFileSync(join(out, planted, "partition-00001.json"), "utf8")).toBe("theirs");
    expect(existsSync(join(out, name))).toBe(false);
  });

  it.each([{ file: "lock" }, { file: "lock.holder" }])("is refused if it is the $file", async ({ file }) => {
    const out = sharedDirectory();
    writeFileSync(join(out, file), "theirs");
    giveAway(process.getuid?.() === 0 ? join(out, file) : out);
    await expect(acquireRunLock(join(out, "lock"))).rejects.toMatchObject({
      code: "disk",
      message: expect.stringContaining("belongs to"),
    });
    expect(readFileSync(join(out, file), "utf8")).toBe("theirs");
  });

  it("is not accepted as published even if it is the right snapshot", async () => {
    await withCluster({}, async (cluster) => {
      const out = sharedDirectory();
      const { directory } = await assembleFrom(cluster, { out });
      giveAway(process.getuid?.() === 0 ? directory : out);
      const before = digestsIn(directory);
      const failure = await failureOf(assembleFrom(cluster, { out }));
      expect(failure).toMatchObject({ code: "disk", message: expect.stringContaining("belongs to") });
      expect(failure.hint).toContain("--out");
      expect(digestsIn(directory)).toEqual(before);
    });
  });

  it("is not accepted as published if others may write to a part of the right snapshot", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const { directory } = await assembleFrom(cluster, { out });
      for (const part of ["", "evidence", "partition-00001.json", "evidence/gossip.jsonl"]) {
        const path = join(directory, part);
        const { mode } = statSync(path);
        chmodSync(path, mode | 0o020);
        const failure = await failureOf(assembleFrom(cluster, { out }));
        expect(failure).toMatchObject({ code: "disk", message: expect.stringContaining(path) });
        expect(failure.hint).toContain("chmod");
        chmodSync(path, mode);
      }
      expect((await assembleFrom(cluster, { out })).directory).toBe(directory);
    });
  });

  it("is refused if it is a link with the name of the snapshot", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const { directory } = await assembleFrom(cluster, { out });
      const elsewhere = join(temporaryDirectory(), "elsewhere");
      renameSync(directory, elsewhere);
      const before = digestsIn(elsewhere);
      symlinkSync(elsewhere, directory);
      expect(await failureOf(assembleFrom(cluster, { out }))).toMatchObject({ code: "disk" });
      expect(lstatSync(directory).isSymbolicLink()).toBe(true);
      expect(digestsIn(elsewhere)).toEqual(before);
    });
  });
});

describe("a link that leads to a file of this user", () => {
  const precious = () => {
    const path = join(temporaryDirectory(), "precious");
    writeFileSync(path, "precious", { mode: 0o600 });
    return path;
  };

  it.each([
    { id: "a symbolic link", link: symlinkSync },
    { id: "a hard link", link: linkSync },
  ])("is not followed by any write of a run: $id", async ({ link }) => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const target = precious();
      const partial = join(out, `.snapshot-${cluster.snapshotTimestamp}.partial`);
      mkdirSync(join(partial, "evidence"), { recursive: true });
      const places = ["run.json", "export-data.jsonl", "export-manifest.json", "partition-00001.json"];
      for (const place of [...places, "evidence/gossip.jsonl", "evidence/cycles.json"])
        link(target, join(partial, place));
      const { directory } = await assembleFrom(cluster, { out });
      expect(readFileSync(target, "utf8")).toBe("precious");
      for (const file of filesIn(directory).keys()) expect(lstatSync(join(directory, file)).nlink).toBe(1);
    });
  });

  it("is neither locked through another name, nor is its mode changed", async () => {
    const target = precious();
    chmodSync(target, 0o640);
    const path = join(dirname(target), "lock");
    linkSync(target, path);
    await expect(acquireRunLock(path)).rejects.toMatchObject({
      code: "disk",
      message: expect.stringContaining("remove"),
    });
    expect(statSync(target).mode & 0o777).toBe(0o640);
    expect(readFileSync(target, "utf8")).toBe("precious");
  });
});

describe("the directory of snapshots", () => {
  it.each([
    { id: "by its group", mode: 0o775 },
    { id: "by everyone", mode: 0o777 },
  ])("is refused before the first request if it can be written to $id", async ({ mode }) => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      chmodSync(out, mode);
      const failure = await failureOf(assembleFrom(cluster, { out }));
      expect(failure).toMatchObject({ code: "disk", message: expect.stringContaining(out) });
      expect(failure.hint).toContain("chmod");
      expect(readdirSync(out)).toEqual([]);
    });
  });

  it("is accepted if everyone can write to it and no one can rename the files of others", async () => {
    await withCluster({}, async (cluster) => {
      const out = sharedDirectory();
      const { directory } = await assembleFrom(cluster, { out });
      expect(readdirSync(out)).toEqual([`snapshot-${cluster.snapshotTimestamp}`]);
      expect(dirname(directory)).toBe(out);
    });
  });

  it("is refused if it belongs to another user", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      giveAway(out);
      const failure = await failureOf(assembleFrom(cluster, { out }));
      expect(failure).toMatchObject({ code: "disk", message: expect.stringContaining("belongs to") });
    });
  });
});

describe("a published snapshot", () => {
  it("cannot be changed by another user under any umask", async () => {
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    await withCluster({}, async (cluster) => {
      for (const compression of ["none", "gzip"] as const) {
        const out = join(temporaryDirectory(), "new", "out");
        const { directory } = await assembleFrom(cluster, { out, compression });
        const names = readdirSync(dirname(out), { recursive: true }).map(String);
        for (const entry of ["", ...names]) {
          expect(statSync(join(dirname(out), entry)).mode & 0o022, `${entry} of ${directory}`).toBe(0);
        }
      }
    });
  });

  it("has a lock that no other user can open, not even to read", async () => {
    const path = lockPath({ out: sharedDirectory(), timestamp });
    const lock = await acquireRunLock(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    if (process.getuid?.() === 0) {
      chmodSync(dirname(dirname(path)), 0o755);
      const reader = spawnSync("cat", [path], { uid: nobody, gid: nobody });
      expect(reader.status).not.toBe(0);
    }
    await lock.release();
  });

  it("has a lock that no other user can open, even if an earlier version left a readable one", async () => {
    const path = join(temporaryDirectory(), "lock");
    writeFileSync(path, "", { mode: 0o644 });
    const lock = await acquireRunLock(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await lock.release();
  });
});
