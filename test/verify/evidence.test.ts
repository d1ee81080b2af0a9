import { cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assemble } from "../../src/app/assemble.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import { TX_LIST_FILE } from "../../src/format/evidence/tx-list.ts";
import { startCluster } from "../../src/testnet/cluster/cluster.ts";
import { loadFixture } from "../../src/testnet/cluster/fixture.ts";
import { Random } from "../../src/testnet/state/random.ts";
import type { Findings } from "../../src/verify/findings/findings.ts";
import { makeTemporaryDirectory, removeDirectory } from "../helpers/temporary.ts";
import { DamagedCopy } from "./damaged-copy.ts";

describe("a published snapshot, checked offline", () => {
  let scratch: string;
  let published: string;
  let another: string;
  let files: string[];
  let copy: DamagedCopy;

  beforeAll(async () => {
    scratch = makeTemporaryDirectory();
    published = await publish("changed-data", join(scratch, "one"));
    another = await publish("one-hundred-honest", join(scratch, "two"));
    files = await filesOf(published);
    copy = new DamagedCopy(published, join(scratch, "damaged", basename(published)));
  });
  afterAll(() => removeDirectory(scratch));

  const damaged = async (damage: (directory: string) => Promise<void>) => {
    try {
      await damage(copy.directory);
      return await verifySnapshot(copy.directory);
    } finally {
      copy.restore();
    }
  };

  it("is valid with all votes", async () => {
    const findings = await verifySnapshot(published);
    expect(findings.findings).toEqual([]);
    expect(findings).toMatchObject({
      ok: true,
      chain: "told",
      nodeList: { source: "evidence", nodes: 9 },
    });
    expect(findings.votes).toHaveLength(10);
    for (const { votesFor, outOf } of findings.votes) expect(votesFor * 2).toBeGreaterThan(outOf);
  });

  it("has a finding for every file with one byte changed", async () => {
    const random = Random.named("one byte");
    for (const file of files) {
      const bytes = await readFile(join(published, file));
      for (const at of [0, random.below(bytes.length), random.below(bytes.length), bytes.length - 1]) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
        const findings = await damaged((directory) => writeFile(join(directory, file), changed));
        expect(filesNamed(findings), `${file}, byte ${at}`).toContain(file);
      }
    }
  });

  it("has a finding for every missing file", async () => {
    for (const file of files.filter((name) => name !== "export-manifest.json")) {
      const findings = await damaged((directory) => rm(join(directory, file)));
      expect(filesNamed(findings), file).toContain(file);
    }
  });

  it("has findings for swapped files", async () => {
    const random = Random.named("swapped");
    for (const file of files) {
      const other = files.filter((name) => name !== file)[random.below(files.length - 1)] ?? "";
      const findings = await damaged((directory) => swap(join(directory, file), join(directory, other)));
      // Without these two files, the others cannot be checked.
      const root = ["export-manifest.json", "export-data.jsonl"].find((name) => [file, other].includes(name));
      expect(filesNamed(findings), `${file} and ${other}`).toContain(root ?? file);
    }
  });

  it("has findings for files of another snapshot", async () => {
    for (const file of files) {
      // Both networks have the same list of transactions.
      if (file === TX_LIST_FILE) continue;
      const findings = await damaged((directory) => cp(join(another, file), join(directory, file)));
      expect(filesNamed(findings), file).toContain(file);
    }
  });

  it("has findings for two swapped partitions, although the network hash is the same", async () => {
    const findings = await damaged(async (directory) => {
      await swap(join(directory, "partition-00003.json"), join(directory, "partition-00004.json"));
      const path = join(directory, "export-data.jsonl");
      const text = await readFile(path, "utf8");
      const hashOf = (key: string) => new RegExp(`\\["${key}","(\\w+)"\\]`).exec(text)?.[1] ?? "";
      const [a, b] = [hashOf("partition\\.3"), hashOf("partition\\.4")];
      await writeFile(path, text.replace(a, "?").replace(b, a).replace("?", b));
    });
    const kinds = findings.findings.map(({ kind }) => kind);
    expect(kinds).toContain("artifact-hash");
    expect(kinds).toContain("no-agreement");
    expect(kinds).not.toContain("network-hash");
  });

  it("has the votes of the auditor's nodes counted if the auditor gives a list", async () => {
    const mine = join(published, "evidence/node-list.json");
    expect(await verifySnapshot(published, { trustNodeList: mine })).toMatchObject({
      ok: true,
      nodeList: { source: "auditor" },
    });
    const strangers = await publish("quarrelling-gossip", join(scratch, "three"));
    const theirs = join(strangers, "evidence/node-list.json");
    const kinds = (await verifySnapshot(published, { trustNodeList: theirs })).findings.map(
      ({ kind }) => kind,
    );
    expect(kinds).toContain("node-list");
    expect(kinds).toContain("no-agreement");
  });

  it("has findings for removed votes and for partitions without a quorum", async () => {
    const findings = await damaged(async (directory) => {
      const path = join(directory, "evidence/gossip.jsonl");
      const lines = (await readFile(path, "utf8")).split("\n");
      await writeFile(path, lines.slice(5).join("\n"));
    });
    const problems = findings.findings.filter(({ kind }) => kind === "no-agreement");
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]?.problem).toMatch(/has \d votes for its hash and \d against, of \d/);
  });

  it("has different artifacts read by different seeds", async () => {
    const shares = await Promise.all(
      [0, 1, 2].map((first) => verifySnapshot(published, { subset: { oneIn: 3, first } })),
    );
    expect(shares.map(({ partitions }) => partitions.checked)).toEqual([4, 3, 3]);
    const { accounts } = await verifySnapshot(published);
    expect(shares.reduce((sum, share) => sum + share.accounts, 0)).toBe(accounts);
  });
});

function filesNamed({ findings }: Findings): string[] {
  return findings.map(({ file }) => file);
}

async function swap(one: string, other: string): Promise<void> {
  await rename(one, `${one}.aside`);
  await rename(other, one);
  await rename(`${one}.aside`, other);
}

async function publish(fixture: string, out: string): Promise<string> {
  const cluster = await startCluster(await loadFixture(fixture));
  try {
    const { archiverUrl: archiver, snapshotTimestamp: timestamp } = cluster;
    return (await assemble({ archiver, timestamp, out })).directory;
  } finally {
    await cluster.stop();
  }
}

async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found = entries.filter((entry) => entry.isFile());
  return found.map((entry) => relative(directory, join(entry.parentPath, entry.name))).sort();
}
