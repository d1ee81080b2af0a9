/** Accounts whose data has typed values in typed values are read to the same text as by the network's own code. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { seeded } from "../helpers/seeded.ts";
import { readVectors } from "../helpers/vectors.ts";
import { nestedJson } from "../protocol/nested-json.ts";
import { copiesOf, networkCopiesOf } from "./data-copies.ts";

const vectors = ["canonical", "canonical-nested"].flatMap((name) =>
  readVectors<{ cases: { wire: string }[] }>(name).cases.map(({ wire }, number) => ({
    id: `${name} ${number}`,
    wire,
  })),
);

it.each(vectors)("the copy of an account with the data of vector $id is the network's", ({ wire }) => {
  expect(copiesOf(wire)).toEqual(networkCopiesOf(wire));
});

it("the copy of an account is the network's, whatever typed values its data contains", () => {
  const property = fc.property(nestedJson, (wire) => {
    expect(copiesOf(wire)).toEqual(networkCopiesOf(wire));
  });
  fc.assert(property, seeded(10_000));
});
