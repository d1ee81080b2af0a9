import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cluster, startCluster } from "../../src/testnet/cluster/cluster.ts";
import { deadUrl, httpServer } from "../helpers/servers.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture } from "../testnet/cluster/small-cluster.ts";
import { commandLine } from "./command-line.ts";

const out = makeTemporaryDirectory();
const expected = await published(smallFixture());
let cluster: Cluster;
let snapshot: string;
beforeAll(async () => {
  cluster = await startCluster(smallFixture());
  const said = await commandLine([
    "--archiver",
    cluster.archiverUrl,
    "--timestamp",
    "latest",
    "--out",
    out,
    "--json",
  ]);
  snapshot = String(said.summary()["directory"]);
});
afterAll(async () => {
  await cluster.stop();
  removeDirectory(out);
});

describe("the verify command", () => {
  it("prints what it has checked", async () => {
    const said = await commandLine(["verify", snapshot]);
    expect(said).toMatchObject({ status: 0, stderr: "" });
    expect(said.stdout).toContain(expected.digest);
    expect(said.stdout).toContain(expected.networkHash);
  });

  it("prints nothing with --quiet", async () => {
    expect(await commandLine(["verify", "--quiet", snapshot])).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "",
    });
  });

  it("ends with one JSON object", async () => {
    const said = await commandLine(["verify", "--json", snapshot]);
    expect(said.objects()).toHaveLength(1);
    expect(said.summary()).toMatchObject({
      type: "summary",
      ok: true,
      exitCode: 0,
      ...expected,
      partitions: { total: 6, verified: 6 },
      accounts: 104,
      findings: [],
    });
  });

  it("reports every finding, as text and as JSON", async () => {
    const copy = join(temporaryDirectory(), "copy");
    cpSync(snapshot, copy, { recursive: true });
    writeFileSync(join(copy, "partition-00001.json"), "[]");
    rmSync(join(copy, "partition-00003.json"));
    const people = await commandLine(["verify", copy]);
    expect(people).toMatchObject({ status: 4, stdout: "" });
    expect(people.stderr).toMatch(/^error: /);
    const machines = await commandLine(["verify", "--json", copy]);
    expect(machines).toMatchObject({ status: 4, stderr: "" });
    const { findings, ...summary } = machines.summary();
    expect(summary).toMatchObject({
      type: "summary",
      ok: false,
      exitCode: 4,
      error: { code: "verification" },
    });
    for (const { file, problem } of findings as { file: string; problem: string }[]) {
      expect(people.stderr).toContain(`${file}: ${problem}`);
    }
    expect((findings as { file: string }[]).map(({ file }) => file)).toEqual(
      expect.arrayContaining(["partition-00001.json", "partition-00003.json"]),
    );
  });

  it.each([{ flags: [] }, { flags: ["--json"] }])(
    "ends with status 10 if the snapshot does not exist ($flags)",
    async ({ flags }) => {
      const said = await commandLine(["verify", ...flags, temporaryDirectory()]);
      expect(said.status).toBe(10);
      if (flags.length > 0)
        expect(said.summary()).toMatchObject({
          ok: false,
          exitCode: 10,
          error: { code: "no-such-snapshot" },
        });
      else expect(said.stderr).toContain("is not a snapshot");
    },
  );

  it.each([{ args: ["verify"] }, { args: ["verify", "a", "b"] }, { args: ["verify", "--frobnicate", "a"] }])(
    "ends with status 2 for $args",
    async ({ args }) => {
      expect((await commandLine(args)).status).toBe(2);
      const said = await commandLine([...args, "--json"]);
      expect(said.status).toBe(2);
      expect(said.summary()).toMatchObject({
        type: "summary",
        ok: false,
        exitCode: 2,
        error: { code: "usage" },
      });
    },
  );
});

