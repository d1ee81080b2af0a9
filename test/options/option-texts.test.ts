import { describe, expect, it } from "vitest";
import { parseAge, parseArchivers, parseDuration, parsePartitions } from "../../src/options/option-texts.ts";
import { commandLine } from "../cli/command-line.ts";

describe("a duration", () => {
  it.each([
    { text: "500ms", ms: 500 },
    { text: "30s", ms: 30_000 },
    { text: "1.5m", ms: 90_000 },
    { text: "1h", ms: 3_600_000 },
    { text: "1d", ms: 86_400_000 },
    { text: "0.1w", ms: 60_480_000 },
  ])("can have the text $text", ({ text, ms }) => {
    expect(parseDuration(text)).toBe(ms);
    expect(parseAge(text)).toBe(ms);
  });

  it.each(["999", "1000", "60", "0", "1.5"])("is refused without a unit: %s", (text) => {
    for (const parse of [parseDuration, parseAge]) {
      expect(() => parse(text)).toThrow(`${text} has no unit: append one of ms, s, m, h, d, w`);
    }
  });

  it.each(["", "s", "soon", "1 s", "-1s", "1S", "1e3s", "1min"])("cannot have the text %j", (text) => {
    expect(() => parseDuration(text)).toThrow("expected a duration with its unit");
  });

  it("is greater than zero and bounded", () => {
    expect(() => parseDuration("0s")).toThrow("greater than zero");
    expect(() => parseDuration("1w")).toThrow("at most a day");
    expect(() => parseAge("9999w")).toThrow("at most a hundred years");
  });
});

describe("a list of partitions", () => {
  it("can have single ones and ranges", () => {
    expect(parsePartitions("-1,0,7-9")).toEqual([-1, 0, 7, 8, 9]);
    expect(parsePartitions("-1-2")).toEqual([-1, 0, 1, 2]);
  });

  it.each(["", "-2", "9-7", "1,", "0-50000", "a"])("cannot have the text %j", (text) => {
    expect(() => parsePartitions(text)).toThrow("expected partitions such as");
  });
});

describe("a list of archivers", () => {
  const key = "ab".repeat(32);

  it("can have IPv4 and IPv6 addresses", () => {
    expect(parseArchivers(`192.0.2.1:4000:${key}, [2001:db8::1]:4001:${key.toUpperCase()}`)).toEqual([
      { ip: "192.0.2.1", port: 4000, publicKey: key },
      { ip: "2001:db8::1", port: 4001, publicKey: key },
    ]);
  });

  it.each(["", `192.0.2.1:${key}`, `192.0.2.1:0:${key}`, `192.0.2.1:65536:${key}`, "192.0.2.1:4000:ab"])(
    "cannot have the text %j",
    (text) => {
      expect(() => parseArchivers(text)).toThrow("expected ip:port:publicKey");
    },
  );
});

it.each([
  { words: [], option: "--stall-timeout" },
  { words: [], option: "--connect-timeout" },
  { words: [], option: "--max-age" },
  { words: ["plan"], option: "--stall-timeout" },
  { words: ["collect"], option: "--poll" },
  { words: ["cluster", "--live"], option: "--cycle-duration" },
])("$words $option needs a unit, and names the option that lacks it", async ({ words, option }) => {
  const said = await commandLine([...words, option, "1000"]);
  expect(said).toMatchObject({ status: 2, stdout: "" });
  expect(said.stderr).toContain(option);
  expect(said.stderr).toContain("1000 has no unit");
});

it.each(["36h", "7d", "2w", "500"])("collect --keep takes %s", async (keep) => {
  const said = await commandLine(["collect", "--keep", keep]);
  expect(said.stderr).toContain("missing the network to read from");
});

it("collect takes --hash-db like the other commands, and not --db", async () => {
  expect((await commandLine(["collect", "--hash-db", "x"])).stderr).toContain(
    "missing the network to read from",
  );
  expect(await commandLine(["collect", "--db", "x"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("unknown option '--db'"),
  });
});
