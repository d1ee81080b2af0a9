/** Accounts whose data has typed values in typed values, read the fast way: the network's own text comes of it. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { makeShard } from "../../src/model/shard.ts";
import { nestedJson } from "../model/nested-json.ts";
import { networkText } from "../model/network-text.ts";
import { seeded } from "../seeded.ts";
import { readVectors } from "../vectors.ts";
import { readFast } from "./outcome.ts";

const shard = makeShard({ numNodes: 4 });
const id = "0f".repeat(32);

/** The copies that an answer comes to whose one account has the data; `undefined` where it is refused. */
function copiesOf(data: string): string[] | undefined {
  const record = `{"accountId":"${id}","stateId":"aa","data":${data},"timestamp":12}`;
  const { copies, error } = readFast([Buffer.from(`{"snapshot":[${record}]}`)], shard);
  if (error === undefined) return copies;
  expect(error).toMatch(/^AnswerError malformed: /);
  return undefined;
}

/** What the network's own code comes to. */
function networkCopiesOf(data: string): string[] | undefined {
  const canonical = networkText(data);
  if (canonical === undefined) return undefined;
  // Data that is text already is copied as it is.
  const text = data.startsWith('"') ? (JSON.parse(data) as string) : canonical;
  const copy = `{"accountId":"${id}","data":${JSON.stringify(text)},"hash":"aa","isGlobal":0,"timestamp":12}`;
  return [`0: ${Buffer.from(copy).toString("latin1")}`];
}

const vectors = ["canonical", "canonical-nested"].flatMap((name) =>
  readVectors<{ cases: { wire: string }[] }>(name).cases.map(({ wire }, number) => ({
    id: `${name} ${number}`,
    wire,
  })),
);

it.each(vectors)("the copy of an account with the data of vector $id is the network's", ({ wire }) => {
  expect(copiesOf(wire)).toEqual(networkCopiesOf(wire));
});

it("the copy of an account is the network's, whatever typed values stand in its data", () => {
  const property = fc.property(nestedJson, (wire) => {
    expect(copiesOf(wire)).toEqual(networkCopiesOf(wire));
  });
  fc.assert(property, seeded(10_000));
});
