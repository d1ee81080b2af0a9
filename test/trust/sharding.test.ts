import { describe, expect, it, onTestFinished } from "vitest";
import type { SnapshotError } from "../../src/errors/snapshot-error.ts";
import { HttpClient, type HttpRequest } from "../../src/fetch/http/http-client.ts";
import { netconfigNodes, netconfigProofNodes } from "../../src/limits/network.ts";
import { asHashHex, asNodeId, asPublicKey, type HashHex } from "../../src/protocol/brands.ts";
import { DEFAULT_HASH_KEY } from "../../src/protocol/crypto/hash-key.ts";
import type { ActiveNode } from "../../src/protocol/node.ts";
import { configHashOf } from "../../src/trust/netconfig-sample.ts";
import { findSharding } from "../../src/trust/sharding.ts";
import { deadUrl, httpServer } from "../helpers/servers.ts";
import { readVectors } from "../helpers/vectors.ts";

/** Shortens the deadline of endless responses only: an honest one may take long on a busy machine. */
class ShortForEndless extends HttpClient {
  override whole(request: HttpRequest, bytesMax: number): Promise<Buffer> {
    const { deadlineMs } = request;
    if (deadlineMs === undefined) throw new Error("a request for settings has no deadline");
    const isEndless = request.url?.includes("/endless/");
    return super.whole({ ...request, deadlineMs: isEndless ? 300 : deadlineMs }, bytesMax);
  }
}

/** How a node responds to a request for its settings. */
type Manner = "true" | "false" | "other" | "none" | "malformed" | "broken" | "endless" | "down";

const sharding = {
  true: { nodesPerConsensusGroup: 7, nodesPerEdge: 3 },
  false: { nodesPerConsensusGroup: 5, nodesPerEdge: 2 },
  other: { nodesPerConsensusGroup: 9, nodesPerEdge: 1 },
} as const;

const netconfigOf = (manner: keyof typeof sharding) => ({ config: { sharding: sharding[manner] } });
const trueHash = configHashOf(netconfigOf("true"), DEFAULT_HASH_KEY);

/** One server acts as all nodes: the first part of the path selects the node. */
async function findFrom(
  manners: readonly Manner[],
  options: {
    configHash?: HashHex | undefined;
    overrides?: Parameters<typeof findSharding>[1];
    kept?: Buffer;
  } = {},
) {
  const requested: string[] = [];
  const alive = await httpServer((request, response) => {
    const [, manner = ""] = (request.url ?? "").split("/");
    requested.push(request.url ?? "");
    if (manner === "none") response.writeHead(404).end('{"error":"not here"}');
    else if (manner === "malformed") response.end('{"config":{"sharding":{"nodesPerConsensusGroup":"7"}}}');
    else if (manner === "broken") response.socket?.resetAndDestroy();
    else if (manner === "endless") {
      const timer = setInterval(() => response.write(" ".repeat(1024)), 20);
      response.on("close", () => clearInterval(timer));
    } else response.end(JSON.stringify(netconfigOf(manner as keyof typeof sharding)));
  });
  const dead = await deadUrl();
  const nodes = manners.map((manner, index): ActiveNode => {
    const id = index.toString(16).padStart(64, "0");
    return {
      id: asNodeId(id),
      url: `${manner === "down" ? dead : alive}/${manner}/${index}`,
      publicKey: asPublicKey(id),
    };
  });
  const client = new ShortForEndless({ connectTimeoutMs: 30_000, stallTimeoutMs: 30_000 });
  onTestFinished(() => client.close());
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  const context = { client, hashKey: DEFAULT_HASH_KEY, warn, kept: options.kept };
  const found = findSharding(nodes, options.overrides ?? {}, options.configHash, context);
  return { found, warnings, requested };
}

function times(count: number, manner: Manner): Manner[] {
  return Array.from({ length: count }, () => manner);
}

async function failureOf(found: Promise<unknown>): Promise<SnapshotError> {
  return (await found.then(
    () => expect.fail("the settings were found"),
    (error: unknown) => error,
  )) as SnapshotError;
}

describe("sharding settings that a cycle record proves", () => {
  it.each<{ id: string; manners: Manner[] }>([
    { id: "all are honest", manners: times(5, "true") },
    { id: "all but one lie", manners: [...times(14, "false"), "true"] },
    { id: "all but one are silent", manners: [...times(6, "down"), ...times(6, "none"), "true"] },
    { id: "the responses of all but one are endless", manners: [...times(8, "endless"), "true"] },
  ])("are found if $id", async ({ manners }) => {
    const { found, warnings } = await findFrom(manners, { configHash: trueHash });
    expect(await found).toMatchObject({
      ...sharding.true,
      source: "proved",
      proof: Buffer.from(JSON.stringify(netconfigOf("true"))),
    });
    expect(warnings).toEqual([]);
  });

  it("are searched beyond the sample, up to a bound", async () => {
    const liars = times(netconfigNodes + 10, "false");
    const { found } = await findFrom([...liars, "true"], { configHash: trueHash });
    expect((await found).source).toBe("proved");
    const many = await findFrom(times(netconfigProofNodes + 40, "false"), { configHash: trueHash });
    await many.found;
    expect(many.requested).toHaveLength(netconfigProofNodes);
  });

  it.each<{ manner: Manner }>([{ manner: "down" }, { manner: "false" }])(
    "are found in the response of an earlier run if all validators are: $manner",
    async ({ manner }) => {
      const kept = Buffer.from(JSON.stringify(netconfigOf("true")));
      const { found, warnings } = await findFrom(times(3, manner), { configHash: trueHash, kept });
      expect(await found).toMatchObject({ ...sharding.true, source: "proved", proof: kept });
      expect(warnings).toEqual([]);
    },
  );

  it.each([
    { id: "has another hash", kept: JSON.stringify(netconfigOf("false")) },
    { id: "is not JSON", kept: '{"config":' },
    { id: "has no settings", kept: "{}" },
  ])("are not found in a response of an earlier run that $id", async ({ kept }) => {
    const options = { configHash: trueHash, kept: Buffer.from(kept) };
    expect((await failureOf((await findFrom(times(3, "down"), options)).found)).code).toBe("no-agreement");
    expect((await (await findFrom(times(3, "other"), options)).found).source).toBe("told");
  });

  it("are those of a real network's response and record", () => {
    const {
      hashKey,
      answer: response,
      networkConfigHash,
    } = readVectors<{
      hashKey: string;
      answer: string;
      networkConfigHash: string;
    }>("netconfig");
    const received = typeof response === "string" ? JSON.parse(response) : response;
    expect(configHashOf(received, hashKey)).toBe(networkConfigHash);
  });
});