describe("the plan command", () => {
  it("prints the queries in their order, as one JSON object", async () => {
    const said = await commandLine([
      "plan",
      "--json",
      "--archiver",
      cluster.archiverUrl,
      "--nodes-per-consensus-group",
      "3",
      "--nodes-per-edge",
      "0",
    ]);
    expect(said.status).toBe(0);
    expect(said.objects()).toHaveLength(1);
    const ids = cluster.nodes.map(({ id }) => id);
    expect(said.summary()).toMatchObject({
      type: "summary",
      ok: true,
      exitCode: 0,
      nodes: 5,
      order: [0, 4, 2, 1, 3].map((index) => ids[index]),
      queries: [
        { node: ids[0], index: 0, partitions: [-1, 0, 1, 4], requests: 1 },
        { node: ids[4], index: 4, partitions: [3], requests: 1 },
        { node: ids[2], index: 2, partitions: [2], requests: 1 },
      ],
      requests: 3,
    });
  });

  it("prints the same as text", async () => {
    const { status, stdout } = await commandLine(["plan", "--archiver", cluster.archiverUrl]);
    expect(status).toBe(0);
    for (const { id } of cluster.nodes) expect(stdout).toContain(id.slice(0, 8));
    for (const order of ["bisect", "cover"]) expect(stdout).toContain(`--order ${order}`);
  });

  it("shows the cost of each order, and lists the queries of the chosen one", async () => {
    const sharding = ["--nodes-per-consensus-group", "3", "--nodes-per-edge", "0"];
    const said = await commandLine([
      ...["plan", "--json", "--archiver", cluster.archiverUrl, "--order", "cover"],
      ...sharding,
    ]);
    expect(said.summary()).toMatchObject({
      requests: 2,
      orders: {
        bisect: {
          nodes: 3,
          withRanges: { requests: 3, partitionsReceived: 6 },
          withoutRanges: { requests: 3, partitionsReceived: 12 },
        },
        cover: {
          nodes: 2,
          withRanges: { requests: 2, partitionsReceived: 6 },
          withoutRanges: { requests: 2, partitionsReceived: 8 },
        },
      },
    });
    const { queries } = said.summary() as unknown as { queries: { partitions: number[] }[] };
    expect(queries.flatMap(({ partitions }) => partitions).sort((a, b) => a - b)).toEqual([
      -1, 0, 1, 2, 3, 4,
    ]);
  });

  it("ends with status 2 for an unknown order", async () => {
    const said = await commandLine([
      "plan",
      "--json",
      "--archiver",
      cluster.archiverUrl,
      "--order",
      "random",
    ]);
    expect(said.status).toBe(2);
    expect(said.summary()).toMatchObject({ type: "summary", ok: false, error: { code: "usage" } });
  });

  it("requests only the node list if the sharding settings are given", async () => {
    const requests: string[] = [];
    const list = await (await fetch(`${cluster.archiverUrl}/full-nodelist?activeOnly=true`)).text();
    const archiver = await httpServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      const { port } = new URL(`http://${request.headers.host}`);
      const here = { ip: "127.0.0.1", port, externalIp: undefined, externalPort: undefined };
      const rows = (JSON.parse(list) as { nodeList: object[] }).nodeList.map((row) => ({ ...row, ...here }));
      response.end(JSON.stringify({ nodeList: rows }));
    });
    const given = ["--nodes-per-consensus-group", "3", "--nodes-per-edge", "1"];
    expect((await commandLine(["plan", "--archiver", archiver, ...given])).status).toBe(0);
    expect(requests).toEqual(["GET /full-nodelist?activeOnly=true"]);
  });

  it("does not assume sharding settings that no validator states", async () => {
    const list = await (await fetch(`${cluster.archiverUrl}/full-nodelist?activeOnly=true`)).text();
    const { nodeList } = JSON.parse(list) as { nodeList: object[] };
    const nodes = join(temporaryDirectory(), "nodes.json");
    const nobody = { externalIp: "127.0.0.1", externalPort: Number(new URL(await deadUrl()).port) };
    writeFileSync(nodes, JSON.stringify(nodeList.map((row) => ({ ...row, ...nobody }))));
    const said = await commandLine(["plan", "--json", "--nodes", nodes]);
    expect(said.status).toBe(6);
    expect(said.summary()).toMatchObject({ error: { code: "no-agreement" } });
  });

  it("ends with status 2 without a network", async () => {
    const said = await commandLine(["plan", "--json"]);
    expect(said.status).toBe(2);
    expect(said.summary()).toMatchObject({ type: "summary", ok: false, error: { code: "usage" } });
  });
});

