import { expect, it } from "vitest";
import { dissentingPartitions, dissentsOf } from "../../../src/agreement/faults/dissent.ts";
import { asHashes, hashNamed, idNamed } from "../../helpers/brands.ts";

const hashesNamed = (names: readonly (readonly [number, string])[]) =>
  asHashes(names.map(([partition, name]) => [partition, hashNamed(name)]));

const named = [
  [-1, "a"],
  [0, "b"],
  [1, "c"],
] as const;
const agreed = hashesNamed(named);

it.each([
  { id: "none if it names the agreed hashes", hashes: named, partitions: [] },
  { id: "none if it names no hash", hashes: [], partitions: [] },
  { id: "none if nothing is agreed", hashes: [[7, "x"]], partitions: [] },
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
  expect(dissentingPartitions(hashesNamed(hashes), agreed)).toEqual(partitions);
});

it("a dissenting vote is an offence for each such partition", () => {
  expect(dissentsOf(idNamed("node"), hashesNamed([[0, "x"]]), agreed)).toEqual([
    {
      node: idNamed("node"),
      kind: "dissenting-vote",
      partition: 0,
      detail: `voted for ${hashNamed("x")}; the agreed hash is ${hashNamed("b")}`,
    },
  ]);
});
