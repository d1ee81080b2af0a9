import { describe, expect, it } from "vitest";
import { HedgedRequest } from "../../../src/agreement/requests/hedged-request.ts";

const newRequest = () => new HedgedRequest(0, 100, { bytesPerSecondMin: 1_000 });

describe("a hedged request", () => {
  it("holds its slot for a while without useful bytes", () => {
    expect([99, 100].map((nowMs) => newRequest().holdsSlot(nowMs))).toEqual([true, false]);
  });

  it("extends its slot with useful bytes, and saves up no more than one slot", () => {
    const request = newRequest();
    request.credit(50, 90);
    expect([149, 150].map((nowMs) => request.holdsSlot(nowMs))).toEqual([true, false]);
    request.credit(1_000_000, 140);
    expect([239, 240].map((nowMs) => request.holdsSlot(nowMs))).toEqual([true, false]);
    expect(request.bytes).toBe(1_000_050);
  });

  it("regains its slot through useful bytes", () => {
    const request = newRequest();
    request.credit(10, 500);
    expect([509, 510].map((nowMs) => request.holdsSlot(nowMs))).toEqual([true, false]);
  });

  it.each([
    { id: "evicted", end: (request: HedgedRequest) => request.evict(), isEvicted: true },
    { id: "ended", end: (request: HedgedRequest) => request.end(), isEvicted: false },
  ])("is aborted if it is $id", ({ end, isEvicted }) => {
    const request = newRequest();
    end(request);
    expect([request.signal.aborted, request.isEvicted]).toEqual([true, isEvicted]);
  });
});
