/** Forged snapshots: every false statement in the small files is a finding, and none causes an error. */

import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifySnapshot } from "../../src/app/verify.ts";
import { exportDataText } from "../../src/format/export-data.ts";
import { type Manifest, makeManifest, manifestText } from "../../src/format/manifest.ts";
import { type FileHashes, runRecordText } from "../../src/format/run-record.ts";
import { DEFAULT_HASH_KEY, hashText } from "../../src/protocol/crypto/hash.ts";
import { networkHash } from "../../src/protocol/partition-hash.ts";
import { startCluster } from "../../src/testnet/cluster/cluster.ts";
import type { Finding, Findings } from "../../src/verify/findings/findings.ts";
import { assembleFrom, filesIn } from "../app/run.ts";
import { asHashes } from "../helpers/brands.ts";
import { seeded } from "../helpers/seeded.ts";
import { makeTemporaryDirectory, removeDirectory } from "../helpers/temporary.ts";
import { smallFixture } from "../testnet/cluster/small-cluster.ts";
import { faultOfMessage, hostileText } from "../wire/hostile-text.ts";
import { DamagedCopy } from "./damaged-copy.ts";

const manifestFile = "export-manifest.json";
const exportFile = "export-data.jsonl";
const scratch = makeTemporaryDirectory();
let original: string;
let manifest: Manifest;
let exportText: string;
let copy: DamagedCopy;

beforeAll(async () => {
  const cluster = await startCluster(smallFixture());
  try {
    ({ directory: original } = await assembleFrom(cluster, { out: scratch }));
  } finally {
    await cluster.stop();
  }
  manifest = JSON.parse(readFileSync(join(original, manifestFile), "utf8")) as Manifest;
  exportText = readFileSync(join(original, exportFile), "utf8");
  copy = new DamagedCopy(original, join(scratch, "copy"));
});
afterAll(() => removeDirectory(scratch));

/** The findings about a changed copy of the snapshot, after a check that they are printable. */
async function findingsAfter(change: (directory: string) => void): Promise<readonly Finding[]> {
  let verified: Findings;
  try {
    change(copy.directory);
    verified = await verifySnapshot(copy.directory);
  } finally {
    copy.restore();
  }
  const { ok, findings } = verified;
  expect(ok).toBe(findings.length === 0);
  for (const { kind, file, problem } of findings) {
    if (file !== exportFile && kind !== "artifact-hash")
      expect(faultOfMessage(problem), problem.slice(0, 200)).toBeUndefined();
  }
  return findings;
}

const kindsOf = (findings: readonly Finding[]) => new Set(findings.map(({ kind }) => kind));

