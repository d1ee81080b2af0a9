import { describe, expect, it } from "vitest";
import { ageWarning, requireRecent } from "../../../src/trust/chain/boundary.ts";
import { endOf, recordOf } from "./records.ts";

const boundaryOf = (counter: number) => ({ timestamp: endOf(counter), cycle: recordOf(counter) });
const hourMs = 3_600_000;

describe("the boundaries for latest", () => {
  const boundaries = [boundaryOf(3), boundaryOf(2)];

  it("are all of them without a maximum age", () => {
    expect(requireRecent(boundaries, endOf(3) + 1e12)).toEqual(boundaries);
    expect(requireRecent([], 0, 1)).toEqual([]);
  });

  it("are those that are not older than the maximum age", () => {
    expect(requireRecent(boundaries, endOf(3) + 1_000, 1_000)).toEqual([boundaries[0]]);
    expect(requireRecent(boundaries, endOf(3), 60_000)).toEqual(boundaries);
  });

  it.each([
    { ageMs: 2_500, maxAgeMs: 1_000, says: "2.5 seconds ago: --max-age permits 1 second" },
    { ageMs: 3 * hourMs, maxAgeMs: hourMs, says: "3 hours ago: --max-age permits 1 hour" },
    { ageMs: 36 * hourMs, maxAgeMs: 90_000, says: "36 hours ago: --max-age permits 90 seconds" },
    { ageMs: 50 * 24 * hourMs + hourMs, maxAgeMs: 24 * hourMs, says: "50 days ago: --max-age permits 1 day" },
    { ageMs: 500, maxAgeMs: 0, says: "0.5 seconds ago: --max-age permits 0 seconds" },
  ])("that are all too old are a temporary failure: $says", ({ ageMs, maxAgeMs, says }) => {
    expect(() => requireRecent(boundaries, endOf(3) + ageMs, maxAgeMs)).toThrow(
      expect.objectContaining({ code: "temporary", message: expect.stringContaining(says) }),
    );
  });
});

describe("the age of the chosen boundary", () => {
  it("is reported beyond a day", () => {
    expect(ageWarning(boundaryOf(3), endOf(3) + 24 * hourMs)).toBeUndefined();
    expect(ageWarning(boundaryOf(3), endOf(3) + 48 * hourMs)).toMatch(
      /^the newest snapshot is of cycle 3, .*, 2 days ago: the archiver may no longer follow the network/,
    );
  });
});
