import { expect, it } from "vitest";
import { parseCycleRecords } from "../../src/wire/cycle-records.ts";
import { parseNodeList } from "../../src/wire/node-list.ts";

it("a parser names the list that is missing", () => {
  expect(() => parseNodeList({ cycleInfo: [] }, "s")).toThrow(
    "nodeList: expected a list of nodes, got nothing",
  );
  expect(() => parseCycleRecords({ nodeList: [] }, "s")).toThrow(
    "cycleInfo: expected a list of cycle records, got nothing",
  );
});
