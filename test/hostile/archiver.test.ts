/** An archiver that lies in its lists, or sends responses that should break their reader. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { assemble } from "../../src/app/assemble.ts";
import type { AssembleOptions } from "../../src/app/assembly/options.ts";
import { HttpClient } from "../../src/fetch/http/http-client.ts";
import { jsonValuesMax } from "../../src/limits/json.ts";
import { listBytesMax } from "../../src/limits/network.ts";
import type { Cluster } from "../../src/testnet/cluster/cluster.ts";
import { fetchWhole } from "../../src/trust/list-source.ts";
import { failureOf, optionsFor } from "../app/run.ts";
import { httpServer, tcpServer } from "../helpers/servers.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { published } from "../testnet/cluster/published.ts";
import { smallFixture, withCluster } from "../testnet/cluster/small-cluster.ts";

type Row = Record<string, unknown>;
const expected = await published(smallFixture());
const hex = (digit: string) => digit.repeat(64);

interface Lies {
  readonly nodes?: (rows: Row[]) => Row[];
  readonly records?: (rows: Row[]) => Row[];
}

/** Serves a cluster's lists, changed and unsigned. */
async function lyingArchiver(cluster: Cluster, { nodes, records }: Lies): Promise<string> {
  const rowsOf = async (path: string, field: string) => {
    const list = (await (await fetch(`${cluster.archiverUrl}${path}`)).json()) as Record<string, Row[]>;
    return list[field] ?? [];
  };
  return await httpServer((request, response) => {
    const path = request.url ?? "";
    const changed = path.startsWith("/cycleinfo")
      ? rowsOf(path, "cycleInfo").then((rows) => ({ cycleInfo: records?.(rows) ?? rows }))
      : rowsOf(path, "nodeList").then((rows) => ({ nodeList: nodes?.(rows) ?? rows }));
    changed.then(
      (list) => response.end(JSON.stringify(list)),
      () => response.destroy(),
    );
  });
}

function optionsBy(archiver: string, cluster: Cluster, changes: Partial<AssembleOptions> = {}) {
  return optionsFor(cluster, { archiver, archiverKey: undefined, ...changes });
}

const change = (index: number, changes: Row) => (rows: Row[]) =>
  rows.map((row, at) => (at === index ? { ...row, ...changes } : row));

