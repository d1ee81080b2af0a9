import { describe, expect, it } from "vitest";
import { parseSnapshotTime } from "../../src/chain/timestamp.ts";

const moment = (timestamp: number) => ({ kind: "moment", timestamp });

describe("a snapshot's time", () => {
  it.each([
    { text: "1700000640000", time: moment(1_700_000_640_000) },
    { text: "1700000640", time: moment(1_700_000_640_000) },
    { text: "0", time: moment(0) },
    { text: "99999999999", time: moment(99_999_999_999_000) },
    { text: "100000000000", time: moment(100_000_000_000) },
    { text: "2023-11-14T22:24:00Z", time: moment(1_700_000_640_000) },
    { text: "2023-11-14T22:24Z", time: moment(1_700_000_640_000) },
    { text: "2023-11-14T22:24:00.500Z", time: moment(1_700_000_640_500) },
    { text: "2023-11-15T00:24:00+02:00", time: moment(1_700_000_640_000) },
    { text: "2023-11-14T17:24:00-0500", time: moment(1_700_000_640_000) },
    { text: "cycle:0", time: { kind: "cycle", counter: 0 } },
    { text: "cycle:1234", time: { kind: "cycle", counter: 1234 } },
    { text: "latest", time: { kind: "latest" } },
  ])("can be written $text", ({ text, time }) => {
    expect(parseSnapshotTime(text)).toEqual(time);
  });

  it.each([
    { id: "nothing", text: "" },
    { id: "a word", text: "yesterday" },
    { id: "another case", text: "Latest" },
    { id: "white space around", text: " 1700000640000" },
    { id: "a negative number", text: "-1" },
    { id: "a fraction", text: "1700000640.5" },
    { id: "an exponent", text: "17e11" },
    { id: "more digits than a number holds", text: "1700000640000000" },
    { id: "no time zone", text: "2023-11-14T22:24:00" },
    { id: "a date alone", text: "2023-11-14" },
    { id: "a month that is none", text: "2023-13-14T22:24:00Z" },
    { id: "another order", text: "14.11.2023 22:24" },
    { id: "a cycle without a number", text: "cycle:" },
    { id: "a negative cycle", text: "cycle:-1" },
    { id: "a cycle that is no number", text: "cycle:last" },
  ])("is not $id", ({ text }) => {
    expect(() => parseSnapshotTime(text)).toThrow(
      expect.objectContaining({
        code: "usage",
        message: `--timestamp: "${text}" is no timestamp`,
        hint: expect.stringContaining("ISO 8601"),
      }),
    );
  });
});
