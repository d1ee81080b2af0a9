import { describe, expect, it, onTestFinished } from "vitest";
import { HttpClient } from "../../src/fetch/http/http-client.ts";
import { nodeListBytesBase, nodeListBytesPerNode } from "../../src/limits/snapshot.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash-key.ts";
import { cycleMarker } from "../../src/protocol/cycle-record.ts";
import type { SnapshotTime } from "../../src/trust/chain/timestamp.ts";
import { readNetwork } from "../../src/trust/read-network.ts";
import { requireActiveNodes } from "../../src/trust/read-node-list.ts";
import { idNamed, keyNamed } from "../helpers/brands.ts";
import { httpServer } from "../helpers/servers.ts";
import { rows } from "../verify/written-snapshot.ts";
import { endOf, recordOf } from "./chain/records.ts";

type Row = Record<string, unknown>;

const wireRecord = (counter: number, changes: Row = {}): Row => {
  const { start, duration } = recordOf(counter);
  return { counter, start, duration, active: 5, ...changes };
};
const recordsTo = (newest: number, changes: (counter: number) => Row = () => ({})) =>
  Array.from({ length: 12 }, (_, back) => wireRecord(newest - back, changes(newest - back)));

/** Reads the network of an archiver with the given lists; `records` may differ in each response. */
async function networkOf(
  nodeList: unknown,
  records: (request: number) => readonly Row[],
  time: SnapshotTime = { kind: "cycle", counter: 20 },
  maxAgeMs?: number,
) {
  let requests = 0;
  const archiver = await httpServer((request, response) => {
    const isList = request.url?.startsWith("/full-nodelist") === true;
    response.end(
      JSON.stringify(isList ? nodeList : { cycleInfo: request.method === "GET" ? records(requests++) : [] }),
    );
  });
  const client = new HttpClient({ connectTimeoutMs: 30_000, stallTimeoutMs: 30_000 });
  onTestFinished(() => client.close());
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const context = { client, hashKey: DEFAULT_HASH_KEY, warn };
  const network = await readNetwork({ archiver }, time, context, maxAgeMs);
  return { network, requests, warnings: warnings.filter((message) => !message.includes("is not signed by")) };
}

