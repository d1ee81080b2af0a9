import { describe, expect, it } from "vitest";
import { fixtureNames, loadFixture } from "../../../src/testnet/cluster/fixture.ts";
import { published } from "./published.ts";

describe.each(await fixtureNames())("fixture %s", async (name) => {
  const fixture = await loadFixture(name);

  it("has the name of its file", () => {
    expect(fixture.name).toBe(name);
  });

  const isPublished = fixture.expect.exitStatus === 0;
  it(isPublished ? "expects the hashes of its state" : "expects no snapshot", async () => {
    const { networkHash, digest } = fixture.expect;
    expect({ networkHash, digest }).toEqual(
      isPublished ? await published(fixture) : { networkHash: undefined, digest: undefined },
    );
  });
});
