import { describe, expect, it } from "vitest";
import { parseSnapshotRequest } from "../../../src/testnet/validator/snapshot-request.ts";
import { EVERYTHING } from "../../../src/wire/snapshot-request.ts";

const timestamp = 1_700_000_540_000;
const low = `1${"0".repeat(63)}`;
const high = `1${"f".repeat(63)}`;

describe("a snapshot request", () => {
  it.each([
    { id: "of the design", body: { timestamp }, selection: EVERYTHING },
    {
      id: "of the range extension",
      body: { timestamp, accountStart: low, accountEnd: high, isGlobal: false },
      selection: { accountStart: low, accountEnd: high, isGlobal: false },
    },
    {
      id: "half a range",
      body: { timestamp, accountStart: low },
      selection: { ...EVERYTHING, accountStart: low },
    },
    {
      id: "one address",
      body: { timestamp, accountStart: low, accountEnd: low },
      selection: { accountEnd: low },
    },
    {
      id: "a delta",
      body: { timestamp, accountStart: low, isGlobal: false, changedSince: 0 },
      selection: { ...EVERYTHING, accountStart: low, isGlobal: false, changedSince: 0 },
    },
    { id: "an unknown field", body: { timestamp, later: 1 }, selection: EVERYTHING },
  ])("is understood: $id", ({ body, selection }) => {
    expect(parseSnapshotRequest(JSON.stringify(body))).toMatchObject({ timestamp, selection });
  });

  it.each([
    { id: "a body that is not JSON", body: "{", says: "the body is not JSON" },
    { id: "a list", body: "[]", says: /^the body: .*object/ },
    { id: "a missing timestamp", body: "{}", says: /^timestamp: / },
    { id: "a timestamp as text", body: { timestamp: "1" }, says: /^timestamp: / },
    { id: "a fractional timestamp", body: { timestamp: 1.5 }, says: /^timestamp: not a whole number/ },
    { id: "a negative timestamp", body: { timestamp: -1 }, says: /^timestamp: negative/ },
    { id: "a short address", body: { timestamp, accountStart: "00" }, says: /^accountStart: not 64/ },
    { id: "upper case", body: { timestamp, accountEnd: high.toUpperCase() }, says: /^accountEnd: not 64/ },
    {
      id: "an empty range",
      body: { timestamp, accountStart: high, accountEnd: low },
      says: /^accountEnd: below/,
    },
    { id: "a moment as text", body: { timestamp, changedSince: "1" }, says: /^changedSince: / },
    {
      id: "a fractional moment",
      body: { timestamp, changedSince: 1.5 },
      says: /^changedSince: not a whole number of milliseconds/,
    },
    { id: "a negative moment", body: { timestamp, changedSince: -1 }, says: /^changedSince: negative/ },
    { id: "no moment", body: { timestamp, changedSince: null }, says: /^changedSince: / },
    { id: "a flag as number", body: { timestamp, isGlobal: 1 }, says: /^isGlobal: neither true nor false/ },
  ])("is refused: $id", ({ body, says }) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    expect(() => parseSnapshotRequest(text)).toThrow(expect.objectContaining({ status: 400 }));
    expect(() => parseSnapshotRequest(text)).toThrow(says);
  });
});
