import { describe, expect, it } from "vitest";
import { makeValidatorSet } from "../../../src/agreement/admission/validator-set.ts";
import { gossipMessageBytesMax } from "../../../src/limits/gossip.ts";
import { makeShard } from "../../../src/protocol/shard.ts";
import { defaultJsonBounds } from "../../../src/wire/json-bounds.ts";
import { idNamed, keyNamed } from "../../helpers/brands.ts";

const shard = (numNodes: number) => makeShard({ numNodes, nodesPerConsensusGroup: numNodes });

describe("a validator set", () => {
  it("finds a key by a node and a node by a key", () => {
    const set = makeValidatorSet([{ id: idNamed("a"), publicKey: keyNamed("k") }], shard(1));
    expect([set.keyOf.get(idNamed("a")), set.idOf.get(keyNamed("k"))]).toEqual([keyNamed("k"), idNamed("a")]);
  });

  it("leaves out a node without a key: nothing proves a vote of it", () => {
    const set = makeValidatorSet([{ id: idNamed("a"), publicKey: undefined }], shard(1));
    expect([set.keyOf.size, set.idOf.size]).toEqual([0, 0]);
  });

  it("bounds votes by the partitions that a node stores", () => {
    const [small, large] = [makeValidatorSet([], shard(5)), makeValidatorSet([], shard(500))];
    expect(small.voteBytesMax).toBeLessThan(large.voteBytesMax);
    expect(small.jsonBounds.valuesMax).toBeLessThan(large.jsonBounds.valuesMax);
    expect(small.receivedBytesMax).toBeGreaterThan(small.voteBytesMax);
  });

  it("bounds votes of the largest network by what is read at all", () => {
    const set = makeValidatorSet([], shard(20_000));
    expect(set.voteBytesMax).toBeLessThanOrEqual(gossipMessageBytesMax);
    expect(set.receivedBytesMax).toBeLessThanOrEqual(gossipMessageBytesMax);
    expect(set.jsonBounds.valuesMax).toBeLessThanOrEqual(defaultJsonBounds.valuesMax);
  });
});