describe("a lie in an archiver's lists", () => {
  it.each([
    { id: "an invalid IPv4 address", changes: { ip: "256.1.1.1" }, says: '"256.1.1.1"' },
    { id: "an invalid port", changes: { port: 99_999 }, says: "port 99999" },
    {
      id: "an address with a path",
      changes: { externalIp: "127.0.0.1/x?" },
      says: '"127.0.0.1/x?"',
    },
  ])("such as $id removes that node only, and moves no partition", async ({ changes, says }) => {
    await withCluster({}, async (cluster) => {
      const archiver = await lyingArchiver(cluster, { nodes: change(2, changes) });
      const result = await assemble(optionsBy(archiver, cluster));
      expect(result).toMatchObject(expected);
      expect(result.offences).toEqual([]);
      expect(result.warnings.join("\n")).toContain("1 node without a usable address is sent no requests");
      expect(result.warnings.join("\n")).toContain(says);
    });
  });

  it.each([
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "fe80::1",
    "224.0.0.1",
    "0.0.0.0",
    "::",
    "fd00:ec2::254",
  ])("such as the address %s for a node causes no connection and no offence of the node", async (ip) => {
    await withCluster({}, async (cluster) => {
      const id = cluster.nodes[0]?.id;
      const nodes = (rows: Row[]) => rows.map((row) => (row["id"] === id ? { ...row, ip } : row));
      const archiver = await lyingArchiver(cluster, { nodes });
      const result = await assemble(optionsBy(archiver, cluster, { allowPrivate: true }));
      expect(result).toMatchObject(expected);
      expect(result.offences).toEqual([]);
      const outcomes = result.queries.filter(({ node }) => node === id).map(({ outcome }) => outcome);
      expect(outcomes).toEqual(outcomes.map(() => "not-asked"));
    });
  });

  it("such as a row without a valid ID is left out with a warning", async () => {
    await withCluster({}, async (cluster) => {
      const nodes = (rows: Row[]) => [{ id: "x", publicKey: {} }, ...rows, 5 as unknown as Row];
      const result = await assemble(optionsBy(await lyingArchiver(cluster, { nodes }), cluster));
      expect(result).toMatchObject(expected);
      expect(result.warnings.join("\n")).toContain("2 rows of the node list are left out: [0].id: ");
    });
  });

  it("such as a megabyte in a row of a small network is refused", async () => {
    await withCluster({}, async (cluster) => {
      const archiver = await lyingArchiver(cluster, { nodes: change(1, { x: "x".repeat(1_000_000) }) });
      const failure = await failureOf(assemble(optionsBy(archiver, cluster)));
      expect(failure).toMatchObject({ code: "configuration" });
      expect(failure.message).toContain("bytes for 5 nodes");
    });
  });

  it.each([
    { id: "another key", publicKey: hex("5") },
    { id: "a key of small order", publicKey: `01${"0".repeat(62)}` },
  ])("such as $id for a member costs its votes, and no node is blamed", async ({ publicKey }) => {
    await withCluster({}, async (cluster) => {
      const archiver = await lyingArchiver(cluster, { nodes: change(1, { publicKey }) });
      const result = await assemble(optionsBy(archiver, cluster));
      expect(result).toMatchObject(expected);
      expect(result.offences).toEqual([]);
    });
  });

  it("such as an invalid key of a member is found when the nodes are counted", async () => {
    await withCluster({}, async (cluster) => {
      const archiver = await lyingArchiver(cluster, { nodes: change(1, { publicKey: "none" }) });
      const failure = await failureOf(assemble(optionsBy(archiver, cluster)));
      expect(failure).toMatchObject({ code: "node-list" });
      expect(failure.message).toContain("4 nodes");
    });
  });

  it("such as one key for two nodes is refused, and both are named", async () => {
    await withCluster({}, async (cluster) => {
      const publicKey = hex("a");
      const twins = cluster.nodes.slice(0, 2).map(({ id }) => id);
      const nodes = (rows: Row[]) =>
        rows.map((row) => (twins.includes(String(row["id"])) ? { ...row, publicKey } : row));
      const failure = await failureOf(assemble(optionsBy(await lyingArchiver(cluster, { nodes }), cluster)));
      expect(failure).toMatchObject({ code: "configuration" });
      expect(failure.message).toContain(`the nodes ${twins.join(" and ")} have the same public key`);
    });
  });

  it.each([
    { id: "a start beyond every calendar", changes: { start: 1e300 } },
    { id: "a cycle of almost no length", changes: { duration: 1e-300 } },
    { id: "an absurd number", changes: { counter: 2 ** 53 - 1 } },
    { id: "a negative start", changes: { start: -1 } },
  ])("such as $id in a cycle record costs that record only", async ({ changes }) => {
    await withCluster({}, async (cluster) => {
      // The newest comes first: the oldest is not needed for the snapshot's cycle.
      const records = (rows: Row[]) => change(rows.length - 1, changes)(rows);
      const result = await assemble(optionsBy(await lyingArchiver(cluster, { records }), cluster));
      expect(result).toMatchObject(expected);
      expect(result.warnings.join("\n")).toContain("1 cycle record is left out: ");
    });
  });

  it("such as an invalid big integer in a cycle record breaks the chain", async () => {
    await withCluster({}, async (cluster) => {
      const x = { dataType: "bi", value: "none" };
      const archiver = await lyingArchiver(cluster, { records: change(0, { x }) });
      expect(await failureOf(assemble(optionsBy(archiver, cluster)))).toMatchObject({ code: "chain" });
    });
  });

  it("such as 600 levels in a cycle record is refused", async () => {
    await withCluster({}, async (cluster) => {
      const x: unknown = JSON.parse(`${"[".repeat(600)}${"]".repeat(600)}`);
      const archiver = await lyingArchiver(cluster, { records: change(0, { x }) });
      expect(await failureOf(assemble(optionsBy(archiver, cluster)))).toMatchObject({
        code: "configuration",
      });
    });
  });
});

