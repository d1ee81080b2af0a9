import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { acquireRunLock } from "../../src/store/run-lock.ts";
import { lockPath } from "../../src/store/snapshot-place.ts";
import type { Cluster } from "../../src/testnet/cluster/cluster.ts";
import { deadUrl } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";
import { commandLine } from "./command-line.ts";
import { failureSchema, successSchema } from "./summary-schema.ts";

const expected = await published(smallFixture());

/** The usual options, replaced by those in `more`. */
function argsFor(cluster: Cluster, out: string, ...more: string[]): string[] {
  const usual = {
    "--archiver": cluster.archiverUrl,
    "--timestamp": "latest",
    "--out": out,
    "--stall-timeout": "500ms",
  };
  const missing = Object.entries(usual).filter(([name]) => !more.includes(name));
  return [...missing.flat(), ...more];
}

describe("the main job with --json", () => {
  it("ends with a summary that has exactly the documented fields", async () => {
    await withCluster({ faults: ["0:corrupt-data=1", "4:busy"] }, async (cluster) => {
      const out = temporaryDirectory();
      const said = await commandLine(argsFor(cluster, out, "--json"));
      expect(said.status).toBe(0);
      expect(said.stderr).toBe("");
      const summary = successSchema.parse(said.summary());
      expect(summary).toMatchObject({
        ...expected,
        timestamp: cluster.snapshotTimestamp,
        cycle: 8,
        directory: join(out, `snapshot-${cluster.snapshotTimestamp}`),
        partitions: { total: 6, verified: 6 },
        accounts: 104,
      });
      expect(summary.offences).toEqual([
        expect.objectContaining({ node: cluster.nodes[0]?.id, kind: "wrong-partition", partition: 1 }),
      ]);
      expect(summary.bytes.received).toBeGreaterThan(0);
      expect(summary.queries.reduce((sum, query) => sum + query.bytes, 0)).toBe(summary.bytes.received);
      const types = said.objects().map((object) => object["type"]);
      expect(types.filter((type) => type === "summary")).toHaveLength(1);
      expect(types.filter((type) => type === "query")).toHaveLength(summary.queries.length);
      // Progress is reported at intervals: a run as short as this one may have none.
      expect(new Set(types.filter((type) => type !== "progress"))).toEqual(
        // A fixture is in the past, so its snapshot is old, which is a warning.
        new Set(["stage", "warning", "query", "offence", "summary"]),
      );
    });
  });

  interface Refused {
    id: string;
    changes?: Record<string, unknown>;
    args?: (cluster: Cluster, out: string) => string[] | Promise<string[]>;
    status: number;
    code: string;
  }
  const refused: Refused[] = [
    {
      id: "an unaligned timestamp",
      args: (cluster, out) => argsFor(cluster, out, "--timestamp", "1700000001"),
      status: 2,
      code: "unaligned-timestamp",
    },
    {
      id: "a missing file",
      args: (cluster, out) => argsFor(cluster, out, "--nodes", "/nowhere/nodes.json"),
      status: 2,
      code: "configuration",
    },
    {
      id: "a lost partition",
      changes: { faults: ["1:redirect", "2:redirect", "3:redirect"] },
      status: 3,
      code: "incomplete",
    },
    {
      id: "a lie that every node serves",
      changes: { faults: ["*:corrupt-data=2"] },
      status: 4,
      code: "verification",
    },
    {
      id: "a chain that disagrees",
      changes: { faults: ["1:lie=2", "2:lie=2"] },
      status: 4,
      code: "verification",
    },
    {
      id: "an archiver with another key",
      args: (cluster, out) => argsFor(cluster, out, "--archiver-key", "00".repeat(32)),
      status: 8,
      code: "node-list",
    },
    {
      id: "a future cycle",
      args: (cluster, out) => argsFor(cluster, out, "--timestamp", "cycle:12"),
      status: 5,
      code: "temporary",
    },
    {
      id: "an unreachable archiver",
      args: async (cluster, out) => argsFor(cluster, out, "--archiver", await deadUrl()),
      status: 5,
      code: "temporary",
    },
    {
      id: "no agreed hash",
      changes: { faults: ["1:silent", "2:lie-gossip=2"] },
      status: 6,
      code: "no-agreement",
    },
    { id: "no copies", changes: { accountCopies: false }, status: 6, code: "no-agreement" },
    {
      id: "a directory below a file",
      args: (cluster, out) => argsFor(cluster, join(out, "file", "x")),
      status: 12,
      code: "disk",
    },
    {
      id: "a directory below a device",
      args: (cluster) => argsFor(cluster, "/dev/null/snapshots"),
      status: 12,
      code: "disk",
    },
  ];
  it.each(refused)(
    "ends with status $status and code $code for $id",
    async ({ changes = {}, args = argsFor, status, code }) => {
      await withCluster(changes, async (cluster) => {
        const out = temporaryDirectory();
        writeFileSync(join(out, "file"), "");
        const said = await commandLine([...(await args(cluster, out)), "--json"]);
        expect(said.status).toBe(status);
        expect(said.stderr).toBe("");
        const summary = failureSchema.parse(said.summary());
        expect(summary).toMatchObject({ exitCode: status, error: { code } });
        if (code !== "configuration") expect(summary.error.hint).not.toBe("");
        expect(readdirSync(out).filter((name) => name.startsWith("snapshot-"))).toEqual([]);
      });
    },
  );

  it("ends with status 11 if another run works on the snapshot", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const lock = await acquireRunLock(lockPath({ out, timestamp: cluster.snapshotTimestamp }));
      const said = await commandLine(argsFor(cluster, out, "--json"));
      await lock.release();
      expect(said.status).toBe(11);
      expect(failureSchema.parse(said.summary()).error).toMatchObject({
        code: "locked",
        message: expect.stringContaining(`process ${process.pid}`),
      });
    });
  });

  it("ends with the status of the signal that interrupts it", async () => {
    await withCluster({ faults: ["*:hang"] }, async (cluster) => {
      const signal = AbortSignal.timeout(300);
      const said = await commandLine(
        argsFor(cluster, temporaryDirectory(), "--json", "--stall-timeout", "60s"),
        { signal },
      );
      expect(said.status).toBe(130);
      expect(failureSchema.parse(said.summary()).error.code).toBe("interrupted");
    });
  });

  const usage: { id: string; args: string[] }[] = [
    { id: "nothing", args: [] },
    { id: "no timestamp", args: ["--archiver", "http://127.0.0.1:1"] },
    { id: "no network", args: ["--timestamp", "latest"] },
    { id: "cycles without nodes", args: ["--timestamp", "latest", "--cycles", "cycles.json"] },
    { id: "an unknown option", args: ["--timestamp", "latest", "--frobnicate"] },
    { id: "an option without its value", args: ["--timestamp"] },
    { id: "an invalid timestamp", args: ["--archiver", "http://127.0.0.1:1", "--timestamp", "soon"] },
    { id: "an archiver that is not a URL", args: ["--archiver", "localhost", "--timestamp", "latest"] },
    { id: "an archiver of another scheme", args: ["--archiver", "ftp://localhost", "--timestamp", "latest"] },
    { id: "an invalid key", args: ["--archiver-key", "abc", "--timestamp", "latest"] },
    { id: "an invalid hash key", args: ["--hash-key", "g".repeat(64), "--timestamp", "latest"] },
    { id: "a concurrency of zero", args: ["--concurrency", "0", "--timestamp", "latest"] },
    { id: "an invalid concurrency", args: ["--concurrency", "many", "--timestamp", "latest"] },
    { id: "an unknown rule", args: ["--quorum", "mine", "--timestamp", "latest"] },
    { id: "an unknown compression", args: ["--compress", "brotli", "--timestamp", "latest"] },
    { id: "an invalid timeout", args: ["--stall-timeout", "soon", "--timestamp", "latest"] },
    { id: "a group of no nodes", args: ["--nodes-per-consensus-group", "0", "--timestamp", "latest"] },
    { id: "a word that is not a command", args: ["assemble", "--timestamp", "latest"] },
    { id: "an unknown fixture", args: ["--cluster", "no-such-fixture", "--timestamp", "latest"] },
  ];
  it.each(usage)("ends with status 2 and a summary for $id", async ({ args }) => {
    const said = await commandLine([...args, "--json"]);
    expect(said.status).toBe(2);
    expect(said.objects()).toHaveLength(1);
    const summary = failureSchema.parse(said.summary());
    expect(summary).toMatchObject({
      exitCode: 2,
      partitions: { total: 0, verified: 0 },
      error: { code: "usage" },
    });
    expect(said.stderr).toBe("");
  });

  it.each(usage)("reports $id on stderr only", async ({ args }) => {
    const { status, stdout, stderr } = await commandLine(args);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
  });
});

