/** The commands around the hash database: `nodes`, `collect`, `--hash-db`. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { asCycle } from "../../src/protocol/brands.ts";
import { HashDatabase } from "../../src/store/hash-database/hash-database.ts";
import { inDatabase } from "../collect/running-collector.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { until } from "../helpers/until.ts";
import { withCluster } from "../testnet/cluster/small-cluster.ts";
import { commandLine } from "./command-line.ts";

describe("the nodes command", () => {
  it("prints the record of each node, as a table and as JSON with its evidence", async () => {
    const directory = temporaryDirectory();
    const db = join(directory, "hashes.sqlite");
    await withCluster({ faults: ["0:corrupt-data=1"] }, async ({ archiverUrl, nodes }) => {
      const args = [
        "--archiver",
        archiverUrl,
        "--timestamp",
        "latest",
        "--out",
        directory,
        "--hash-db",
        db,
        "--quiet",
      ];
      expect((await commandLine(args)).status).toBe(0);
      const table = await commandLine(["nodes", "--hash-db", db]);
      expect(table).toMatchObject({ status: 0, stderr: "" });
      const [head, first, ...others] = table.stdout.trimEnd().split("\n");
      expect(head).toMatch(/^node +messages +last cycle +offences +signed +last offence +kinds$/);
      expect(first).toMatch(new RegExp(`^${nodes[0]?.id} +1 +8 +1 +1 +\\S+Z +contradicts-own-vote$`));
      expect(others).toHaveLength(4);
      const { nodes: records } = (await commandLine(["nodes", "--hash-db", db, "--json"])).summary();
      expect((records as object[])[0]).toMatchObject({
        node: nodes[0]?.id,
        messages: 1,
        offences: [{ kind: "contradicts-own-vote", evidence: { messages: [{ sender: nodes[0]?.id }] } }],
      });
    });
  });

  it("fails if the database does not exist", async () => {
    const said = await commandLine([
      "nodes",
      "--hash-db",
      join(temporaryDirectory(), "none.sqlite"),
      "--json",
    ]);
    expect(said.status).toBe(2);
    expect(said.summary()).toMatchObject({
      type: "summary",
      ok: false,
      exitCode: 2,
      error: { code: "configuration" },
    });
  });
});

describe("a command that only reads a hash database", () => {
  const readers = [
    { command: "nodes", args: ["nodes"] },
    { command: "plan", args: ["plan"] },
  ];

  it.each(readers)("does not change the file: $command", async ({ args }) => {
    const db = join(temporaryDirectory(), "hashes % of?a#week.sqlite");
    HashDatabase.open(db).close();
    const before = readFileSync(db);
    await withCluster({}, async ({ archiverUrl }) => {
      const network = args[0] === "plan" ? ["--archiver", archiverUrl] : [];
      chmodSync(db, 0o400);
      expect(await commandLine([...args, ...network, "--hash-db", db])).toMatchObject({ status: 0 });
    });
    expect(readFileSync(db).equals(before)).toBe(true);
    expect(statSync(db).mode & 0o777).toBe(0o400);
  });

  it.each(readers)("refuses an empty file, and leaves it empty: $command", async ({ args }) => {
    const directory = temporaryDirectory();
    const db = join(directory, "hashes.sqlite");
    writeFileSync(db, "");
    await withCluster({}, async ({ archiverUrl }) => {
      const network = args[0] === "plan" ? ["--archiver", archiverUrl] : [];
      const said = await commandLine([...args, ...network, "--hash-db", db]);
      expect(said).toMatchObject({ status: 2, stdout: "" });
      expect(said.stderr).toContain(`${db} is an empty file, not a hash database`);
    });
    expect(statSync(db).size).toBe(0);
    expect(readdirSync(directory)).toEqual(["hashes.sqlite"]);
  });
});

describe("a file that is not a hash database", () => {
  const files = [
    { id: "a file of text", content: "not SQLite, but longer than a header of a hundred bytes".repeat(4) },
    { id: "a directory", content: undefined },
  ];

  it.each(files)("has a hint that fits a command that reads: $id", async ({ content }) => {
    const db = join(temporaryDirectory(), "other");
    if (content === undefined) mkdirSync(db);
    else writeFileSync(db, content);
    const { stderr } = await commandLine(["nodes", "--hash-db", db]);
    expect(stderr).toContain(
      "\nhint: Give the file that collect, or a run with --hash-db <file>, has written.",
    );
  });

  it.each(files)("has a hint that fits a command that writes: $id", async ({ content }) => {
    const db = join(temporaryDirectory(), "other");
    if (content === undefined) mkdirSync(db);
    else writeFileSync(db, content);
    const args = ["collect", "--nodes", "n", "--cycles", "c", "--listen", "127.0.0.1:0", "--hash-db", db];
    expect((await commandLine(args)).stderr).toContain("\nhint: Give a file that does not exist yet, or one");
  });
});

describe("the collect command", () => {
  it.each([
    { id: "without a network", args: [], says: "missing the network to read from" },
    { id: "with no port", args: ["--listen", "127.0.0.1"], says: "expected host:port" },
    { id: "with an invalid port", args: ["--listen", "127.0.0.1:70000"], says: "expected host:port" },
    { id: "with nothing to keep", args: ["--keep", "0"], says: "from 1 to" },
    { id: "with an invalid age", args: ["--keep", "0d"], says: "an age such as" },
    { id: "with an invalid poll interval", args: ["--poll", "soon"], says: "expected a duration" },
  ])("$id is a usage error", async ({ args, says }) => {
    const said = await commandLine(["collect", ...args]);
    expect(said).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining(says) });
  });

  it("prints its events as JSON lines, and ends with a summary and status 0", async () => {
    const db = join(temporaryDirectory(), "hashes.sqlite");
    await withCluster({}, async ({ archiverUrl, networkHash }) => {
      const ending = new AbortController();
      // The message of the last node can come after the agreement.
      const hasAll = () => inDatabase(db, (database) => database.messageCount(asCycle(8)) === 5);
      const onStdout = (text: string) => {
        if (text.includes('"agreed"')) void until(hasAll).finally(() => ending.abort());
      };
      const args = [
        "collect",
        "--archiver",
        archiverUrl,
        "--listen",
        "127.0.0.1:0",
        "--hash-db",
        db,
        "--keep",
        "7d",
        "--json",
      ];
      const said = await commandLine(args, { signal: ending.signal, onStdout });
      expect(said.status).toBe(0);
      expect(said.objects()).toContainEqual({
        type: "listening",
        url: expect.stringMatching(/^http:\/\/127/),
      });
      expect(said.objects()).toContainEqual(
        expect.objectContaining({ type: "agreed", cycle: 8, networkHash }),
      );
      expect(said.summary()).toMatchObject({
        type: "summary",
        ok: true,
        exitCode: 0,
        messages: 5,
        lastError: null,
      });
    });
  });
});
