import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { verifySnapshot } from "../../src/app/verify.ts";
import type { AssembleEvent } from "../../src/events/assemble-events.ts";
import { partitionPreimages } from "../../src/protocol/partition-hash.ts";
import { allPartitions } from "../../src/protocol/shard.ts";
import { acquireRunLock } from "../../src/store/run-lock.ts";
import { lockPath } from "../../src/store/snapshot-place.ts";
import { makeNetwork } from "../../src/testnet/cluster/network.ts";
import { deadUrl, httpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture, urlOf, withCluster } from "../testnet/cluster/small-cluster.ts";
import { assembleFrom, comparedFiles, failureOf, filesIn, optionsFor, stallTimeoutMs } from "./run.ts";

/** Five nodes. Node i stores and covers the partitions i − 1, i and i + 1. The order of queries is 0, 4, 2, 1, 3. */
const network = makeNetwork(smallFixture());
const all = allPartitions(network.shard);
const preimages = partitionPreimages(
  all.flatMap((partition) => [...network.state.accounts(partition)]),
  network.shard,
);
const expected = await published(smallFixture());

/** Expects that a directory contains the true snapshot, byte for byte. */
function expectRight(directory: string): void {
  for (const [partition, text] of preimages) {
    const name = partition < 0 ? "global" : String(partition).padStart(5, "0");
    expect(readFileSync(join(directory, `partition-${name}.json`), "utf8")).toBe(text);
  }
}

