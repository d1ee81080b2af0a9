import { describe, expect, it } from "vitest";
import {
  GossipError,
  type GossipErrorKind,
  isInvalidResponse,
  isTemporary,
  takeMessages,
} from "../../../src/agreement/requests/gossip-source.ts";
import { gossipUnsignedMax } from "../../../src/limits/gossip.ts";

const kinds: readonly { kind: GossipErrorKind; temporary: boolean; invalid: boolean }[] = [
  { kind: "not-finalized", temporary: true, invalid: false },
  { kind: "temporary", temporary: true, invalid: false },
  { kind: "permanent", temporary: false, invalid: false },
  { kind: "unacceptable", temporary: false, invalid: false },
  { kind: "malformed", temporary: false, invalid: true },
  { kind: "truncated", temporary: true, invalid: true },
  { kind: "too-large", temporary: false, invalid: false },
  { kind: "aborted", temporary: false, invalid: false },
];

it.each(kinds)("a failure $kind is temporary: $temporary, and an invalid response: $invalid", (of) => {
  const failure = new GossipError(of.kind, "");
  expect([isTemporary(failure), isInvalidResponse(failure)]).toEqual([of.temporary, of.invalid]);
});

describe("a response", () => {
  async function* batches(...sizes: readonly number[]): AsyncGenerator<Buffer[], void, void> {
    for (const size of sizes)
      yield await Promise.resolve(Array.from({ length: size }, () => Buffer.from("x")));
  }

  it("is taken message by message, over all batches", async () => {
    let taken = 0;
    await takeMessages(batches(2, 0, 3), () => ++taken > 0);
    expect(taken).toBe(5);
  });

  it("may contain a few messages that no honest node forwards", async () => {
    await expect(takeMessages(batches(gossipUnsignedMax), () => false)).resolves.toBeUndefined();
  });

  it("is malformed with more of them, however they are batched", async () => {
    const taken = takeMessages(batches(gossipUnsignedMax, 1), () => false);
    await expect(taken).rejects.toMatchObject({ kind: "malformed" });
  });
});