describe("the main job without --json", () => {
  it("prints the result on stdout and the progress on stderr", async () => {
    await withCluster({ faults: ["0:corrupt-data=1"] }, async (cluster) => {
      const out = temporaryDirectory();
      const { status, stdout, stderr } = await commandLine(argsFor(cluster, out));
      expect(status).toBe(0);
      for (const part of [
        expected.networkHash,
        expected.digest,
        join(out, `snapshot-${cluster.snapshotTimestamp}`),
      ]) {
        expect(stdout).toContain(part);
      }
      expect(stdout).toContain("104 accounts");
      expect(stderr).toContain("offence: node ");
      expect(stderr).not.toContain(expected.digest);
      expect(stdout + stderr).not.toContain("\u001b");
    });
  });

  it("prints only problems with --quiet", async () => {
    await withCluster({ faults: ["0:corrupt-data=1"] }, async (cluster) => {
      const out = temporaryDirectory();
      const quiet = await commandLine(argsFor(cluster, out, "--quiet"));
      expect(quiet).toMatchObject({ status: 0, stdout: "" });
      // A fixture is in the past, so its snapshot can be old, which is a warning.
      const lines = quiet.stderr
        .trimEnd()
        .split("\n")
        .filter((line) => !line.startsWith("warning: "));
      const [offence, ...others] = lines;
      expect(offence).toMatch(/^offence: node \w{8}: wrong-partition of partition 1: /);
      expect(others).toEqual([]);
      const right = argsFor(cluster, out, "--quiet", "--timestamp", "cycle:8");
      expect(await commandLine(right)).toMatchObject({ status: 0, stdout: "", stderr: "" });
      expect(existsSync(join(out, `snapshot-${cluster.snapshotTimestamp}`))).toBe(true);
      const failed = await commandLine(argsFor(cluster, out, "--quiet", "--timestamp", "1700000001"));
      expect(failed).toMatchObject({ status: 2, stdout: "" });
      expect(failed.stderr).toContain("error: ");
    });
  });

  it("still ends with a summary with --quiet and --json", async () => {
    await withCluster({}, async (cluster) => {
      const said = await commandLine(argsFor(cluster, temporaryDirectory(), "--quiet", "--json"));
      expect(said.objects()).toHaveLength(1);
      successSchema.parse(said.summary());
    });
  });

  it.each([
    { id: "NO_COLOR", circumstances: { isTTY: true, env: { NO_COLOR: "1" } } },
    { id: "a dumb terminal", circumstances: { isTTY: true, env: { TERM: "dumb" } } },
    { id: "no terminal", circumstances: { isTTY: false } },
  ])("prints no colours with $id", async ({ circumstances }) => {
    expect((await commandLine(["--timestamp", "soon"], circumstances)).stderr).not.toContain("\u001b");
  });

  it("draws a bar on a terminal, and removes it", async () => {
    await withCluster({}, async (cluster) => {
      const { status, stderr } = await commandLine(argsFor(cluster, temporaryDirectory()), { isTTY: true });
      expect(status).toBe(0);
      expect(stderr).toContain("6/6 partitions");
      // The hidden cursor is shown again.
      expect(stderr.lastIndexOf("\u001b[?25h")).toBeGreaterThan(stderr.lastIndexOf("\u001b[?25l"));
    });
  });

  it("reads the hash key from the environment", async () => {
    await withCluster({}, async (cluster) => {
      const withKey = (key: string) =>
        commandLine(argsFor(cluster, temporaryDirectory()), { env: { ARCHIVER_HASH_KEY: key } });
      expect(await withKey("00".repeat(32))).toMatchObject({ status: 8 });
      expect(await withKey("none")).toMatchObject({
        status: 2,
        stderr: expect.stringContaining("ARCHIVER_HASH_KEY"),
      });
      expect(await withKey("")).toMatchObject({ status: 0 });
    });
  });
});