describe("a run against honest nodes", () => {
  it("publishes and reports the agreed state", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const result = await assembleFrom(cluster, { out });
      expect(result).toMatchObject({
        ...expected,
        timestamp: cluster.snapshotTimestamp,
        cycle: 8,
        directory: join(out, `snapshot-${cluster.snapshotTimestamp}`),
        partitions: { total: 6, verified: 6 },
        accounts: 104,
        offences: [],
        warnings: [],
      });
      expect(result.networkHash).toBe(cluster.networkHash);
      expect(result.stateBytes).toBe(
        [...preimages.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0),
      );
      expect(readdirSync(out)).toEqual([`snapshot-${cluster.snapshotTimestamp}`]);
      expectRight(result.directory);
      expect(await verifySnapshot(result.directory)).toMatchObject({
        ok: true,
        findings: [],
        digest: expected.digest,
      });
    });
  });

  it("queries the nodes in the order of Algorithm 1, each for missing partitions only", async () => {
    await withCluster({}, async (cluster) => {
      const { queries } = await assembleFrom(cluster, { concurrency: 1 });
      expect(
        queries.map(({ node, partitions, verified, outcome }) => ({
          node: cluster.nodes.find(({ id }) => id === node)?.index,
          partitions,
          verified: [...verified].sort((a, b) => a - b),
          outcome,
        })),
      ).toEqual([
        { node: 0, partitions: [-1, 0, 1, 4], verified: [-1, 0, 1, 4], outcome: "complete" },
        { node: 4, partitions: [3], verified: [3], outcome: "complete" },
        { node: 2, partitions: [2], verified: [2], outcome: "complete" },
      ]);
    });
  });

  it("commits each partition once if every node sends everything at the same time", async () => {
    const changes = { accounts: 4000, faults: ["*:no-range", "*:slow=50ms"] };
    await withCluster(changes, async (cluster) => {
      const result = await assembleFrom(cluster, { concurrency: 5 });
      expect(result).toMatchObject({
        ...(await published(smallFixture(changes))),
        accounts: 4004,
        offences: [],
      });
      expect(result.queries.flatMap(({ verified }) => verified).sort((a, b) => a - b)).toEqual(all);
      expect(await verifySnapshot(result.directory)).toMatchObject({ ok: true });
    });
  });

  it.each([
    { id: "milliseconds", timestamp: (ms: number) => ms },
    { id: "milliseconds as text", timestamp: (ms: number) => `${ms}` },
    { id: "seconds", timestamp: (ms: number) => ms / 1000 },
    { id: "ISO 8601", timestamp: (ms: number) => new Date(ms).toISOString() },
    { id: "a cycle", timestamp: () => "cycle:8" },
    { id: "latest", timestamp: () => "latest" },
  ])("accepts its timestamp as $id", async ({ timestamp }) => {
    await withCluster({}, async (cluster) => {
      const result = await assembleFrom(cluster, { timestamp: timestamp(cluster.snapshotTimestamp) });
      expect(result).toMatchObject({ ...expected, timestamp: cluster.snapshotTimestamp });
    });
  });

  it("reads its lists and its gossip from files", async () => {
    await withCluster({ faults: ["*:no-gossip"] }, async (silent) => {
      await withCluster({}, async (cluster) => {
        const directory = temporaryDirectory();
        const save = async (name: string, url: string) => {
          const path = join(directory, name);
          writeFileSync(path, await (await fetch(url)).text());
          return path;
        };
        const nodes = await save("nodes.json", `${silent.archiverUrl}/full-nodelist?activeOnly=true`);
        const cycles = await save("cycles.json", `${silent.archiverUrl}/cycleinfo/100`);
        const gossip = await save("gossip.json", `${urlOf(cluster, 0)}/partition-gossip?cycle=8`);
        const options = { archiver: undefined, nodes, cycles };
        expect((await failureOf(assembleFrom(silent, options))).code).toBe("no-agreement");
        const result = await assembleFrom(silent, { ...options, gossip });
        expect(result).toMatchObject({ ...expected, partitions: { total: 6, verified: 6 } });
      });
    });
  });

  it("finds a published snapshot, and requests no accounts", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      await assembleFrom(cluster, { out });
      const again = await assembleFrom(cluster, { out });
      expect(again).toMatchObject({
        ...expected,
        queries: [],
        accounts: 104,
        partitions: { total: 6, verified: 6 },
      });
    });
  });

  it("repairs a published snapshot that is damaged", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const { directory } = await assembleFrom(cluster, { out });
      writeFileSync(join(directory, "partition-00001.json"), "[]");
      expect((await assembleFrom(cluster, { out })).queries).not.toEqual([]);
      expectRight(directory);
    });
  });

  it("reports every event, and the end last", async () => {
    await withCluster({ faults: ["0:corrupt-data=1"] }, async (cluster) => {
      const events: AssembleEvent[] = [];
      const reporter = { report: (event: AssembleEvent) => void events.push(event) };
      const { queries, offences } = await assembleFrom(cluster, { reporter });
      const ofType = (type: AssembleEvent["type"]) => events.filter((event) => event.type === type);
      expect(ofType("query")).toHaveLength(queries.length);
      expect(ofType("offence")).toHaveLength(offences.length);
      expect(events.at(-1)).toMatchObject({ type: "end", failure: undefined });
      expect(ofType("end")).toHaveLength(1);
    });
  });
});

describe("two runs", () => {
  it.each(["none", "gzip"] as const)(
    "over different nodes in another order publish the same bytes (%s)",
    async (compression) => {
      const faults = [
        [],
        ["0:corrupt-data", "2:unsorted", "3:gzip", "4:truncate", "1:no-range"],
        ["4:down", "0:omit-account=-1", "1:unsorted", "3:lie=2"],
      ];
      const directories: string[] = [];
      for (const [index, of] of faults.entries()) {
        await withCluster({ faults: of }, async (cluster) => {
          const { directory } = await assembleFrom(cluster, { compression, concurrency: [4, 1, 16][index] });
          directories.push(directory);
        });
      }
      const [first, ...others] = directories.map(comparedFiles);
      expect(first?.size).toBe(8);
      for (const other of others) expect(other).toEqual(first);
    },
  );
});