describe("a manifest", () => {
  const withManifest = (text: string) =>
    findingsAfter((directory) => writeFileSync(join(directory, manifestFile), text));
  const changed = (change: (of: Manifest) => unknown) =>
    JSON.stringify(change(structuredClone(manifest)), null, 2);

  const withFileOfPartition0 = (file: unknown) =>
    changed((of) => ({
      ...of,
      artifacts: of.artifacts.map((entry) => (entry[0] === "partition.0" ? [entry[0], file] : entry)),
    }));

  it.each([
    "../partition-00000.json",
    "../../etc/passwd",
    "/etc/passwd",
    "evidence/gossip.jsonl",
    "./partition-00000.json",
    "..",
    ".",
    "",
    ".hidden",
    "a\\b",
    "partition-00000.json\u0000",
    "partition-00000.json\n",
    "%2e%2e",
    "x".repeat(300),
    hostileText,
    null,
    7,
    ["partition-00000.json"],
  ])("with a path as file name is rejected: %j", async (file) => {
    const findings = await withManifest(withFileOfPartition0(file));
    expect(findings).toEqual([expect.objectContaining({ kind: "manifest", file: manifestFile })]);
  });

  it.each([
    { id: "is empty", text: () => "" },
    { id: "is not JSON", text: () => "{" },
    { id: "is null", text: () => "null" },
    { id: "is a list", text: () => "[]" },
    { id: "is hostile text", text: () => hostileText },
    { id: "is nested too deeply", text: () => "[".repeat(100_000) },
    { id: "has another key", text: () => changed((of) => ({ ...of, more: 1 })) },
    {
      id: "has another key in its snapshot",
      text: () => changed((of) => ({ ...of, snapshot: { ...of.snapshot, more: 1 } })),
    },
    { id: "lacks a key", text: () => changed(({ blockHeight: _, ...of }) => of) },
    { id: "is of another mode", text: () => changed((of) => ({ ...of, artifactMode: "debug" })) },
    { id: "has other export data", text: () => changed((of) => ({ ...of, data: "run.json" })) },
    {
      id: "has its artifacts in another order",
      text: () => changed((of) => ({ ...of, artifacts: [...of.artifacts].reverse() })),
    },
    {
      id: "lacks an artifact",
      text: () => changed((of) => ({ ...of, artifacts: of.artifacts.slice(0, -1) })),
    },
    {
      id: "has an additional artifact",
      text: () =>
        changed((of) => ({ ...of, artifacts: [...of.artifacts, ["partition.5", "partition-00005.json"]] })),
    },
    {
      id: "has a duplicate artifact",
      text: () =>
        changed((of) => ({ ...of, artifacts: of.artifacts.map(([key]) => [key, "partition-00000.json"]) })),
    },
    {
      id: "is of another version",
      text: () => changed((of) => ({ ...of, snapshot: { ...of.snapshot, formatVersion: 2 } })),
    },
    {
      id: "has no partitions",
      text: () => changed((of) => ({ ...of, snapshot: { ...of.snapshot, numPartitions: 0 } })),
    },
    {
      id: "has a billion partitions",
      text: () => changed((of) => ({ ...of, snapshot: { ...of.snapshot, numPartitions: 1e9 } })),
    },
  ])("that $id is rejected", async ({ text }) => {
    const findings = await withManifest(text());
    expect(findings).toEqual([expect.objectContaining({ kind: "manifest", file: manifestFile })]);
  });

  it.each([
    { id: "cycle", kind: "export-data", change: (of: Manifest) => ({ ...of, blockHeight: 9 }) },
    {
      id: "timestamp",
      kind: "export-data",
      change: (of: Manifest) => ({ ...of, snapshot: { ...of.snapshot, timestamp: 5 } }),
    },
    {
      id: "network hash",
      kind: "network-hash",
      change: (of: Manifest) => ({ ...of, snapshot: { ...of.snapshot, networkHash: "0".repeat(64) } }),
    },
    {
      id: "digest",
      kind: "digest",
      change: (of: Manifest) => ({ ...of, snapshot: { ...of.snapshot, digest: "0".repeat(64) } }),
    },
    {
      id: "number of accounts",
      kind: "totals",
      change: (of: Manifest) => ({ ...of, snapshot: { ...of.snapshot, accounts: 103 } }),
    },
    {
      id: "number of bytes",
      kind: "totals",
      change: (of: Manifest) => ({ ...of, snapshot: { ...of.snapshot, bytes: 1 } }),
    },
  ] as const)("with another $id contradicts the rest", async ({ kind, change }) => {
    expect(kindsOf(await withManifest(changed(change)))).toContain(kind);
  });

  it("that is missing fails with the code no-such-snapshot", async () => {
    const nowhere = join(scratch, "nowhere");
    await expect(verifySnapshot(nowhere)).rejects.toMatchObject({ code: "no-such-snapshot" });
    await expect(verifySnapshot(join(original, manifestFile))).rejects.toMatchObject({
      code: "no-such-snapshot",
    });
  });
});

