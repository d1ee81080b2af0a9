import { expect, it } from "vitest";
import { findBoundaries } from "../../../src/trust/chain/boundary.ts";
import { endOf, recordsOf } from "./records.ts";

it.each([12, 13])("the end of the missing cycle %i is a matter of configuration", (counter) => {
  const records = [...recordsOf(10, 11), ...recordsOf(14, 15)];
  const find = () => findBoundaries({ kind: "moment", timestamp: endOf(counter) }, records, endOf(99));
  expect(find).toThrow(expect.objectContaining({ code: "configuration" }));
});