/** The faulty node is queried first, and stores −1, 4, 0 and 1. */
const survived: { fault: string; kind?: string; partitions?: (number | undefined)[] }[] = [
  { fault: "down" },
  { fault: "busy" },
  { fault: "server-error" },
  { fault: "no-snapshot" },
  { fault: "hang", kind: "stalled-answer" },
  { fault: "redirect", kind: "redirect" },
  { fault: "garbage", kind: "malformed-answer" },
  { fault: "truncate", kind: "truncated-answer" },
  { fault: "reset" },
  { fault: "stall", kind: "stalled-answer" },
  { fault: "white-space", kind: "oversized-answer" },
  { fault: "endless-record", kind: "oversized-answer" },
  { fault: "gzip-bomb", kind: "oversized-answer" },
  { fault: "gzip" },
  { fault: "no-range" },
  { fault: "unsorted" },
  { fault: "corrupt-data", kind: "wrong-partition", partitions: [-1, 0, 1, 4] },
  { fault: "corrupt-data=1", kind: "wrong-partition", partitions: [1] },
  { fault: "omit-account=0", kind: "wrong-partition", partitions: [0] },
  { fault: "omit-partition=4", kind: "wrong-partition", partitions: [4] },
  { fault: "stale-data", kind: "wrong-partition", partitions: [-1, 0, 1, 4] },
  { fault: "wrong-global=1", kind: "wrong-partition", partitions: [-1, 1] },
  { fault: "duplicate-accounts", kind: "duplicate-accounts", partitions: [undefined] },
  { fault: "foreign-accounts=10", kind: "foreign-accounts", partitions: [undefined] },
  { fault: "lie=0", kind: "dissenting-vote" },
  { fault: "lie-gossip", kind: "dissenting-vote" },
  { fault: "equivocate", kind: "equivocation" },
  { fault: "bad-signature", kind: "invalid-gossip" },
  { fault: "forge-gossip", kind: "invalid-gossip" },
  { fault: "silent" },
  { fault: "no-gossip" },
  { fault: "withhold-gossip" },
  { fault: "first-design-gossip" },
  { fault: "wrong-netconfig" },
  { fault: "no-netconfig" },
];

describe("a run with one faulty node", () => {
  it.each(survived)(
    "($fault) publishes the true state, and blames no other node",
    async ({ fault, kind, partitions }) => {
      await withCluster({ faults: [`0:${fault}`] }, async (cluster) => {
        // A busy machine must not turn another fault into a stalled response.
        const changes = kind === "stalled-answer" ? {} : { stallTimeoutMs: 30_000 };
        const result = await assembleFrom(cluster, changes);
        expect(result).toMatchObject({ ...expected, partitions: { total: 6, verified: 6 } });
        expectRight(result.directory);
        const [faulty] = cluster.nodes;
        expect(result.offences.filter(({ node }) => node !== faulty?.id)).toEqual([]);
        if (kind === undefined) expect(result.offences).toEqual([]);
        else expect(result.offences.map((offence) => offence.kind)).toContain(kind);
        if (partitions === undefined) return;
        const accused = result.offences
          .filter((offence) => offence.kind === kind)
          .map(({ partition }) => partition);
        expect([...new Set(accused)].sort((a = 0, b = 0) => a - b)).toEqual(partitions);
      });
    },
  );

  it("reports the expected and the received hash of a wrong partition", async () => {
    await withCluster({ faults: ["0:omit-account=1"] }, async (cluster) => {
      const { offences } = await assembleFrom(cluster);
      expect(offences).toEqual([
        {
          node: cluster.nodes[0]?.id,
          kind: "wrong-partition",
          basis: "observed",
          partition: 1,
          detail: expect.stringMatching(/expected [0-9a-f]{64}, got [0-9a-f]{64} of \d+ accounts/),
        },
      ]);
    });
  });

  it("commits the correct partitions of a liar", async () => {
    await withCluster({ faults: ["0:corrupt-data=1"] }, async (cluster) => {
      const { queries } = await assembleFrom(cluster, { concurrency: 1 });
      expect([...(queries[0]?.verified ?? [])].sort((a, b) => a - b)).toEqual([-1, 0, 4]);
    });
  });
});

