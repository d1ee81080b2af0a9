import { expect, it } from "vitest";
import { findBoundaries } from "../../../src/trust/chain/boundary.ts";
import { endOf, recordsOf } from "./records.ts";

it.each([12, 13])("the end of cycle %i, whose record is missing, fails with the code chain", (counter) => {
  const records = [...recordsOf(10, 11), ...recordsOf(14, 15)];
  for (const time of [
    { kind: "moment", timestamp: endOf(counter) },
    { kind: "cycle", counter },
  ] as const) {
    const find = () => findBoundaries(time, records, endOf(99));
    expect(find).toThrow(expect.objectContaining({ code: "chain" }));
  }
});
