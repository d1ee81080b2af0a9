import { expect, it } from "vitest";
import { ResponseProgress } from "../../../src/sync/queries/response-progress.ts";

it("the time in which bytes are waited for counts, and none in which they are processed", () => {
  const progress = new ResponseProgress(1_000);
  expect(progress.at(1_040)).toEqual({ firstByteMs: 40, bytes: 0, bytesMs: 0, silentMs: 40 });
  progress.received(10, 1_300);
  expect(progress.at(6_300)).toEqual({ firstByteMs: 300, bytes: 10, bytesMs: 0, silentMs: 0 });
  progress.waiting(6_300);
  progress.received(20, 6_800);
  expect(progress.at(9_000)).toEqual({ firstByteMs: 300, bytes: 30, bytesMs: 500, silentMs: 0 });
  progress.waiting(9_000);
  expect(progress.at(9_700)).toEqual({ firstByteMs: 300, bytes: 30, bytesMs: 1_200, silentMs: 700 });
});
