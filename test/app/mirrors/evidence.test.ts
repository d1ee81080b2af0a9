/** Runs count votes of a mirror's evidence as they count gossip: only the validators' signatures make them count. */

import { describe, expect, it } from "vitest";
import { asCycle } from "../../../src/protocol/brands.ts";
import { makeNetwork } from "../../../src/testnet/cluster/network.ts";
import { makeVote } from "../../../src/testnet/validator/gossip/vote.ts";
import { asHashes } from "../../helpers/brands.ts";
import { mirrorServer } from "../../helpers/mirror-server.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";
import { published } from "../../testnet/cluster/published.ts";
import { smallFixture, withCluster } from "../../testnet/cluster/small-cluster.ts";
import { assembleFrom, failureOf } from "../run.ts";

const network = makeNetwork(smallFixture());
const expected = await published(smallFixture());
const directory = `snapshot-${network.snapshotTimestamp}`;
const file = `/${directory}/evidence/gossip.jsonl`;

/** Publishes the snapshot, and returns its root. */
async function publishedRoot(): Promise<string> {
  const out = temporaryDirectory();
  await withCluster({}, (cluster) => assembleFrom(cluster, { out }));
  return out;
}

/** A vote of every validator for false hashes, each signed by another one. */
function forgedVotes(): string {
  const { identities } = network;
  const lies = asHashes([-1, 0, 1, 2, 3, 4].map((partition) => [partition, "ee".repeat(32)]));
  const votes = identities.map((identity, index) => {
    const forger = identities[(index + 1) % identities.length] ?? identity;
    return JSON.stringify(makeVote({ ...forger, id: identity.id }, asCycle(8), lies));
  });
  return `${votes.join("\n")}\n`;
}

const silent = { faults: ["*:no-gossip"] };

describe("the evidence of a mirror", () => {
  it("suffices where validators have dropped their votes, at the URL of snapshots or of one", async () => {
    const { url, requests } = await mirrorServer(await publishedRoot());
    await withCluster(silent, async (cluster) => {
      for (const evidence of [url, `${url}/${directory}`, `${url}/${directory}/`]) {
        const result = await assembleFrom(cluster, { evidence });
        expect(result).toMatchObject({ ...expected, offences: [], warnings: [] });
      }
    });
    expect(new Set(requests.map(({ path }) => path))).toEqual(new Set([file]));
  });

  it("counts each vote once, however often it is sent", async () => {
    const { url } = await mirrorServer(await publishedRoot(), {
      change: (_, bytes) => {
        const [first = "", second = ""] = bytes.toString().split("\n");
        return Buffer.from(`${first}\n`.repeat(20) + `${second}\n`.repeat(20));
      },
    });
    await withCluster(silent, async (cluster) => {
      expect(await failureOf(assembleFrom(cluster, { evidence: url }))).toMatchObject({
        code: "no-agreement",
      });
    });
  });

  it("does not count if other keys than the node list's have signed it", async () => {
    const { url } = await mirrorServer(await publishedRoot(), { change: () => Buffer.from(forgedVotes()) });
    await withCluster(silent, async (cluster) => {
      const failure = await failureOf(assembleFrom(cluster, { evidence: url }));
      expect(failure.code).toBe("no-agreement");
    });
    await withCluster({}, async (cluster) => {
      const { warnings, offences, networkHash } = await assembleFrom(cluster, { evidence: url });
      expect({ networkHash, offences }).toEqual({ networkHash: expected.networkHash, offences: [] });
      expect(
        warnings.find((warning) => warning.startsWith(`${url}${file}: 5 messages do not count`)),
      ).toBeDefined();
    });
  });

  it.each([
    { id: "is missing", fault: 404 },
    { id: "redirects", fault: 302 },
    { id: "is not a list of messages", fault: 200 },
  ])("is replaced by the validators' own votes if it $id, with a warning", async ({ fault }) => {
    const { url } = await mirrorServer(await publishedRoot(), {
      fault: ({ response }) => {
        response.writeHead(fault, { location: "http://127.0.0.1:9/" }).end("nothing");
        return true;
      },
    });
    await withCluster({}, async (cluster) => {
      const result = await assembleFrom(cluster, { evidence: `${url}/?token=t0ken` });
      expect(result).toMatchObject({ ...expected, offences: [] });
      expect(result.warnings).toMatchObject([
        expect.stringContaining(`cannot read the votes of ${url}${file}`),
      ]);
      expect(result.warnings.join()).not.toContain("t0ken");
    });
  });

  it("is refused from the server that names the validators, unless its key is given", async () => {
    await withCluster({}, async (cluster) => {
      const { archiverUrl: evidence } = cluster;
      const failure = await failureOf(assembleFrom(cluster, { evidence, archiverKey: undefined }));
      expect(failure).toMatchObject({
        code: "usage",
        message: "--evidence and --archiver are the same server",
      });
      const { networkHash } = await assembleFrom(cluster, { evidence });
      expect(networkHash).toBe(expected.networkHash);
    });
  });
});
