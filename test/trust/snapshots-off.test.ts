import { describe, expect, it, onTestFinished } from "vitest";
import { HttpClient } from "../../src/fetch/http/http-client.ts";
import { asCycle, asNodeId, asPublicKey, type HashHex } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash-key.ts";
import type { ActiveNode } from "../../src/protocol/node.ts";
import { configHashOf } from "../../src/trust/netconfig-sample.ts";
import { describeSnapshotsOff, requireSnapshotsOn, shardOf } from "../../src/trust/sharding.ts";
import { httpServer } from "../helpers/servers.ts";

const sharding = { nodesPerConsensusGroup: 7, nodesPerEdge: 3 };
const on = { config: { sharding } };
const off = { config: { sharding, debug: { disableSnapshots: true } } };
const problem = "debug.disableSnapshots is true, and must be false";

/** Queries nodes, each of which sends the response of its index, or none. */
async function describeOff(responses: readonly (object | undefined)[], configHash?: HashHex) {
  const url = await httpServer((request, response) => {
    const index = Number(request.url?.split("/")[1]);
    if (responses[index] === undefined) response.writeHead(404).end();
    else response.end(JSON.stringify(responses[index]));
  });
  const nodes = responses.map((_, index): ActiveNode => {
    const id = index.toString(16).padStart(64, "0");
    return { id: asNodeId(id), url: `${url}/${index}`, publicKey: asPublicKey(id) };
  });
  const client = new HttpClient({ connectTimeoutMs: 30_000, stallTimeoutMs: 30_000 });
  onTestFinished(() => client.close());
  const context = { client, hashKey: DEFAULT_HASH_KEY, warn: () => undefined };
  return await describeSnapshotsOff(nodes, configHash, context);
}

describe("snapshots that are off", () => {
  it("are described if a response proves it, whatever others state", async () => {
    expect(await describeOff([on, on, off], configHashOf(off, DEFAULT_HASH_KEY))).toBe(
      `The validators of this network make no snapshots: ${problem}.`,
    );
  });

  it("are described as unproved if all validators state it without proof", async () => {
    expect(await describeOff([off, off, undefined])).toBe(
      `The validators of this network make no snapshots (stated by 2 validators, not proved): ${problem}.`,
    );
  });

  it.each([
    { id: "one validator contradicts the others", responses: [off, on] },
    { id: "nobody responds", responses: [undefined] },
  ])("are not described if $id", async ({ responses }) => {
    expect(await describeOff(responses)).toBeUndefined();
  });

  it("are not described if a response proves that they are on", async () => {
    expect(await describeOff([off, off, on], configHashOf(on, DEFAULT_HASH_KEY))).toBeUndefined();
  });

  it("prevent an agreement, with the settings as the reason", () => {
    const found = { ...sharding, source: "proved", proof: undefined } as const;
    requireSnapshotsOn({ ...found, againstSnapshots: [] }, asCycle(7));
    expect(() => requireSnapshotsOn({ ...found, againstSnapshots: [problem, "other"] }, asCycle(7))).toThrow(
      expect.objectContaining({
        code: "no-agreement",
        message: expect.stringContaining(`by the configuration of cycle 7, ${problem}; other`),
      }),
    );
  });
});

it("the geometry of a network follows from its settings", () => {
  expect(shardOf(20, sharding)).toMatchObject({ numNodes: 20, consensusRadius: 3, storeRadius: 6 });
});
