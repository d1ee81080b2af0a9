import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXPORT_DATA_FILE, exportDataText } from "../../../src/format/export-data.ts";
import { manifestText } from "../../../src/format/manifest.ts";
import { RUN_FILE, runRecordText } from "../../../src/format/run-record.ts";
import { otherEvidenceFilesMax } from "../../../src/limits/snapshot.ts";
import { asPartition } from "../../../src/protocol/brands.ts";
import { hashText } from "../../../src/protocol/crypto/hash.ts";
import { SnapshotDirectory } from "../../../src/store/snapshot-directory.ts";
import { checkSmallFiles } from "../../../src/verify/files/small-files.ts";
import { FindingList } from "../../../src/verify/findings/finding-list.ts";
import { emptyRun } from "../../helpers/run-record.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";
import {
  exportData,
  hashes,
  hashKey,
  manifest,
  type SnapshotParts,
  writtenSnapshot,
} from "../written-snapshot.ts";

async function check(
  changes: Partial<SnapshotParts> = {},
  change: (directory: string) => void = () => undefined,
) {
  const directory = writtenSnapshot(changes);
  change(directory);
  const findings = new FindingList();
  const small = await checkSmallFiles(new SnapshotDirectory(directory), findings);
  return { small, findings: findings.all.map(({ kind, file, problem }) => `${kind} ${file}: ${problem}`) };
}

const text = exportDataText(exportData);
const zeros = "0".repeat(64);

describe("the small files of a snapshot", () => {
  it("have no findings as they are written", async () => {
    const { small, findings } = await check();
    expect(findings).toEqual([]);
    expect(small).toMatchObject({ manifest, hashKey });
    expect(small.entries.get("partition.3")).toBe(hashes.get(asPartition(3)));
    expect(Object.keys(small.files ?? {})).toContain(EXPORT_DATA_FILE);
  });

  it("are those of no snapshot without a manifest", async () => {
    const reader = new SnapshotDirectory(temporaryDirectory());
    await expect(checkSmallFiles(reader, new FindingList())).rejects.toMatchObject({
      code: "no-such-snapshot",
      message: expect.stringContaining("has no export-manifest.json"),
    });
  });

  it("are not read further if the manifest is malformed or cannot be read", async () => {
    const malformed = await check({ manifest: "{}" });
    expect(malformed.small.manifest).toBeUndefined();
    expect(malformed.findings).toEqual([expect.stringMatching(/^manifest export-manifest\.json: /)]);
    const unreadable = await check({}, (directory) => {
      rmSync(join(directory, "export-manifest.json"));
      mkdirSync(join(directory, "export-manifest.json"));
    });
    expect(unreadable.small.manifest).toBeUndefined();
    expect(unreadable.findings).toEqual([
      expect.stringMatching(/^manifest export-manifest\.json: .*regular file/),
    ]);
  });
});