describe("sharding settings that nothing proves", () => {
  it.each([
    { id: "the record names no hash", configHash: undefined, why: "has no networkConfigHash" },
    {
      id: "no response has the record's hash",
      configHash: asHashHex("00".repeat(32)),
      why: "no /netconfig response hashes",
    },
  ])("are accepted with a warning if all validators agree and $id", async ({ configHash, why }) => {
    const { found, warnings } = await findFrom(times(5, "true"), { configHash });
    expect(await found).toMatchObject({ ...sharding.true, source: "told", proof: undefined });
    expect(warnings).toEqual([expect.stringContaining(why)]);
  });

  it("are accepted if half of the sample responds and agrees", async () => {
    const { found } = await findFrom(["true", "none", "true", "down"]);
    expect((await found).source).toBe("told");
  });

  it.each<{ id: string; manners: Manner[]; problem: string }>([
    {
      id: "a minority responds and the rest refuse",
      manners: ["false", "false", ...times(3, "none")],
      problem: "only 2 of 5",
    },
    {
      id: "a minority responds and the rest are down",
      manners: ["false", ...times(2, "down")],
      problem: "only 1 of 3",
    },
    {
      id: "a minority responds and the rest are endless",
      manners: ["false", "endless", "endless"],
      problem: "only 1 of 3",
    },
    {
      id: "a minority responds and the rest are malformed",
      manners: ["false", ...times(2, "malformed")],
      problem: "only 1 of 3",
    },
    {
      id: "a minority responds and the rest break off",
      manners: ["false", ...times(2, "broken")],
      problem: "only 1 of 3",
    },
    {
      id: "a majority contradicts one",
      manners: [...times(9, "true"), "other"],
      problem: "contradict each other",
    },
    {
      id: "one contradicts a majority of liars",
      manners: [...times(9, "false"), "true"],
      problem: "contradict each other",
    },
    { id: "no node responds", manners: times(3, "down"), problem: "only 0 of 3" },
  ])("are not assumed if $id", async ({ manners, problem }) => {
    const { found } = await findFrom(manners);
    const { code, message, hint } = await failureOf(found);
    expect(code).toBe("no-agreement");
    expect(message).toContain(problem);
    expect(hint).toContain("--nodes-per-consensus-group and --nodes-per-edge");
  });

  it("are listed by node in the error", async () => {
    const { found } = await findFrom(["true", "true", "other", "none"]);
    const { message } = await failureOf(found);
    expect(message).toContain("2 state 7 per consensus group and 3 per edge: 00000000 (");
    expect(message).toContain("1 state 9 per consensus group and 1 per edge: 00000000 (");
    expect(message).toContain("1 without a response: 00000000 (");
  });

  it("are requested from a bounded number of nodes", async () => {
    const { found, requested } = await findFrom(times(netconfigNodes + 9, "true"));
    await found;
    expect(new Set(requested).size).toBe(netconfigNodes);
    expect(requested).toHaveLength(netconfigNodes);
  });
});

describe("sharding settings that the user gives", () => {
  it("are used without requests", async () => {
    const overrides = { nodesPerConsensusGroup: 3, nodesPerEdge: 0 };
    const { found, requested } = await findFrom(times(3, "false"), { overrides, configHash: trueHash });
    expect(await found).toMatchObject({ ...overrides, source: "given", proof: undefined });
    expect(requested).toEqual([]);
  });

  it("take precedence over proved ones, which replace missing ones", async () => {
    const { found } = await findFrom(["true", "false"], {
      overrides: { nodesPerConsensusGroup: 3 },
      configHash: trueHash,
    });
    expect(await found).toMatchObject({
      nodesPerConsensusGroup: 3,
      nodesPerEdge: 3,
      source: "given",
      proof: undefined,
    });
  });

  it("count as told if the other setting is only told", async () => {
    const { found } = await findFrom(times(3, "true"), { overrides: { nodesPerEdge: 0 } });
    expect(await found).toMatchObject({
      nodesPerConsensusGroup: 7,
      nodesPerEdge: 0,
      source: "told",
      proof: undefined,
    });
  });
});
