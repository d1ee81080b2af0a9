import { describe, expect, it } from "vitest";
import { parseSnapshotTime } from "../../../src/trust/chain/timestamp.ts";

const moment = (timestamp: number) => ({ kind: "moment", timestamp });

describe("a snapshot's time", () => {
  it.each([
    { text: "1700000640000", time: moment(1_700_000_640_000) },
    { text: "1700000640", time: moment(1_700_000_640_000) },
    { text: "1230940800", time: moment(Date.UTC(2009, 0, 3)) },
    { text: "99999999999", time: moment(99_999_999_999_000) },
    { text: "1230940800000", time: moment(Date.UTC(2009, 0, 3)) },
    { text: "2023-11-14T22:24:00Z", time: moment(1_700_000_640_000) },
    { text: "2023-11-14T22:24Z", time: moment(1_700_000_640_000) },
    { text: "2023-11-14T22:24:00.500Z", time: moment(1_700_000_640_500) },
    { text: "2023-11-15T00:24:00+02:00", time: moment(1_700_000_640_000) },
    { text: "2023-11-14T17:24:00-0500", time: moment(1_700_000_640_000) },
    { text: "cycle:0", time: { kind: "cycle", counter: 0 } },
    { text: "cycle:1234", time: { kind: "cycle", counter: 1234 } },
    { text: "latest", time: { kind: "latest" } },
  ])("can be written as $text", ({ text, time }) => {
    expect(parseSnapshotTime(text)).toEqual(time);
  });

  it.each([
    { id: "an empty text", text: "" },
    { id: "a word", text: "yesterday" },
    { id: "another case", text: "Latest" },
    { id: "surrounded by white space", text: " 1700000640000" },
    { id: "a negative number", text: "-1" },
    { id: "a fraction", text: "1700000640.5" },
    { id: "an exponent", text: "17e11" },
    { id: "more digits than a number holds", text: "1700000640000000" },
    { id: "a day of no calendar without a time zone", text: "2023-02-30T22:24:00" },
    { id: "an invalid month", text: "2023-13-14T22:24:00Z" },
    { id: "another order", text: "14.11.2023 22:24" },
    { id: "a cycle without a number", text: "cycle:" },
    { id: "a negative cycle", text: "cycle:-1" },
    { id: "a cycle with a word as number", text: "cycle:last" },
  ])("cannot be $id", ({ text }) => {
    expect(() => parseSnapshotTime(text)).toThrow(
      expect.objectContaining({
        code: "usage",
        message: `--timestamp: "${text}" is not a timestamp`,
        hint: expect.stringContaining("ISO 8601"),
      }),
    );
  });

  it.each([
    { text: "2023-11-14T22:24:00", lacks: "has no time zone", hint: "Write 2023-11-14T22:24:00Z for UTC" },
    { text: "2023-11-14T22:24", lacks: "has no time zone", hint: "an offset such as 2023-11-14T22:24+02:00" },
    { text: "2023-11-14", lacks: "has no time of day and no time zone", hint: "ISO 8601 with a time zone" },
    { text: "2023-11-14Z", lacks: "has no time of day and no time zone", hint: "of one moment" },
  ])("has an error that names the missing part of $text", ({ text, lacks, hint }) => {
    expect(() => parseSnapshotTime(text)).toThrow(
      expect.objectContaining({
        code: "usage",
        message: `--timestamp: "${text}" ${lacks}`,
        hint: expect.stringContaining(hint),
      }),
    );
  });

  it.each([
    { text: "8", day: "1970-01-01", hint: "give cycle:8." },
    { text: "0", day: "1970-01-01", hint: "give cycle:0." },
    { text: "100000000000", day: "1973-03-03", hint: "milliseconds (1700000640000)" },
    { text: "1230940799", day: "2009-01-02", hint: "cycle:<n>" },
    { text: "1970-01-01T00:00:00Z", day: "1970-01-01", hint: "or latest." },
  ])("cannot be $text, which is older than any network", ({ text, day, hint }) => {
    expect(() => parseSnapshotTime(text)).toThrow(
      expect.objectContaining({
        code: "usage",
        message: `--timestamp: "${text}" means ${day}, and no network is that old`,
        hint: expect.stringContaining(hint),
      }),
    );
  });
});