describe("a run that must not publish", () => {
  const refused: {
    id: string;
    changes: Record<string, unknown>;
    options?: Partial<AssembleOptions>;
    code: string;
    says: string;
  }[] = [
    {
      id: "every node that stores a partition is down",
      changes: { faults: ["1:down", "2:down", "3:down"] },
      code: "incomplete",
      says: "",
    },
    {
      id: "no node that stores a partition gives it",
      changes: { faults: ["1:no-snapshot", "2:no-snapshot", "3:no-snapshot"] },
      code: "incomplete",
      says: "could not fetch every partition (1 missing)",
    },
    {
      id: "every node gives another partition",
      changes: { faults: ["*:corrupt-data=3"] },
      code: "verification",
      says: "no node's data has the agreed hash",
    },
    {
      id: "a majority lies and the chain does not",
      changes: { faults: ["1:lie=2", "2:lie=2"] },
      code: "verification",
      says: "the cycle chain records the network hash",
    },
    {
      id: "no hash has a majority",
      changes: { faults: ["1:silent", "2:lie-gossip=2"] },
      code: "no-agreement",
      says: "partition 2 has 1 vote for",
    },
    {
      id: "no node gossips",
      changes: { faults: ["*:silent"] },
      code: "no-agreement",
      says: "no agreed hash",
    },
    {
      id: "the network keeps no copies",
      changes: { accountCopies: false },
      code: "no-agreement",
      says: "keeps no account copies",
    },
    {
      id: "the cycle is not finalized",
      changes: { faults: ["*:not-finalized=1000"] },
      code: "temporary",
      says: "not finalized",
    },
    {
      id: "the archiver has another key",
      changes: {},
      options: { archiverKey: "00".repeat(32) },
      code: "node-list",
      says: "signed by",
    },
    {
      id: "the hash key is wrong",
      changes: {},
      options: { hashKey: "00".repeat(32) },
      code: "node-list",
      says: "signature is invalid",
    },
    {
      id: "the timestamp is not a boundary",
      changes: {},
      options: { timestamp: 1_700_000_001_000 },
      code: "unaligned-timestamp",
      says: "1700000000000 (",
    },
    {
      id: "the timestamp is in the future",
      changes: {},
      options: { timestamp: "cycle:12" },
      code: "temporary",
      says: "cycle 12 is in the future",
    },
  ];
  it.each(refused)("is refused because $id: $code", async ({ changes, options, code, says }) => {
    await withCluster(changes, async (cluster) => {
      const out = temporaryDirectory();
      const failure = await failureOf(assembleFrom(cluster, { ...options, out }));
      expect(failure.code).toBe(code);
      expect(failure.message).toContain(says);
      expect(failure.hint).not.toBe("");
      expect(readdirSync(out).filter((name) => !name.startsWith("."))).toEqual([]);
    });
  });

  it("names each node that was tried for a partition, with the reason", async () => {
    const faults = ["1:no-snapshot", "2:redirect", "3:garbage"];
    await withCluster({ faults }, async (cluster) => {
      const { details, code } = await failureOf(assembleFrom(cluster));
      expect(code).toBe("incomplete");
      const reasons = details.join("\n");
      expect(reasons).toContain(`${urlOf(cluster, 1)}): status 404: this snapshot was dropped`);
      expect(reasons).toContain(`${urlOf(cluster, 2)}): a redirect (307)`);
      expect(reasons).toContain(`${urlOf(cluster, 3)}): the response does not begin with`);
    });
  });

  it("is refused because of a node list of another cycle", async () => {
    await withCluster({}, async (cluster) => {
      const url = `${cluster.archiverUrl}/full-nodelist?activeOnly=true`;
      const { nodeList } = (await (await fetch(url)).json()) as { nodeList: unknown[] };
      const nodes = join(temporaryDirectory(), "nodes.json");
      writeFileSync(nodes, JSON.stringify(nodeList.slice(1)));
      const failure = await failureOf(assembleFrom(cluster, { nodes, archiverKey: undefined }));
      expect(failure.code).toBe("node-list");
      expect(failure.message).toContain("4 nodes for cycle 8, but the chain has 5");
    });
  });

  it("is refused because of an unreachable archiver", async () => {
    await withCluster({}, async (cluster) => {
      const failure = await failureOf(assembleFrom(cluster, { archiver: await deadUrl() }));
      expect(failure.code).toBe("temporary");
    });
  });

  it("is refused because of a URL that is not an archiver", async () => {
    const archiver = await httpServer((_, response) => response.end("<html>"));
    await withCluster({}, async (cluster) => {
      const failure = await failureOf(assembleFrom(cluster, { archiver }));
      expect(failure.code).toBe("configuration");
      expect(failure.message).toContain("not JSON");
    });
  });

  it("is refused because another run works on the snapshot", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      const lock = await acquireRunLock(lockPath({ out, timestamp: cluster.snapshotTimestamp }));
      expect((await failureOf(assembleFrom(cluster, { out }))).code).toBe("locked");
      await lock.release();
      expect(await assembleFrom(cluster, { out })).toMatchObject(expected);
    });
  });

  it("is refused because the directory cannot be created", async () => {
    await withCluster({}, async (cluster) => {
      const file = join(temporaryDirectory(), "file");
      writeFileSync(file, "");
      expect((await failureOf(assembleFrom(cluster, { out: join(file, "snapshots") }))).code).toBe("disk");
    });
  });
});

