import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assembleFrom } from "../app/run.ts";
import { makeTemporaryDirectory, removeDirectory } from "../helpers/temporary.ts";
import { withCluster } from "../testnet/cluster/small-cluster.ts";
import { commandLine } from "./command-line.ts";

const out = makeTemporaryDirectory();
let snapshot: string;
beforeAll(async () => {
  snapshot = await withCluster({}, async (cluster) => (await assembleFrom(cluster, { out })).directory);
});
afterAll(() => removeDirectory(out));

const verify = (...args: string[]) => commandLine(["verify", "--json", ...args]);

describe("verify --subset", () => {
  it("n/t reads the n-th of t parts, and all parts together are the snapshot", async () => {
    const parts = await Promise.all(
      ["1/4", "2/4", "3/4", "4/4"].map((part) => verify("--subset", part, snapshot)),
    );
    expect(parts.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    const summaries = parts.map(({ summary }) => summary());
    expect(summaries.map(({ partitions }) => partitions)).toEqual(
      [2, 2, 1, 1].map((checked) => ({ total: 6, checked, verified: checked })),
    );
    expect(summaries.reduce((sum, { accounts }) => sum + Number(accounts), 0)).toBe(104);
    const again = (await verify("--subset", "2/4", snapshot)).summary();
    expect(again).toEqual(summaries[1]);
  });

  it("x% reads a random share, and reads the same share again with its seed", async () => {
    const first = (await verify("--subset", "50%", snapshot)).summary();
    expect(first).toMatchObject({ ok: true, partitions: { total: 6, checked: 3, verified: 3 } });
    const { seed } = first["subset"] as { seed: number };
    const again = await verify("--subset", "50%", "--seed", String(seed), snapshot);
    expect(again.summary()).toEqual(first);
    const told = await commandLine(["verify", "--subset", "50%", "--seed", String(seed), snapshot]);
    expect(told.stdout.split("\n")[0]).toContain(`3 of 6 artifacts read (50% at random, seed ${seed})`);
  });

  it("x% states its seed with --quiet too, in JSON or if the check fails", async () => {
    const quiet = ["verify", "--quiet", "--subset", "50%"];
    expect(await commandLine([...quiet, snapshot])).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const { status, stderr, objects, summary } = await commandLine([...quiet, "--json", snapshot]);
    expect({ status, stderr, lines: objects().length }).toEqual({ status: 0, stderr: "", lines: 1 });
    const { seed } = summary()["subset"] as { seed: number };
    const again = await commandLine([...quiet, "--json", "--seed", String(seed), snapshot]);
    expect(again.summary()).toEqual(summary());
    const wrong = await commandLine([...quiet, "--require", "proved", snapshot]);
    expect(wrong).toMatchObject({ status: 8, stdout: "" });
    expect(wrong.stderr).toMatch(/3 of 6 artifacts read \(50% at random, seed \d+\)/);
  });

  it("x% reads every artifact over several seeds", async () => {
    const bytes = new Set<unknown>();
    for (let seed = 0; seed < 40; seed++) {
      const { summary } = await verify("--subset", "1%", "--seed", String(seed), snapshot);
      expect(summary()).toMatchObject({ partitions: { checked: 1 } });
      bytes.add(summary()["bytes"]);
    }
    expect(bytes.size).toBeGreaterThan(3);
  });

  it("fails for a part without an artifact", async () => {
    const said = await commandLine(["verify", "--subset", "7/7", snapshot]);
    expect(said).toMatchObject({ status: 2, stdout: "" });
    expect(said.stderr).toContain("part 7 of 7 contains no artifact: the snapshot has 6 artifacts");
  });

  it("states which artifacts were read if the check fails", async () => {
    const said = await commandLine(["verify", "--subset", "1/3", "--require", "proved", snapshot]);
    expect(said.stderr).toContain("2 of 6 artifacts read (part 1 of 3)");
  });

  it.each(["0/3", "4/3", "1/0", "0%", "101%", "10", "1", "x%", "1/3%", "-1/3"])(
    "refuses %s",
    async (share) => {
      expect(await commandLine(["verify", `--subset=${share}`, snapshot])).toMatchObject({
        status: 2,
        stdout: "",
      });
    },
  );

  it.each([
    { id: "alone", args: ["--seed", "7"] },
    { id: "with a part", args: ["--seed", "7", "--subset", "1/3"] },
  ])("--seed is refused $id", async ({ args }) => {
    const said = await commandLine(["verify", ...args, snapshot]);
    expect(said).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("--seed is given without --subset x%"),
    });
  });
});

describe("the first line of verify is its verdict", () => {
  it("for a snapshot that nothing proves", async () => {
    const { stdout } = await commandLine(["verify", snapshot]);
    expect(stdout.split("\n")[0]).toMatch(
      /^verified +no problem found; every artifact has its hash; not proved: the node list/,
    );
  });

  it("for a wrong snapshot, before the findings", async () => {
    const { stderr } = await commandLine(["verify", "--require", "proved", snapshot]);
    expect(stderr.split("\n")[0]).toMatch(/^error: .* is consistent, but not proved \(\d findings?\)$/);
  });
});

describe("verify of a path without a snapshot names what it found", () => {
  const directory = makeTemporaryDirectory();
  mkdirSync(join(directory, "empty"));
  writeFileSync(join(directory, "file"), "");
  afterAll(() => removeDirectory(directory));
  it.each([
    { id: "nothing", path: join(directory, "none"), says: /none does not exist$/m },
    {
      id: "nothing in nothing",
      path: join(directory, "no", "such", "path"),
      says: /path does not exist: there is no directory .*no$/m,
    },
    { id: "a file", path: join(directory, "file"), says: /file is a file, not a snapshot$/m },
    {
      id: "nothing below a file",
      path: join(directory, "file", "x"),
      says: /a part of the path is a file$/m,
    },
    {
      id: "an empty directory",
      path: join(directory, "empty"),
      says: /is not a snapshot: it has no export-manifest/,
    },
    { id: "a directory of snapshots", path: out, says: /is not a snapshot, but contains 1 snapshot$/m },
  ])("$id", async ({ path, says }) => {
    const said = await commandLine(["verify", path]);
    expect(said).toMatchObject({ status: 10, stdout: "" });
    expect(said.stderr).toMatch(says);
    if (path === out) expect(said.stderr).toContain(`such as ${snapshot}.`);
  });
});

it.each([
  { words: ["verify", "/nowhere"] },
  { words: ["plan", "--archiver", "localhost"] },
  { words: ["nodes", "--hash-db", "/nowhere/x.sqlite"] },
  { words: ["collect"] },
])("a failure in JSON has every field of a success: $words", async ({ words }) => {
  const { emptySummaries } = await import("../../src/cli/outcome.ts");
  const summary = (await commandLine([...words, "--json"])).summary();
  expect(summary).toMatchObject({ type: "summary", ok: false, ...emptySummaries[words[0] ?? ""] });
  if (words[0] !== "verify") return;
  const fields = Object.keys((await verify(snapshot)).summary());
  expect(Object.keys(summary).sort()).toEqual([...fields, "error"].sort());
});
