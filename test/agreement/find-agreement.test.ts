/** The search for agreed hashes, over a source of gossip without a network. */

import { describe, expect, it } from "vitest";
import { type AgreementContext, findAgreedHashes } from "../../src/agreement/find-agreement.ts";
import { GossipError, type GossipSource } from "../../src/agreement/requests/gossip-source.ts";
import { RunLog } from "../../src/events/run-log.ts";
import { cycle, hashKey, idOf, nodes, shard, voteOf } from "./test-votes.ts";

const all = [0, 1, 2, 3, 4];
const allVotes = all.map((index) => voteOf(index));

type Respond = (index: number) => readonly string[] | GossipError;

/** Every node sends what `respond` returns, or fails with it. */
function sourceOf(respond: Respond, requested: number[] = []): GossipSource {
  return {
    async *request({ id }, of) {
      expect(of).toBe(cycle);
      const index = all.findIndex((one) => idOf(one) === id);
      requested.push(index);
      const response = await Promise.resolve(respond(index));
      if (response instanceof GossipError) throw response;
      yield response.map((message) => Buffer.from(message));
    },
  };
}

async function find(source: GossipSource, changes: Partial<AgreementContext> = {}) {
  const log = new RunLog(undefined);
  const result = await findAgreedHashes(cycle, {
    source,
    nodes,
    shard,
    shardingSource: "proved",
    hashKey,
    quorum: "majority",
    allowEmpty: false,
    given: [],
    log,
    ...changes,
  });
  return { result, offences: log.offences.map(({ node, kind }) => [node, kind]) };
}

const agreed = { kind: "agreed", agreed: { votes: expect.objectContaining({ size: 5 }) } };

describe("agreed hashes", () => {
  it("are found from the response of one node that forwards all votes", async () => {
    const { result, offences } = await find(sourceOf(() => allVotes));
    expect(result).toMatchObject(agreed);
    expect(offences).toEqual([]);
  });

  it("are found from given votes without a request", async () => {
    const requested: number[] = [];
    const given = [{ messages: allVotes, source: "x.json" }];
    const { result } = await find(
      sourceOf(() => [], requested),
      { given },
    );
    expect(result).toMatchObject(agreed);
    expect(requested).toEqual([]);
  });

  it("are found from a damaged source after the requests", async () => {
    const requested: number[] = [];
    const given = [{ messages: allVotes, source: "x.json", isDamaged: true }];
    const failing = sourceOf(() => new GossipError("permanent", "no"), requested);
    expect((await find(failing, { given })).result).toMatchObject(agreed);
    expect(requested.toSorted()).toEqual(all);
  });

  it("are not found if too few nodes respond, and a node with an invalid response is blamed", async () => {
    const failures = new Map([
      [0, new GossipError("malformed", "no list")],
      [1, new GossipError("too-large", "too much")],
      [2, new GossipError("permanent", "status 404")],
    ]);
    const { result, offences } = await find(
      sourceOf((index) => failures.get(index) ?? [voteOf(3), voteOf(4)]),
    );
    expect(result).toMatchObject({ kind: "no-quorum", voters: 2, numNodes: 5 });
    expect(offences).toEqual([[idOf(0), "invalid-gossip"]]);
  });

  it("are found from a node that fails once and responds to the retry", async () => {
    const attempts = new Map<number, number>();
    const source = sourceOf((index) => {
      attempts.set(index, (attempts.get(index) ?? 0) + 1);
      return attempts.get(index) === 1 ? new GossipError("temporary", "busy") : [voteOf(index)];
    });
    expect((await find(source)).result).toMatchObject(agreed);
  });

  it("are found if a relay forges a vote, and the relay is blamed", async () => {
    const forged = voteOf(1).replace("aaa", "bbb");
    const { offences } = await find(sourceOf((index) => (index === 0 ? [forged] : [voteOf(index)])));
    expect(offences).toEqual([[idOf(0), "invalid-gossip"]]);
  });

  it("are found if a validator equivocates, and the validator is blamed", async () => {
    const { offences } = await find(sourceOf(() => [voteOf(2, "a"), voteOf(2, "b"), ...allVotes]));
    expect(offences).toEqual([[idOf(2), "equivocation"]]);
  });

  it("are not found once the run is aborted", async () => {
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(
      find(
        sourceOf(() => allVotes),
        { signal },
      ),
    ).rejects.toThrow("stop");
  });

  it("do not hide a bug in the source", async () => {
    const source = sourceOf(() => {
      throw new TypeError("bug");
    });
    await expect(find(source)).rejects.toThrow(TypeError);
  });
});
