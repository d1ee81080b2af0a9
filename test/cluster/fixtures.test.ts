import { describe, expect, it } from "vitest";
import { fixtureNames, loadFixture } from "../../src/cluster/fixture.ts";
import { published } from "./published.ts";

describe.each(await fixtureNames())("fixture %s", async (name) => {
  const fixture = await loadFixture(name);

  it("bears the name of its file", () => {
    expect(fixture.name).toBe(name);
  });

  it.runIf(fixture.expect.exitStatus === 0)("expects what its state gives", async () => {
    const { networkHash, digest } = fixture.expect;
    expect({ networkHash, digest }).toEqual(await published(fixture));
  });
});