describe("export data", () => {
  const withLines = (change: (lines: string[]) => string[]) =>
    findingsAfter((directory) => {
      const text = change(exportText.split("\n").slice(0, -1)).map((line) => `${line}\n`);
      writeFileSync(join(directory, exportFile), text.join(""));
    });

  it.each([
    {
      id: "in another order",
      change: (lines: string[]) => [...lines].reverse(),
      says: "does not come after",
    },
    {
      id: "with a duplicate line",
      change: (lines: string[]) => lines.flatMap((line, index) => (index === 4 ? [line, line] : [line])),
      says: "does not come after",
    },
    {
      id: "with another key",
      change: (lines: string[]) => [...lines, '["zzz","1"]'],
      says: "zzz: unknown key",
    },
    {
      id: "with an additional partition",
      change: (lines: string[]) => [
        ...lines.slice(0, -2),
        `["partition.5","${"a".repeat(64)}"]`,
        ...lines.slice(-2),
      ],
      says: "partition.5: unknown key",
    },
    {
      id: "without a partition",
      change: (lines: string[]) => lines.filter((line) => !line.includes("partition.2")),
      says: "partition.2: expected 64 lower-case hex digits, got nothing",
    },
    {
      id: "without a hash key",
      change: (lines: string[]) => lines.filter((line) => !line.includes("hash.key")),
      says: "hash.key: expected",
    },
    {
      id: "with a number as value",
      change: (lines: string[]) => lines.map((line) => line.replace('"1"', "1")),
      says: 'expected ["key","value"]',
    },
    {
      id: "with white space in a line",
      change: (lines: string[]) => lines.map((line) => line.replace('on","', 'on", "')),
      says: 'expected ["key","value"]',
    },
    {
      id: "with three values in a line",
      change: (lines: string[]) => [...lines, '["a","b","c"]'],
      says: 'expected ["key","value"]',
    },
    {
      id: "with an empty line",
      change: (lines: string[]) => [...lines, ""],
      says: 'expected ["key","value"]',
    },
    {
      id: "with a hostile line",
      change: (lines: string[]) => [...lines, hostileText.slice(0, 1_000).replaceAll("\n", "")],
      says: 'expected ["key","value"]',
    },
    {
      id: "of another format",
      change: (lines: string[]) => lines.map((line) => line.replace('version","1"', 'version","2"')),
      says: "format.version: ",
    },
  ])("$id is a finding, and so is its digest", async ({ change, says }) => {
    const findings = await withLines(change);
    const problems = findings.filter(({ file }) => file === exportFile).map(({ problem }) => problem);
    expect(problems.join("\n")).toContain(says);
    if (!says.startsWith("hash.key")) expect(kindsOf(findings)).toContain("digest");
  });

  it("with two swapped hashes contradicts both artifacts, the votes and the digest", async () => {
    const hash = (partition: number) =>
      new RegExp(`partition\\.${partition}","(\\w+)"`).exec(exportText)?.[1] ?? "";
    const findings = await findingsAfter((directory) => {
      const text = exportText.replace(hash(1), "?").replace(hash(2), hash(1)).replace("?", hash(2));
      writeFileSync(join(directory, exportFile), text);
    });
    const ofArtifacts = findings.filter(({ kind }) => kind === "artifact-hash");
    expect(ofArtifacts.map(({ partition }) => partition)).toEqual([1, 2]);
    expect([...kindsOf(findings)]).toEqual(expect.arrayContaining(["digest", "no-agreement"]));
    expect(kindsOf(findings)).not.toContain("network-hash");
  });

  it("that is a directory or missing is a finding", async () => {
    const findings = await findingsAfter((directory) => {
      rmSync(join(directory, exportFile));
      mkdirSync(join(directory, exportFile));
    });
    expect(findings.map(({ file }) => file)).toContain(exportFile);
  });
});

describe("the findings", () => {
  it("include all files that are wrong", async () => {
    const findings = await findingsAfter((directory) => {
      writeFileSync(join(directory, "partition-00001.json"), "[]");
      rmSync(join(directory, "partition-00003.json"));
      rmSync(join(directory, "partition-00004.json"));
      mkdirSync(join(directory, "partition-00004.json"));
      rmSync(join(directory, "evidence/cycles.json"));
      writeFileSync(join(directory, "evidence/node-list.json"), hostileText);
      writeFileSync(join(directory, "run.json"), "{}");
    });
    const found = findings.map(({ kind, file }) => `${kind} ${file}`);
    expect(found).toEqual(
      expect.arrayContaining([
        "artifact-hash partition-00001.json",
        "artifact-missing partition-00003.json",
        "artifact-unreadable partition-00004.json",
        "chain evidence/cycles.json",
        "node-list evidence/node-list.json",
        "run-record run.json",
      ]),
    );
  });

  it("include an artifact that is a dangling link", async () => {
    const findings = await findingsAfter((directory) => {
      rmSync(join(directory, "partition-00000.json"));
      symlinkSync("/nowhere/at/all", join(directory, "partition-00000.json"));
    });
    expect(findings).toEqual([expect.objectContaining({ kind: "artifact-unreadable", partition: 0 })]);
  });
});

