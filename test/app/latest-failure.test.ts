import { describe, expect, it } from "vitest";
import { noCandidateError } from "../../src/app/assembly/failure/latest.ts";
import type { SnapshotErrorCode } from "../../src/errors/snapshot-error.ts";
import { cycleEndMs } from "../../src/protocol/cycle-record.ts";
import { recordOf } from "../trust/chain/records.ts";

const boundaries = [9, 8, 7].map((counter) => {
  const cycle = recordOf(counter);
  return { cycle, timestamp: cycleEndMs(cycle) };
});
const endMs = boundaries[0]?.timestamp ?? 0;
const longAfterMs = endMs + 3_600_000;

function codeOf(codes: readonly SnapshotErrorCode[], isLatest: boolean, nowMs: number): SnapshotErrorCode {
  const problems = codes.map((code) => ({ code, message: code }));
  return noCandidateError(problems, boundaries.slice(0, codes.length), isLatest, nowMs).code;
}

describe("the failure of a run without a snapshot", () => {
  it.each([
    {
      id: "gone if no node holds an explicit one",
      codes: ["gone"],
      isLatest: false,
      code: "gone",
    },
    {
      id: "temporary if no node holds any of the latest",
      codes: ["gone", "gone", "gone"],
      isLatest: true,
      code: "temporary",
    },
    {
      id: "temporary where the only latest one is not held",
      codes: ["gone"],
      isLatest: true,
      code: "temporary",
    },
    {
      id: "temporary where the newest is not agreed on and older ones are not held",
      codes: ["no-agreement", "gone"],
      isLatest: true,
      code: "temporary",
    },
    {
      id: "that of the newest where none is agreed on",
      codes: ["no-agreement", "temporary"],
      isLatest: true,
      code: "no-agreement",
    },
    {
      id: "that of the newest where the lists are wrong",
      codes: ["configuration", "gone"],
      isLatest: true,
      code: "configuration",
    },
  ] as const)("is $id", ({ codes, isLatest, code }) => {
    expect(codeOf(codes, isLatest, longAfterMs)).toBe(code);
  });

  it("is temporary if the newest cycle has just ended and is not agreed on", () => {
    expect(codeOf(["no-agreement", "no-agreement"], true, endMs + 1_000)).toBe("temporary");
    expect(codeOf(["no-agreement"], false, endMs + 1_000)).toBe("no-agreement");
  });
});
