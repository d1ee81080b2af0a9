/**
 * The behaviour of each fault from the view of a client. The table below has an entry for every fault but those in deltas
 * (delta-faults.test.ts).
 */

import { describe, expect, it } from "vitest";
import { isGlobalAccount } from "../../../src/protocol/account-copy.ts";
import { asPartition } from "../../../src/protocol/brands.ts";
import { isSignedBy } from "../../../src/protocol/crypto/signature.ts";
import { partitionHashes } from "../../../src/protocol/partition-hash.ts";
import { partitionOf, partitionRange } from "../../../src/protocol/shard.ts";
import type { Cluster } from "../../../src/testnet/cluster/cluster.ts";
import { hashesOf, makeNetwork } from "../../../src/testnet/cluster/network.ts";
import { deltaFaults } from "../../../src/testnet/faults/delta-faults.ts";
import { faultKinds } from "../../../src/testnet/faults/faults.ts";
import {
  gossipOf,
  postSnapshot,
  smallFixture,
  snapshotOf,
  urlOf,
  votesOf,
  withCluster,
} from "./small-cluster.ts";

const network = makeNetwork(smallFixture());
const hashes = await hashesOf(network);
const { shard } = network;

/** Node 0 has the fault, and stores the partitions 4, 0 and 1; node 2 is honest. */
type Behaviour = (cluster: Cluster) => Promise<void>;

/** Returns the partitions of a response of node 0 that do not have the agreed hash. */
async function wrongPartitions(cluster: Cluster): Promise<number[]> {
  const served = partitionHashes(await snapshotOf(cluster, 0), shard);
  return [-1, 0, 1, 4].filter(
    (partition) => served.get(asPartition(partition)) !== hashes.get(asPartition(partition)),
  );
}

async function everyPartitionIsWrong(cluster: Cluster): Promise<void> {
  expect(await wrongPartitions(cluster)).toEqual([-1, 0, 1, 4]);
}

async function statuses(cluster: Cluster, requests: number): Promise<string[]> {
  const seen: string[] = [];
  for (let request = 0; request < requests; request++) {
    const response = await postSnapshot(cluster, 0);
    await response.text();
    seen.push(`${response.status} ${response.headers.get("Retry-After") ?? ""}`.trim());
  }
  return seen;
}

/** Returns the text of a response that arrives within a time, and whether the response has ended. */
async function textWithin(cluster: Cluster, ms: number, bytesMax = Infinity) {
  const abort = new AbortController();
  const response = await postSnapshot(cluster, 0, {}, { signal: abort.signal });
  const timer = setTimeout(() => abort.abort(), ms);
  let bytes = 0;
  let text = "";
  let end = "ended";
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (text.length < 100_000) text += Buffer.from(chunk).toString();
      if (bytes > bytesMax) break;
    }
    if (bytes > bytesMax) end = "too long";
  } catch {
    end = abort.signal.aborted ? "unfinished" : "broken off";
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
  return { text, bytes, end };
}

function honestText(cluster: Cluster): Promise<string> {
  return withCluster({}, async (honest) => {
    expect(honest.nodes.map(({ id }) => id)).toEqual(cluster.nodes.map(({ id }) => id));
    return (await postSnapshot(honest, 0)).text();
  });
}

async function messageOfNode0(cluster: Cluster, askedNode: number) {
  const messages = await gossipOf(cluster, askedNode);
  return messages.filter(({ sender }) => sender === cluster.nodes[0]?.id);
}

/** Returns the partitions for which the vote of node 0 is false. */
function falseVotes(votes: Record<string, string>): string[] {
  return Object.keys(votes).filter(
    (partition) => votes[partition] !== hashes.get(asPartition(Number(partition))),
  );
}

