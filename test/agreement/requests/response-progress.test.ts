import { expect, it } from "vitest";
import { ResponseProgress } from "../../../src/agreement/requests/response-progress.ts";
import { hashNamed } from "../../helpers/brands.ts";

it("a response is credited with each vote once", () => {
  const credits: [number, number][] = [];
  const progress = new ResponseProgress(
    { credit: (bytes, nowMs) => void credits.push([bytes, nowMs]) },
    { nowMs: () => 5 },
  );
  expect(progress.takeHadVotes()).toBe(false);
  progress.credit(hashNamed("a"), 100);
  expect([progress.takeHadVotes(), progress.takeHadVotes()]).toEqual([true, false]);
  progress.credit(hashNamed("a"), 100);
  expect(progress.takeHadVotes()).toBe(false);
  progress.credit(hashNamed("b"), 20);
  expect(credits).toEqual([
    [100, 5],
    [20, 5],
  ]);
});
