import { describe, expect, it } from "vitest";
import { requireShownGeometry } from "../../src/agreement/shown-geometry.ts";
import { RunLog } from "../../src/events/run-log.ts";
import type { TrustSource } from "../../src/format/evidence/counting-rules.ts";
import { collectionOf, voteOf } from "./test-votes.ts";

/** Votes of five nodes, some of which name other partitions than those that they store. */
const votesWith = (contradicting: number) =>
  collectionOf([0, 1, 2, 3, 4].map((index) => voteOf(index, "a", index < contradicting ? [-1] : undefined)));

function check(contradicting: number, source: TrustSource): RunLog {
  const log = new RunLog(undefined);
  requireShownGeometry(votesWith(contradicting), source, log);
  return log;
}

describe("the sharding settings", () => {
  it.each(["given", "told"] as const)("that are %s are refused if most votes contradict them", (source) => {
    expect(() => check(3, source)).toThrow(expect.objectContaining({ code: "no-agreement" }));
  });

  it("that are proved outweigh the votes, with a warning", () => {
    expect(check(3, "proved").summary().warnings).toEqual([
      expect.stringContaining("3 of 5 signed messages"),
    ]);
  });

  it.each(["given", "told", "proved"] as const)(
    "that are %s are accepted if at most half of the votes contradict them",
    (source) => {
      expect(check(2, source).summary().warnings).toEqual([]);
    },
  );
});