describe("a forged account with all dependent hashes", () => {
  const hashesOf = () => {
    const entries = exportText
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as [string, string]);
    const partitions = entries.filter(([key]) => key.startsWith("partition."));
    return new Map(partitions.map(([key, hash]): [number, string] => [Number(key.slice(10)), hash]));
  };

  it("contradicts the votes, which cannot be forged, and the chain", async () => {
    const findings = await findingsAfter((directory) => {
      const artifact = join(directory, "partition-00002.json");
      const forged = readFileSync(artifact, "utf8").replace(/"timestamp":(\d)/, '"timestamp":9');
      writeFileSync(artifact, forged);
      const partitionHashes = asHashes(hashesOf().set(2, hashText(forged)));
      const { timestamp, accounts, bytes } = manifest.snapshot;
      const data = {
        timestamp,
        cycle: manifest.blockHeight,
        hashKey: DEFAULT_HASH_KEY,
        networkHash: networkHash(partitionHashes),
        partitionHashes,
      };
      const text = manifestText(makeManifest(data, { accounts, bytes }, "none"));
      writeFileSync(join(directory, manifestFile), text);
      writeFileSync(join(directory, exportFile), exportDataText(data));
      const {
        files,
        hash: _,
        ...run
      } = JSON.parse(readFileSync(join(directory, "run.json"), "utf8")) as {
        files: FileHashes;
        hash: string;
      };
      const hashes = {
        ...files,
        [manifestFile]: hashText(text),
        [exportFile]: hashText(exportDataText(data)),
      };
      writeFileSync(join(directory, "run.json"), runRecordText(run, hashes, DEFAULT_HASH_KEY));
    });
    expect(findings.map(({ kind, file }) => `${kind} ${file}`)).toEqual([
      "network-hash evidence/cycles.json",
      "no-agreement evidence/gossip.jsonl",
    ]);
    expect(findings[1]?.problem).toBe("partition 2 has 0 votes for its hash and 3 against, of 3");
  });
});

it("random content of the small files causes findings and no errors", async () => {
  const small = [...filesIn(original).keys()].filter((file) => !file.startsWith("partition-"));
  const damage = fc.oneof(
    fc.record({ kind: fc.constant("bytes" as const), bytes: fc.uint8Array({ maxLength: 100 }) }),
    fc.record({ kind: fc.constant("json" as const), value: fc.jsonValue() }),
    fc.record({ kind: fc.constant("cut" as const), share: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
    fc.record({
      kind: fc.constant("value" as const),
      place: fc.nat(),
      value: fc.constantFrom("null", "-1", "1e999", '""', "[]", "{}", '{"__proto__":1}', '"\\u0000"'),
    }),
  );
  const property = fc.asyncProperty(fc.constantFrom(...small), damage, async (file, how) => {
    const before = readFileSync(join(original, file));
    const damaged = damagedBytes(before, how);
    fc.pre(!damaged.equals(before));
    const findings = await findingsAfter((directory) => writeFileSync(join(directory, file), damaged));
    expect(findings.map((finding) => finding.file)).toContain(file);
  });
  await fc.assert(property, seeded(150));

  type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;
  function damagedBytes(before: Buffer, how: Damage): Buffer {
    switch (how.kind) {
      case "bytes":
        return Buffer.from(how.bytes);
      case "json":
        return Buffer.from(JSON.stringify(how.value));
      case "cut":
        return before.subarray(0, Math.floor(how.share * before.length));
      case "value": {
        const text = before.toString("utf8");
        const values = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+/g)];
        const { index = 0, 0: value = "" } = values[how.place % values.length] ?? {};
        return Buffer.from(text.slice(0, index) + how.value + text.slice(index + value.length));
      }
    }
  }
});
