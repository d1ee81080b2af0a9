import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadFixture, parseFixture } from "../../../src/testnet/cluster/fixture.ts";
import { temporaryDirectory } from "../../helpers/temporary.ts";

const good = {
  name: "good",
  description: "Three validators.",
  seed: "good",
  nodes: 3,
  nodesPerConsensusGroup: 3,
  nodesPerEdge: 1,
  accounts: 10,
  cycles: 5,
  cycleDuration: 60,
  snapshotCycle: 2,
  expect: { exitStatus: 4, errorCode: "verification" },
};

function parse(changes: object) {
  return parseFixture(JSON.stringify({ ...good, ...changes }), "good.json");
}

describe("a fixture", () => {
  it("is parsed with its faults", () => {
    const fixture = parse({ faults: ["0:slow=2s", "*:no-range"] });
    expect(fixture).toMatchObject({ ...good, globalAccounts: 0, accountBytes: 300 });
    expect(fixture.faults).toMatchObject([
      { node: 0, name: "slow", value: 2000 },
      { node: "*", name: "no-range", value: undefined },
    ]);
  });

  it("is loaded by name and by path", async () => {
    const byName = await loadFixture("nine-honest");
    const byPath = await loadFixture("./fixtures/nine-honest.json");
    expect(byName.name).toBe("nine-honest");
    expect(byPath).toEqual(byName);
  });

  it("that does not exist is a usage error that lists the existing ones", async () => {
    await expect(loadFixture("nine-honset")).rejects.toMatchObject({
      code: "usage",
      message: "no fixture is named nine-honset",
      hint: expect.stringContaining("nine-honest"),
    });
    await expect(loadFixture("./nowhere.json")).rejects.toMatchObject({
      code: "usage",
      message: "no fixture at ./nowhere.json",
    });
  });

  it("is a regular file: a pipe is rejected without a read", async () => {
    const path = join(temporaryDirectory(), "pipe.json");
    expect(spawnSync("mkfifo", [path]).status).toBe(0);
    await expect(loadFixture(path)).rejects.toMatchObject({ code: "usage" });
  });

  it.each([
    { id: "a negative count", changes: { accounts: -1 }, says: /accounts: / },
    { id: "a text for a number", changes: { nodes: "9" }, says: /nodes: .*number/ },
    { id: "an unknown field", changes: { node: 9 }, says: /node/ },
    { id: "a missing field", changes: { seed: undefined }, says: /seed: / },
    { id: "an unknown fault", changes: { faults: ["0:sleepy"] }, says: /faults\.0: unknown fault "sleepy"/ },
    {
      id: "a fault of an unknown node",
      changes: { faults: ["3:down"] },
      says: /faults: 3:down: unknown node 3/,
    },
    { id: "an unknown empty partition", changes: { emptyPartitions: [3] }, says: /emptyPartitions: / },
    {
      id: "no partition left",
      changes: { emptyPartitions: [0, 1, 2] },
      says: /emptyPartitions: no partition/,
    },
    {
      id: "more accounts than addresses",
      changes: {
        nodes: 2000,
        emptyPartitions: Array.from({ length: 1999 }, (_, p) => p),
        accounts: 2_000_000,
      },
      says: /accounts: too many/,
    },
    { id: "too few cycles", changes: { snapshotCycle: 4 }, says: /snapshotCycle: needs .* cycle 5/ },
    {
      id: "changes since a cycle that is not earlier",
      changes: { changes: { sinceCycle: 2, seed: "later" } },
      says: /changes: sinceCycle 2 is not before/,
    },
    {
      id: "an empty partition that the nodes before the changes do not have",
      changes: { emptyPartitions: [2], changes: { sinceCycle: 1, sinceNodes: 2, seed: "later" } },
      says: /emptyPartitions: unknown partition 2/,
    },
    { id: "success without hashes", changes: { expect: { exitStatus: 0 } }, says: /expect\.networkHash: / },
  ])("with $id is refused, naming file and field", ({ changes, says }) => {
    expect(() => parse(changes)).toThrow(says);
    expect(() => parse(changes)).toThrow(/^fixture good\.json: /);
  });

  it("that is not JSON is rejected with the name of the file", () => {
    expect(() => parseFixture("{", "good.json")).toThrow(/^fixture good\.json is not JSON: /);
  });
});