describe("export data", () => {
  it.each([
    {
      id: "another digest",
      changed: text.replace(/\["hash.key","[^"]+"\]/, `["hash.key","${zeros}"]`),
      says: "digest",
    },
    { id: "an unknown key", changed: `${text}["zebra","1"]\n`, says: "zebra: unknown key" },
    {
      id: "a partition without a hash",
      changed: text.replace(hashes.get(asPartition(2)) ?? "", "none"),
      says: "partition.2: expected 64 lower-case hex digits, got none",
    },
    {
      id: "another timestamp",
      changed: text.replace(String(exportData.timestamp), "1"),
      says: `snapshot.timestamp: the manifest has ${exportData.timestamp}, the export data 1`,
    },
    {
      id: "other hashes than its network hash",
      changed: text.replace(hashes.get(asPartition(2)) ?? "", zeros),
      says: "the partition hashes give the network hash",
    },
    { id: "no hash key", changed: text.replace(/\["hash.key".*\n/, ""), says: "hash.key: expected 64" },
  ])("has a finding for $id", async ({ changed, says }) => {
    const { findings } = await check({ exportData: changed });
    expect(findings.join("\n")).toContain(says);
  });

  it("without a valid hash key leaves the other files unchecked", async () => {
    const { small } = await check({ exportData: text.replace(hashKey, "none") });
    expect(small).toMatchObject({ hashKey: undefined, files: undefined });
  });

  it("that is missing is one finding for each value", async () => {
    const { small, findings } = await check({}, (directory) => rmSync(join(directory, EXPORT_DATA_FILE)));
    expect(small.entries.size).toBe(0);
    expect(findings[0]).toMatch(/^export-data export-data\.jsonl: ENOENT/);
    expect(findings.filter((finding) => /partition\.-?\d: expected/.test(finding))).toHaveLength(6);
  });
});

describe("the files that run.json lists", () => {
  it("have a finding for another hash, and for a missing file", async () => {
    const { findings } = await check({}, (directory) => {
      writeFileSync(join(directory, "evidence/gossip.jsonl"), "");
      rmSync(join(directory, "evidence/cycles.json"));
    });
    expect(findings).toEqual([
      expect.stringMatching(/^evidence evidence\/cycles\.json: ENOENT/),
      expect.stringMatching(/^evidence evidence\/gossip\.jsonl: its hash is .* but run\.json has /),
    ]);
  });

  it("have a finding for a changed manifest", async () => {
    const { findings } = await check({}, (directory) =>
      writeFileSync(join(directory, "export-manifest.json"), manifestText(manifest).trim()),
    );
    expect(findings).toEqual([expect.stringMatching(/^manifest export-manifest\.json: its hash is /)]);
  });

  it("are unknown if the record is damaged, and then only known names are permitted", async () => {
    const { small, findings } = await check({}, (directory) => {
      writeFileSync(join(directory, RUN_FILE), "{}");
      writeFileSync(join(directory, "more.txt"), "");
    });
    expect(small.files).toBeUndefined();
    expect(findings.map((finding) => finding.split(":")[0])).toEqual([
      "run-record run.json",
      "extra-file more.txt",
    ]);
    const missing = await check({}, (directory) => rmSync(join(directory, RUN_FILE)));
    expect(missing.findings).toEqual([expect.stringMatching(/^run-record run\.json: ENOENT/)]);
  });

  it("have a finding if the record is that of another snapshot", async () => {
    const { findings } = await check({}, (directory) =>
      writeFileSync(join(directory, RUN_FILE), runRecordText(emptyRun, {}, hashKey)),
    );
    expect(findings).toContain("run-record run.json: it is the record of another snapshot");
    expect(findings.join("\n")).toMatch(/gossip\.jsonl: its hash is \w+, but run\.json has none/);
  });

  it("may include a few files of a later version, but not many", async () => {
    const withListed = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `evidence/later-${index}.json`);
      return check({}, (directory) => {
        const record = JSON.parse(String(readFileSync(join(directory, RUN_FILE)))) as {
          files: Record<string, string>;
        };
        for (const name of names) writeFileSync(join(directory, name), "later");
        const files = {
          ...record.files,
          ...Object.fromEntries(names.map((name) => [name, hashText("later")])),
        };
        writeFileSync(join(directory, RUN_FILE), runRecordText(emptyRun, files, hashKey));
      });
    };
    expect((await withListed(otherEvidenceFilesMax)).findings).toEqual([]);
    expect((await withListed(otherEvidenceFilesMax + 1)).findings).toEqual([
      `run-record run.json: it lists ${otherEvidenceFilesMax + 1} files that are not in the format`,
    ]);
  });

  it("have a finding if the evidence is not a directory", async () => {
    const { findings } = await check({}, (directory) => {
      rmSync(join(directory, "evidence"), { recursive: true });
      writeFileSync(join(directory, "evidence"), "");
    });
    expect(findings.join("\n")).toContain("evidence is not a directory");
  });
});