describe("the latest snapshot", () => {
  it("of an archiver that stopped years ago is a warning, and a failure with a maximum age", async () => {
    await withCluster({}, async (cluster) => {
      const result = await assemble(optionsFor(cluster, { timestamp: "latest" }));
      expect(result.warnings.join("\n")).toMatch(
        /the newest snapshot is of cycle 8, .* ago: the archiver may/,
      );
      const latest = (maxAgeMs: number) => assemble(optionsFor(cluster, { timestamp: "latest", maxAgeMs }));
      expect((await latest(1e15)).warnings.join("\n")).not.toContain("ago");
      const failure = await failureOf(latest(86_400_000));
      expect(failure).toMatchObject({ code: "temporary", hint: expect.stringContaining("--archiver") });
      expect(failure.message).toMatch(/ ago: --max-age permits 1 day$/);
    });
  });

  it("is the only timestamp that a maximum age applies to", async () => {
    await withCluster({}, async (cluster) => {
      const failure = await failureOf(assemble(optionsFor(cluster, { maxAgeMs: 1_000 })));
      expect(failure).toMatchObject({ code: "usage" });
    });
  });
});

describe("a response of an archiver", () => {
  const runAgainst = (archiver: string) =>
    failureOf(
      assemble({
        archiver,
        timestamp: "latest",
        out: temporaryDirectory(),
        connectTimeoutMs: 500,
        stallTimeoutMs: 300,
      }),
    );

  it.each([
    { id: "status 101", head: "HTTP/1.1 101 Switching Protocols\r\n\r\n" },
    { id: "status 000", head: "HTTP/1.1 000\r\nContent-Length: 0\r\n\r\n" },
    { id: "status 099", head: "HTTP/1.1 099 X\r\nConnection: close\r\n\r\nhello" },
    { id: "bytes of TLS", head: "\x16\x03\x01\x02\x00\x01" },
  ])("with $id is a temporary failure of the archiver", async ({ head }) => {
    const url = await tcpServer((socket) => socket.once("data", () => socket.end(head, "latin1")));
    expect(await runAgainst(url)).toMatchObject({ code: "temporary" });
  });

  const many = Math.ceil(jsonValuesMax / 2);
  it.each([
    {
      id: "of too many values",
      body: `[${"{},".repeat(2 * many)}{}]`,
      says: `more than ${jsonValuesMax} values`,
    },
    { id: "of too many rows", body: `[${"{},".repeat(60_000)}{}]`, says: "expected at most 50000 nodes" },
    { id: "that is too long", body: " ".repeat(listBytesMax + 1), says: `more than ${listBytesMax} bytes` },
    { id: "that is deeply nested", body: "[".repeat(1_000_000), says: "nested more than" },
  ])("$id is refused before it costs more than its text", async ({ body, says }) => {
    const compressed = gzipSync(body, { level: 1 });
    const url = await httpServer((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(compressed);
    });
    const failure = await runAgainst(url);
    expect(failure).toMatchObject({ code: "configuration" });
    // A bomb is refused for its ratio before its size is known.
    expect(failure.message).toMatch(new RegExp(`${says}|gzip: `));
  });

  it("that sends slowly ends at its time limit, retries included", async () => {
    let requests = 0;
    const url = await httpServer((_request, response) => {
      requests++;
      const timer = setInterval(() => response.write(Buffer.alloc(4_096, " ")), 20);
      response.on("close", () => clearInterval(timer));
    });
    const client = new HttpClient({ connectTimeoutMs: 500, stallTimeoutMs: 500 });
    onTestFinished(() => client.close());
    await expect(fetchWhole(url, listBytesMax, { client }, 300)).rejects.toMatchObject({ kind: "stalled" });
    expect(requests).toBe(1);
  });
});

describe("state metadata", () => {
  it.each([
    { id: "an endless device", source: () => "/dev/zero" },
    {
      id: "too many values",
      source: () => {
        const path = join(temporaryDirectory(), "metadata.json");
        writeFileSync(path, `[${"{},".repeat(jsonValuesMax)}{}]`);
        return path;
      },
    },
  ])("from $id is refused", async ({ source }) => {
    await withCluster({}, async (cluster) => {
      const failure = await failureOf(assemble(optionsFor(cluster, { stateMetadata: source() })));
      expect(failure).toMatchObject({ code: "configuration" });
    });
  });
});