describe("the cluster command", () => {
  it("prints its archiver's URL, and serves until it is ended with status 0", async () => {
    const fixture = join(temporaryDirectory(), "small.json");
    writeFileSync(fixture, readFileSync(new URL("../../fixtures/single-node.json", import.meta.url)));
    const ending = new AbortController();
    const onStdout = () => ending.abort();
    const { status, stdout } = await commandLine(["cluster", fixture], { signal: ending.signal, onStdout });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/);
    await expect(fetch(stdout.trim())).rejects.toThrow();
  });

  it("ends with status 2 for an unknown fixture", async () => {
    const { status, stdout, stderr } = await commandLine(["cluster", "nine-honset"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("nine-honest");
  });
});

describe("the help", () => {
  const mainStatuses = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12];

  it.each([
    { id: "the main job", args: ["--help"], statuses: mainStatuses },
    { id: "plan", args: ["plan", "--help"], statuses: [0, 1, 2, 5, 6, 7, 8, 12] },
    { id: "verify", args: ["verify", "--help"], statuses: [0, 1, 2, 4, 6, 7, 8, 10, 12] },
    { id: "cluster", args: ["cluster", "--help"], statuses: [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12] },
    { id: "collect", args: ["collect", "--help"], statuses: [0, 1, 2, 5, 6, 7, 8, 12] },
    { id: "nodes", args: ["nodes", "--help"], statuses: [0, 1, 2, 5, 12] },
    { id: "the main job with -h", args: ["-h"], statuses: mainStatuses },
  ])(
    "of $id begins with examples and ends with the exit statuses of the command",
    async ({ args, statuses }) => {
      const { status, stdout, stderr } = await commandLine(args);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/^Examples:\n {2}\$ snapshot-assemble /);
      const end = stdout.slice(stdout.lastIndexOf("Exit statuses:"));
      expect(end.trimEnd().split("\n").at(-1)).toContain("130, 143");
      const listed = [...end.matchAll(/^ {2}(\d+) {2,}/gm)].map(([, status]) => Number(status));
      expect(listed).toEqual(statuses);
      expect(stdout.indexOf("Usage:")).toBeGreaterThan(stdout.indexOf("Examples:"));
      for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(140);
    },
  );

  it.each(["plan", "verify", "cluster", "collect", "nodes"])(
    "of %s is named in the hint of a usage error",
    async (name) => {
      const said = await commandLine([name, "--frobnicate"]);
      expect(said).toMatchObject({ status: 2, stdout: "" });
      expect(said.stderr).toMatch(new RegExp(`\nhint: See snapshot-assemble ${name} --help\\.\n$`));
    },
  );

  it("of the main job is named in the hint of its usage errors", async () => {
    for (const mistake of [["--frobnicate"], ["--archiver", "localhost"]]) {
      expect((await commandLine(mistake)).stderr).toMatch(/\nhint: See snapshot-assemble --help\.\n$/);
    }
  });

  it("of the main job names every specified option", async () => {
    const { stdout } = await commandLine(["--help"]);
    for (const option of [
      "--timestamp",
      "--archiver",
      "--archiver-key",
      "--nodes",
      "--cycles",
      "--hash-key",
      "--gossip",
      "--quorum",
      "--nodes-per-consensus-group",
      "--nodes-per-edge",
      "--concurrency",
      "--stall-timeout",
      "--out",
      "--compress",
      "--cluster",
      "--json",
      "--quiet",
      "--version",
      "--help",
    ]) {
      expect(stdout).toContain(option);
    }
  });

  it("states the version of the package", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await commandLine(["--version"])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  });
});