describe("a run that ends early", () => {
  it("keeps verified partitions, and the next run does not fetch them again", async () => {
    const out = temporaryDirectory();
    const ending = new AbortController();
    await withCluster({ faults: ["4:hang"] }, async (cluster) => {
      const report = (event: AssembleEvent) => {
        if (event.type === "query") ending.abort();
      };
      const run = assembleFrom(cluster, {
        out,
        concurrency: 1,
        signal: ending.signal,
        reporter: { report },
        gossip: undefined,
      });
      expect((await failureOf(run)).code).toBe("interrupted");
      const partial = join(out, `.snapshot-${cluster.snapshotTimestamp}.partial`);
      expect(readdirSync(out)).toEqual([`.snapshot-${cluster.snapshotTimestamp}.partial`]);
      const kept = readdirSync(partial).filter((name) => name.startsWith("partition-"));
      expect(kept.sort()).toEqual(
        [0, 1, 4].map((partition) => `partition-0000${partition}.json`).concat("partition-global.json"),
      );
    });
    await withCluster({}, async (cluster) => {
      const result = await assembleFrom(cluster, { out });
      expect(result).toMatchObject({ ...expected, accounts: 104, partitions: { total: 6, verified: 6 } });
      expect(result.queries.flatMap(({ partitions }) => partitions).sort()).toEqual([2, 3]);
      expect(comparedFiles(result.directory)).toEqual(comparedFiles((await assembleFrom(cluster)).directory));
      expect(readdirSync(out)).toEqual([`snapshot-${cluster.snapshotTimestamp}`]);
    });
  });

  it("ends immediately, and leaves nothing, if it is interrupted before it begins", async () => {
    await withCluster({}, async (cluster) => {
      const out = temporaryDirectory();
      expect((await failureOf(assembleFrom(cluster, { out, signal: AbortSignal.abort() }))).code).toBe(
        "interrupted",
      );
      expect(readdirSync(out)).toEqual([]);
    });
  });

  it("keeps verified partitions after a failure too, and does not change an older snapshot", async () => {
    const out = temporaryDirectory();
    await withCluster({ faults: ["*:corrupt-data=3"] }, async (cluster) => {
      const older = join(out, `snapshot-${cluster.snapshotTimestamp}`);
      mkdirSync(older);
      writeFileSync(join(older, "old"), "kept");
      expect((await failureOf(assembleFrom(cluster, { out }))).code).toBe("verification");
      expect([...filesIn(older).keys()]).toEqual(["old"]);
      const partial = join(out, `.snapshot-${cluster.snapshotTimestamp}.partial`);
      expect(existsSync(join(partial, "partition-00001.json"))).toBe(true);
      expect(existsSync(join(partial, "partition-00003.json"))).toBe(false);
    });
    await withCluster({}, async (cluster) => {
      const { queries, directory } = await assembleFrom(cluster, { out });
      expect(queries.flatMap(({ partitions }) => partitions)).toEqual([3]);
      expectRight(directory);
    });
  });
});

it("contradictory options are refused before the first request", async () => {
  await withCluster({}, async (cluster) => {
    expect((await failureOf(assembleFrom(cluster, { timestamp: "soon" }))).code).toBe("usage");
    expect(optionsFor(cluster).stallTimeoutMs).toBe(stallTimeoutMs);
  });
});