const behaviours: Record<string, Behaviour> = {
  down: async (cluster) => {
    await expect(fetch(`${urlOf(cluster, 0)}/netconfig`)).rejects.toThrow();
  },
  hang: async (cluster) => {
    const answer = fetch(`${urlOf(cluster, 0)}/netconfig`, { signal: AbortSignal.timeout(150) });
    await expect(answer).rejects.toThrow(/timeout/);
  },
  "slow=150ms": async (cluster) => {
    const startedMs = performance.now();
    expect(await wrongPartitions(cluster)).toEqual([]);
    expect(performance.now() - startedMs).toBeGreaterThan(140);
  },
  busy: async (cluster) => {
    expect(await statuses(cluster, 3)).toEqual(["503 1", "503 1", "200"]);
  },
  "rate-limit=1": async (cluster) => {
    expect(await statuses(cluster, 2)).toEqual(["429 1", "200"]);
  },
  "not-finalized=1": async (cluster) => {
    expect(await statuses(cluster, 2)).toEqual(["425 1", "200"]);
  },
  "no-snapshot": async (cluster) => {
    expect(await statuses(cluster, 2)).toEqual(["404", "404"]);
  },
  gone: async (cluster) => {
    expect(await statuses(cluster, 2)).toEqual(["404", "404"]);
  },
  "gone=2": async (cluster) => {
    expect(await statuses(cluster, 4)).toEqual(["200", "200", "404", "404"]);
  },
  "server-error": async (cluster) => {
    expect(await statuses(cluster, 2)).toEqual(["500", "500"]);
  },
  redirect: async (cluster) => {
    expect((await postSnapshot(cluster, 0, {}, { redirect: "manual" })).status).toBe(307);
    expect(await wrongPartitions(cluster)).toEqual([]);
  },
  truncate: async (cluster) => {
    const { text, end } = await textWithin(cluster, 60_000);
    const whole = await honestText(cluster);
    expect(end).toBe("ended");
    expect(whole.startsWith(text)).toBe(true);
    expect(text.length).toBeGreaterThan(whole.length / 5);
    expect(text.length).toBeLessThan(whole.length);
  },
  reset: async (cluster) => {
    const { bytes, end } = await textWithin(cluster, 60_000);
    expect(end).toBe("broken off");
    expect(bytes).toBeGreaterThan(1000);
  },
  "break-half": async (cluster) => {
    const short = await textWithin(cluster, 5000);
    expect(short).toMatchObject({ text: await honestText(cluster), end: "ended" });
    expect(short.bytes).toBeLessThan(64 * 1024);
  },
  stall: async (cluster) => {
    const { bytes, end } = await textWithin(cluster, 300);
    expect(end).toBe("unfinished");
    expect(bytes).toBeGreaterThan(1000);
  },
  trickle: async (cluster) => {
    const { text, end } = await textWithin(cluster, 1300);
    expect(end).toBe("unfinished");
    expect(text.endsWith("  ")).toBe(true);
  },
  "drip=3": async (cluster) => {
    const { text, end } = await textWithin(cluster, 1300);
    expect(end).toBe("unfinished");
    const { snapshot } = JSON.parse(`${text}]}`) as { snapshot: object[] };
    expect(snapshot.length).toBeGreaterThan(4);
  },
  garbage: async (cluster) => {
    expect(await (await postSnapshot(cluster, 0)).text()).toMatch(/^<!doctype html>/);
  },
  "white-space": async (cluster) => {
    const { text, end } = await textWithin(cluster, 60_000, 5_000_000);
    expect(end).toBe("too long");
    expect(text.slice(0, 50_000).trimEnd()).toBe('{"snapshot":[');
  },
  "endless-record": async (cluster) => {
    const { text, end } = await textWithin(cluster, 60_000, 5_000_000);
    expect(end).toBe("too long");
    expect(text).toMatch(/^\{"snapshot":\[\{"accountId":"0{64}","data":"a+$/);
  },
  gzip: async (cluster) => {
    const response = await postSnapshot(cluster, 0);
    expect(response.headers.get("Content-Encoding")).toBe("gzip");
    expect(await response.text()).toBe(await honestText(cluster));
  },
  "gzip-bomb": async (cluster) => {
    const { text, end } = await textWithin(cluster, 60_000, 20_000_000);
    expect(end).toBe("too long");
    expect(text).toMatch(/"data":"a+$/);
  },
  "inflate=2": async (cluster) => {
    const response = await postSnapshot(cluster, 0);
    expect(response.headers.get("Content-Encoding")).toBe("gzip");
    const text = await response.text();
    expect(text.length).toBeGreaterThan(2_000_000);
    const { snapshot } = JSON.parse(text) as { snapshot: { accountId: string }[] };
    const ids = snapshot.map(({ accountId }) => accountId);
    expect(ids).toEqual([...new Set(ids)].sort());
  },
  "no-range": async (cluster) => {
    const { low, high } = partitionRange(shard, asPartition(1));
    const narrow = await snapshotOf(cluster, 0, { accountStart: low, accountEnd: high, isGlobal: false });
    expect(narrow).toEqual(await snapshotOf(cluster, 0));
    expect(await wrongPartitions(cluster)).toEqual([]);
  },
  "corrupt-data": async (cluster) => {
    await everyPartitionIsWrong(cluster);
    expect(falseVotes(votesOf((await gossipOf(cluster, 0))[0] ?? fail()))).toEqual([]);
  },
  "corrupt-data=1": async (cluster) => {
    expect(await wrongPartitions(cluster)).toEqual([1]);
  },
  "omit-account": async (cluster) => {
    await everyPartitionIsWrong(cluster);
    const accounts = (await snapshotOf(cluster, 0)).length;
    expect(accounts).toBe(64 - 4);
  },
  "omit-partition=4": async (cluster) => {
    expect(await wrongPartitions(cluster)).toEqual([4]);
  },
  "stale-data": async (cluster) => {
    await everyPartitionIsWrong(cluster);
  },
  "wrong-global": async (cluster) => {
    await everyPartitionIsWrong(cluster);
    expect((await snapshotOf(cluster, 0)).filter(isGlobalAccount)).toHaveLength(4 - 1 + 3);
  },
  "wrong-partition": async (cluster) => {
    const { low, high } = partitionRange(shard, asPartition(0));
    const answer = await snapshotOf(cluster, 0, { accountStart: low, accountEnd: high, isGlobal: false });
    expect(new Set(answer.map(({ accountId }) => partitionOf(shard, accountId)))).toEqual(new Set([1]));
  },
  "duplicate-accounts": async (cluster) => {
    const ids = (await snapshotOf(cluster, 0)).map(({ accountId }) => accountId);
    expect(ids.length - new Set(ids).size).toBe(Math.floor(64 / 7));
  },
  unsorted: async (cluster) => {
    const ids = (await snapshotOf(cluster, 0)).map(({ accountId }) => accountId);
    expect(ids).not.toEqual([...ids].sort());
    expect(await wrongPartitions(cluster)).toEqual([]);
  },
  "foreign-accounts=30": async (cluster) => {
    const snapshot = await snapshotOf(cluster, 0);
    const foreign = snapshot.filter(
      (account) => !isGlobalAccount(account) && [2, 3].includes(partitionOf(shard, account.accountId)),
    );
    expect(foreign).toHaveLength(30);
    expect(await wrongPartitions(cluster)).toEqual([]);
  },
  endless: async (cluster) => {
    expect((await textWithin(cluster, 60_000, 5_000_000)).end).toBe("too long");
  },
  "lie=0": async (cluster) => {
    expect(await wrongPartitions(cluster)).toEqual([0]);
    const [message] = await messageOfNode0(cluster, 2);
    expect(falseVotes(votesOf(message ?? fail()))).toEqual(["0"]);
    const served = partitionHashes(await snapshotOf(cluster, 0), shard).get(asPartition(0));
    expect(votesOf(message ?? fail())["0"]).toBe(served);
  },
  "lie-gossip": async (cluster) => {
    const [message] = await messageOfNode0(cluster, 2);
    expect(falseVotes(votesOf(message ?? fail()))).toEqual(["0", "1", "4", "-1"]);
    expect(await wrongPartitions(cluster)).toEqual([]);
  },
  silent: async (cluster) => {
    expect(await messageOfNode0(cluster, 0)).toEqual([]);
    expect(await gossipOf(cluster, 0)).toHaveLength(4);
  },
  equivocate: async (cluster) => {
    const [[even], [odd]] = await Promise.all([messageOfNode0(cluster, 2), messageOfNode0(cluster, 1)]);
    expect(isSignedBy(even) && isSignedBy(odd)).toBe(true);
    expect(falseVotes(votesOf(even ?? fail()))).toEqual([]);
    expect(falseVotes(votesOf(odd ?? fail()))).toEqual(["0", "1", "4", "-1"]);
  },
  "bad-signature": async (cluster) => {
    const [message] = await messageOfNode0(cluster, 2);
    expect(isSignedBy(message)).toBe(false);
    expect(falseVotes(votesOf(message ?? fail()))).toEqual([]);
  },
  "first-design-gossip": async (cluster) => {
    const [message] = await messageOfNode0(cluster, 2);
    expect(isSignedBy(message)).toBe(true);
    expect(Object.keys(message?.data ?? {}).sort()).toEqual(["-1", "0", "1", "4"]);
  },
  "no-gossip": async (cluster) => {
    const path = `/partition-gossip?cycle=${cluster.snapshotCycle}`;
    expect((await fetch(urlOf(cluster, 0) + path)).status).toBe(404);
    expect(await messageOfNode0(cluster, 2)).toHaveLength(1);
  },
  "withhold-gossip": async (cluster) => {
    expect(await gossipOf(cluster, 0)).toEqual(await messageOfNode0(cluster, 2));
  },
  "forge-gossip": async (cluster) => {
    const messages = await gossipOf(cluster, 0);
    const forged = messages.filter(
      ({ sender, sign }) => network.identities.find(({ id }) => id === sender)?.publicKey !== sign.owner,
    );
    expect(messages).toHaveLength(5 + 4);
    expect(forged).toHaveLength(4);
    expect(forged.every((message) => isSignedBy(message))).toBe(true);
    expect(await gossipOf(cluster, 2)).toHaveLength(5);
  },
  "wrong-netconfig": async (cluster) => {
    const of = async (index: number) => (await fetch(`${urlOf(cluster, index)}/netconfig`)).json();
    expect(await of(2)).toMatchObject({ config: { sharding: { nodesPerConsensusGroup: 3 } } });
    expect(await of(0)).toMatchObject({ config: { sharding: { nodesPerConsensusGroup: 128 } } });
  },
  "no-netconfig": async (cluster) => {
    expect((await fetch(`${urlOf(cluster, 0)}/netconfig`)).status).toBe(404);
    expect((await fetch(`${urlOf(cluster, 2)}/netconfig`)).status).toBe(200);
  },
};

describe("a validator with the fault", () => {
  it.each(Object.entries(behaviours))("%s", async (fault, behaviour) => {
    await withCluster({ faults: [`0:${fault}`] }, behaviour);
  });

  it("has a case here, whatever its kind", () => {
    const tried = new Set(Object.keys(behaviours).map((fault) => fault.split("=")[0]));
    expect(
      faultKinds
        .filter((kind) => kind.isLiveOnly !== true && !deltaFaults.includes(kind))
        .map(({ name }) => name)
        .filter((name) => !tried.has(name)),
    ).toEqual([]);
  });
});

it("nodes that lie about a partition agree", async () => {
  await withCluster({ faults: ["0:lie=0", "1:lie=0"] }, async (cluster) => {
    const messages = await gossipOf(cluster, 3);
    const votes = messages.map((message) => votesOf(message)["0"]).filter((hash) => hash !== undefined);
    const lies = votes.filter((hash) => hash !== hashes.get(asPartition(0)));
    expect(lies).toHaveLength(2);
    expect(new Set(lies).size).toBe(1);
  });
});

it.each([
  { faults: ["0:lie=2"], says: "fault 0:lie=2: the node does not store the partition" },
  { faults: ["0:corrupt-data=5"], says: "fault 0:corrupt-data=5: the node does not store the partition" },
  { faults: ["0:lie=0"], emptyPartitions: [0], says: "lie=0: the partition has no accounts" },
])("a fault without effect is refused: $says", async ({ says, ...changes }) => {
  await expect(withCluster(changes, () => Promise.resolve())).rejects.toThrow(says);
});

it("a fault of all nodes for a partition applies to those that store it", async () => {
  await withCluster({ faults: ["*:lie=0"] }, async (cluster) => {
    const messages = await gossipOf(cluster, 3);
    const liars = messages.filter((message) => falseVotes(votesOf(message)).includes("0"));
    const indices = liars.map(({ sender }) => cluster.nodes.findIndex(({ id }) => id === sender));
    expect(indices.sort()).toEqual([0, 1, 4]);
  });
});

it("a network without account copies gossips the hash of an empty partition, and records its network hash", async () => {
  await withCluster({ accountCopies: false }, async (cluster) => {
    const empty = partitionHashes([], shard).get(asPartition(0));
    for (const message of await gossipOf(cluster, 0)) {
      expect(new Set(Object.values(votesOf(message)))).toEqual(new Set([empty]));
    }
  });
});

function fail(): never {
  throw new Error("there is no message of node 0");
}
