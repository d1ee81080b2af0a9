import { expect, it } from "vitest";
import { dissentingPartitions, dissentsOf } from "../../../src/agreement/faults/dissent.ts";

const agreed = new Map([
  [-1, "a"],
  [0, "b"],
  [1, "c"],
]);

it.each([
  { id: "none where it names the agreed hashes", hashes: [...agreed], partitions: [] },
  { id: "none where it names no hash", hashes: [], partitions: [] },
  { id: "none where nothing is agreed", hashes: [[7, "x"]], partitions: [] },
  {
    id: "those of other hashes, the global one too",
    hashes: [
      [-1, "x"],
      [0, "b"],
      [1, "y"],
    ],
    partitions: [-1, 1],
  },
] as const)("a vote dissents on $id", ({ hashes, partitions }) => {
  expect(dissentingPartitions(new Map(hashes), agreed)).toEqual(partitions);
});

it("a dissenting vote is an offence for each such partition", () => {
  expect(dissentsOf("node", new Map([[0, "x"]]), agreed)).toEqual([
    { node: "node", kind: "dissenting-vote", partition: 0, detail: "voted for x, agreed is b" },
  ]);
});