describe("a network", () => {
  it("has its nodes, its records and the boundary of the requested cycle", async () => {
    const { network, requests } = await networkOf(rows, () => recordsTo(21));
    expect(requests).toBe(1);
    expect(network.nodes.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    expect(network.inactive).toBeUndefined();
    expect(network.records).toHaveLength(12);
    expect(network.candidates).toMatchObject([
      { timestamp: endOf(20), cycle: { counter: 20 }, different: undefined },
    ]);
    expect(network.candidates[0]?.members.nodes).toHaveLength(5);
    expect(JSON.parse(String(network.nodeList))).toEqual(rows);
    expect(JSON.parse(String(network.cycles))).toEqual({ cycleInfo: recordsTo(21) });
  });

  it("has the newest boundaries for latest, up to a bound, that are not older than the maximum age", async () => {
    const latest = { kind: "latest" } as const;
    const { network } = await networkOf(rows, () => recordsTo(21), latest);
    expect(network.candidates.map(({ cycle }) => cycle.counter)).toEqual([21, 20, 19, 18]);
    await expect(networkOf(rows, () => recordsTo(21), latest, 1_000)).rejects.toMatchObject({
      code: "temporary",
      message: expect.stringContaining("--max-age permits 1 second"),
    });
  });

  it("has no candidates for latest of cycles without nodes, as a network has that begins again", async () => {
    const latest = { kind: "latest" } as const;
    const began = recordsTo(21, (counter) => ({ active: counter === 21 ? 5 : 0 }));
    const { network } = await networkOf(rows, () => began, latest);
    expect(network.candidates.map(({ cycle }) => cycle.counter)).toEqual([21, 20]);
    await expect(networkOf(rows, () => recordsTo(21, () => ({ active: 0 })), latest)).rejects.toMatchObject({
      code: "temporary",
      message: expect.stringContaining("no active nodes"),
    });
  });

  it("has its records read once more if they are older than its node list", async () => {
    // The list has a fifth node before the record that activates it exists.
    const old = recordsTo(20, () => ({ active: 4 }));
    const updated = recordsTo(21, (counter) => ({
      active: 4,
      activated: counter === 21 ? [rows[4]?.id] : [],
    }));
    const { network, requests } = await networkOf(rows, (request) => (request === 0 ? old : updated));
    expect(requests).toBe(2);
    expect(network.candidates[0]).toMatchObject({ different: undefined, cycle: { counter: 20 } });
    expect(network.candidates[0]?.members.nodes).toHaveLength(4);
  });

  it("keeps the difference between list and records if it remains", async () => {
    const { network } = await networkOf(rows, () => recordsTo(20, () => ({ active: 4 })));
    expect(network.candidates[0]?.different).toMatchObject({ code: "temporary" });
  });

  it("reads older records if the known ones do not describe all nodes of the cycle", async () => {
    const gone = { id: "f".repeat(64), publicKey: "a".repeat(64), externalIp: "127.0.0.1", externalPort: 1 };
    const changes = (counter: number) => {
      if (counter === 15) return { active: 6, refreshedConsensors: [gone] };
      return { active: 6, removed: counter === 21 ? [gone.id] : [] };
    };
    const records = recordsTo(21, changes);
    const { network, requests } = await networkOf(rows, (request) => records.slice(0, request === 0 ? 3 : 8));
    expect(requests).toBe(2);
    expect(network.records[0]?.counter).toBe(14);
    expect(network.candidates[0]?.members).toMatchObject({ unknown: [] });
    expect(network.candidates[0]?.members.nodes).toHaveLength(6);
  });

  it("without records has not begun its first cycle", async () => {
    await expect(networkOf(rows, () => [])).rejects.toMatchObject({
      code: "temporary",
      message: "the archiver has no cycle records yet",
    });
  });

  it("without nodes is a wrong configuration, or inactive in a mode without nodes", async () => {
    await expect(networkOf([], () => recordsTo(21))).rejects.toMatchObject({
      code: "configuration",
      message: "the node list has no active node",
    });
    const shutDown = (counter: number) => ({ mode: counter === 21 ? "shutdown" : "processing" });
    await expect(networkOf([], () => recordsTo(21, shutDown))).rejects.toMatchObject({
      code: "temporary",
      message: expect.stringContaining("is in mode shutdown and has no active node: it is shut down"),
    });
  });

  it("that was shut down still has the nodes of an earlier cycle that its records describe", async () => {
    const joined = rows.map(({ id, publicKey }) => ({
      id,
      publicKey,
      externalIp: "127.0.0.1",
      externalPort: 9,
    }));
    const changes = (counter: number) => {
      if (counter === 12) return { refreshedConsensors: joined, activated: [] };
      return counter === 21 ? { mode: "shutdown", removed: ["all"] } : {};
    };
    const { network } = await networkOf([], () => recordsTo(21, changes));
    expect(network.inactive).toMatchObject({ code: "temporary" });
    expect(network.candidates[0]?.members.nodes.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  });
});

describe("the node list of an archiver", () => {
  it("has a warning for rows without an ID, malformed rows and nodes without an address", async () => {
    const list = [...rows.slice(1), { ...rows[0], port: "none" }, { id: null }, { id: "x" }];
    const { warnings } = await networkOf(list, () => recordsTo(21));
    expect(warnings).toEqual([
      expect.stringMatching(/^1 node of the list without an ID is left out/),
      expect.stringMatching(/^1 row of the node list is left out: /),
      expect.stringMatching(/^1 node without a usable address is sent no requests: /),
      ...warnings.slice(3),
    ]);
  });

  it("that is larger than its nodes need is refused", async () => {
    const spare = "x".repeat(nodeListBytesBase + 6 * nodeListBytesPerNode);
    await expect(networkOf({ nodeList: rows, spare }, () => recordsTo(21))).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringMatching(/^the node list has \d+ bytes for 5 nodes, more than \d+$/),
    });
  });

  it("that is empty is required to have a node", () => {
    const list = {
      nodes: [],
      withoutId: 0,
      skipped: { count: 0, first: [] },
      withoutAddress: { count: 0, first: [] },
      received: [],
    };
    expect(() => requireActiveNodes(list, undefined)).toThrow("the node list has no active node");
    const node = { id: idNamed("a"), publicKey: keyNamed("a"), url: undefined };
    requireActiveNodes({ ...list, nodes: [node] }, undefined);
  });
});

describe("the cycle records of an archiver", () => {
  it("have a warning for malformed records, and for gaps in the chain", async () => {
    const records = recordsTo(21).filter(({ counter }) => counter !== 15 && counter !== 13);
    const { warnings } = await networkOf(rows, () => [...records, { counter: "x" }]);
    expect(warnings).toContainEqual(expect.stringMatching(/^1 cycle record is left out: /));
    expect(warnings).toContainEqual(expect.stringMatching(/^the cycle chain: .*, and \d+ more gaps$/));
  });

  it("that do not form a chain are refused", async () => {
    const [newest = {}, ...others] = recordsTo(21);
    const broken = { ...newest, marker: cycleMarker({ ...newest, active: 4 }) };
    await expect(networkOf(rows, () => [broken, ...others])).rejects.toMatchObject({
      code: "chain",
      message: expect.stringMatching(/^the cycle chain is broken: record 21 states the hash /),
    });
  });

  it("are read back to a moment before the oldest one", async () => {
    const counts: number[] = [];
    const records = (request: number) => {
      counts.push(request);
      return Array.from({ length: request === 0 ? 3 : 12 }, (_, back) => wireRecord(21 - back));
    };
    const { network } = await networkOf(rows, records, { kind: "moment", timestamp: endOf(14) });
    expect(counts).toEqual([0, 1]);
    expect(network.candidates[0]?.cycle.counter).toBe(14);
  });
});
