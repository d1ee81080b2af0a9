import { expect, it } from "vitest";
import { admitGiven } from "../../src/agreement/given-gossip.ts";
import { RunLog } from "../../src/events/run-log.ts";
import { collectionOf, idOf, voteOf } from "./test-votes.ts";

async function admitted(messages: readonly string[]) {
  const log = new RunLog(undefined);
  const votes = collectionOf([]);
  await admitGiven({ messages, source: "x.json" }, votes, log);
  return { votes, offences: log.offences, warnings: log.summary().warnings };
}

it("given votes count, and duplicates raise no warning", async () => {
  const { votes, offences, warnings } = await admitted([voteOf(0), voteOf(1), voteOf(0)]);
  expect([votes.size, offences, warnings]).toEqual([2, [], []]);
});

it("a given equivocation is an offence of its signer, and names the file", async () => {
  const { offences } = await admitted([voteOf(0, "a"), voteOf(0, "b")]);
  const detail = "two different messages for cycle 7; the second one came from x.json";
  expect(offences).toEqual([{ node: idOf(0), kind: "equivocation", basis: "signed", detail }]);
});

it.each([
  { id: "one", count: 1, pattern: /^x\.json: 1 message does not count for cycle 7: [^;]+$/ },
  { id: "three", count: 3, pattern: /3 messages do not count for cycle 7: [^;]+; [^;]+; [^;]+$/ },
  { id: "five", count: 5, pattern: /5 messages do not count .*; and 2 more$/ },
])(
  "given messages that do not count are blamed on nobody, in one warning: $id",
  async ({ count, pattern }) => {
    const { offences, warnings } = await admitted(Array.from({ length: count }, () => "{}"));
    expect([offences, warnings]).toEqual([[], [expect.stringMatching(pattern)]]);
  },
);
