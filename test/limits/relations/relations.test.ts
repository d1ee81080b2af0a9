import { describe, expect, it } from "vitest";
import { requireRelations } from "../../../src/limits/relations/relation.ts";
import { relations } from "../../../src/limits/relations/relations.ts";
import { testnetRelations } from "../../../src/testnet/limits.ts";

const all = [...relations, ...testnetRelations];

describe("the bounds", () => {
  it.each(all)("satisfy the relation: $id", ({ holds }) => {
    expect(holds).toBe(true);
  });

  it("have distinct relations", () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it("that contradict each other throw an error that names each violated relation", () => {
    const relations = [
      { id: "a fits b", holds: false },
      { id: "b fits c", holds: true },
      { id: "c fits d", holds: false },
    ];
    expect(() => requireRelations(relations)).toThrow("bounds contradict each other: a fits b; c fits d");
  });
});
