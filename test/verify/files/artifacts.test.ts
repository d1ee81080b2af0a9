import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Manifest } from "../../../src/format/manifest.ts";
import { asPartition } from "../../../src/protocol/brands.ts";
import { hashText } from "../../../src/protocol/crypto/hash.ts";
import { SnapshotDirectory } from "../../../src/store/snapshot-directory.ts";
import { checkArtifactFiles, checkArtifacts } from "../../../src/verify/files/artifacts.ts";
import { checkSmallFiles, type SmallFiles } from "../../../src/verify/files/small-files.ts";
import { FindingList } from "../../../src/verify/findings/finding-list.ts";
import { hashes, manifest, writtenSnapshot } from "../written-snapshot.ts";

interface Changes {
  readonly files?: (directory: string) => void;
  readonly small?: (small: SmallFiles) => Partial<SmallFiles>;
  readonly isChosen?: (index: number) => boolean;
}

async function check({ files, small, isChosen = () => true }: Changes = {}) {
  const directory = writtenSnapshot();
  const reader = new SnapshotDirectory(directory);
  const read = await checkSmallFiles(reader, new FindingList());
  files?.(directory);
  const findings = new FindingList();
  const totals = await checkArtifacts(reader, { ...read, ...small?.(read) }, isChosen, findings);
  return { totals, findings: findings.all };
}

const withSnapshot = (changes: Partial<Manifest["snapshot"]>): { manifest: Manifest } => ({
  manifest: { ...manifest, snapshot: { ...manifest.snapshot, ...changes } },
});

describe("the artifacts of a snapshot", () => {
  it("are read, and verified by their hashes", async () => {
    const { totals, findings } = await check();
    const { accounts, bytes } = manifest.snapshot;
    expect(totals).toEqual({ checked: 6, verified: 6, accounts, bytes });
    expect(findings).toEqual([]);
  });

  it("are read in part if only some are chosen, without a comparison of the totals", async () => {
    const { totals, findings } = await check({
      isChosen: (index) => index === 2,
      small: () => withSnapshot({ accounts: 1 }),
    });
    expect(totals).toMatchObject({ checked: 1, verified: 1, accounts: 2 });
    expect(findings).toEqual([]);
  });

  it("are not read without a manifest, a hash key, or a hash in the export data", async () => {
    const none = { checked: 0, verified: 0, accounts: 0, bytes: 0 };
    expect((await check({ small: () => ({ manifest: undefined }) })).totals).toEqual(none);
    expect((await check({ small: () => ({ hashKey: undefined }) })).totals).toEqual(none);
    expect((await check({ small: () => ({ entries: new Map() }) })).totals).toEqual(none);
  });

  it("have a finding for a missing file, one that cannot be read, and one with another hash", async () => {
    const { totals, findings } = await check({
      files: (directory) => {
        rmSync(join(directory, "partition-00000.json"));
        rmSync(join(directory, "partition-00001.json"));
        mkdirSync(join(directory, "partition-00001.json"));
        writeFileSync(join(directory, "partition-00002.json"), "[]");
      },
    });
    expect(totals).toMatchObject({ checked: 6, verified: 3 });
    expect(findings).toMatchObject([
      { kind: "artifact-missing", partition: 0, problem: "the file is missing" },
      { kind: "artifact-unreadable", partition: 1 },
      {
        kind: "artifact-hash",
        partition: 2,
        problem: `its hash is ${hashText("[]")}, but the export data has ${hashes.get(asPartition(2))}`,
      },
    ]);
  });

  it("are read no further than the bytes that the manifest states", async () => {
    const { findings } = await check({ small: () => withSnapshot({ bytes: manifest.snapshot.bytes - 1 }) });
    expect(findings).toMatchObject([
      { kind: "artifact-unreadable", partition: 4 },
      { kind: "totals", problem: "the artifacts have more bytes than it states; no more were read" },
    ]);
  });

  it("have a finding for totals that the manifest states falsely", async () => {
    const { findings } = await check({ small: () => withSnapshot({ accounts: 3 }) });
    expect(findings).toMatchObject([
      {
        kind: "totals",
        problem: expect.stringMatching(/^it states 3 accounts in \d+ bytes, but there are 11 in /),
      },
    ]);
  });

  it("have a finding for accounts outside the range of their partition", async () => {
    const { findings } = await check({
      files: (directory) => {
        const [one, other] = [1, 2].map((partition) => join(directory, `partition-0000${partition}.json`));
        const texts = [one, other].map((path) => readFileSync(path ?? ""));
        writeFileSync(one ?? "", texts[1] ?? "");
        writeFileSync(other ?? "", texts[0] ?? "");
      },
      small: ({ entries }) => {
        const swapped = new Map(entries);
        swapped.set("partition.1", entries.get("partition.2") ?? "");
        swapped.set("partition.2", entries.get("partition.1") ?? "");
        return { entries: swapped };
      },
    });
    expect(findings.map(({ partition, problem }) => [partition, problem.split(" from ")[0]])).toEqual([
      [1, "it contains accounts"],
      [2, "it contains accounts"],
    ]);
  });

  it("have a finding for a compressed file with other bytes than the listed ones", async () => {
    const file = "partition-00000.json.gz";
    const compressed = (listed: string | undefined) =>
      check({
        files: (directory) => {
          const text = readFileSync(join(directory, "partition-00000.json"));
          const bytes = gzipSync(text);
          bytes[9] = 0xff; // the operating system, as this program writes it
          writeFileSync(join(directory, file), bytes);
        },
        small: () => ({
          manifest: {
            ...manifest,
            artifacts: manifest.artifacts.map(
              ([key, of]) => [key, key === "partition.0" ? file : of] as const,
            ),
          },
          files: listed === undefined ? {} : { [file]: listed },
        }),
      });
    expect((await compressed("0".repeat(64))).findings).toMatchObject([
      { kind: "artifact-hash", problem: expect.stringContaining("its compressed bytes were changed") },
    ]);
    expect((await compressed(undefined)).findings).toEqual([]);
  });
});

describe("artifact files that are not read", () => {
  async function checkFiles(files: (directory: string) => void, changes: Partial<Manifest> = {}) {
    const directory = writtenSnapshot();
    files(directory);
    const findings = new FindingList();
    await checkArtifactFiles(new SnapshotDirectory(directory), { ...manifest, ...changes }, findings);
    return findings.all;
  }

  it("have no finding if all exist with the stated size", async () => {
    expect(await checkFiles(() => undefined)).toEqual([]);
  });

  it("have a finding for a missing file, and one that is not a regular file", async () => {
    const findings = await checkFiles((directory) => {
      rmSync(join(directory, "partition-00000.json"));
      rmSync(join(directory, "partition-00001.json"));
      mkdirSync(join(directory, "partition-00001.json"));
    });
    expect(findings.map(({ kind }) => kind)).toEqual(["artifact-missing", "artifact-unreadable"]);
  });

  it("have a finding for another total size", async () => {
    const findings = await checkFiles((directory) =>
      writeFileSync(join(directory, "partition-00000.json"), "[]"),
    );
    expect(findings).toMatchObject([
      { kind: "totals", problem: expect.stringMatching(/^it states \d+ bytes, but/) },
    ]);
  });
});
