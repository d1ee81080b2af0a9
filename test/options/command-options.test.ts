import { access } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { assembleTable } from "../../src/options/assemble-table.ts";
import { commandOptions, repeatableFlags, urlFlags } from "../../src/options/command-options.ts";
import { checksOf, longFlag } from "../../src/options/option-row.ts";
import { optionsDocument } from "../../src/options/options-document.ts";

const rows = Object.entries(commandOptions).flatMap(([command, options]) =>
  options.map((option) => ({ id: `${command} ${longFlag(option.flag)}`.trim(), option })),
);
const withDefault = rows.filter(({ option }) => option.default !== undefined);

describe("the table of options", () => {
  it.each(rows)("describes $id in one line", ({ option: { help } }) => {
    expect(help).toMatch(/^(?:[a-z0-9]|ISO).*[^.\n]$/);
  });

  it.each(withDefault)("has a default of $id that its check accepts", ({ option }) => {
    expect(option.kind.accepts(option.default)).toBe(true);
  });

  it("contains each option of a command once", () => {
    for (const options of Object.values(commandOptions)) {
      const flags = options.map(({ flag }) => longFlag(flag));
      expect(new Set(flags).size).toBe(flags.length);
    }
  });

  it("states which options take URLs, and which may be repeated", () => {
    expect([...urlFlags].sort()).toEqual([
      "--archiver",
      "--archiver-url",
      "--evidence",
      "--from",
      "--mirror",
      "--state-metadata",
      "--upstream",
    ]);
    expect([...repeatableFlags].sort()).toEqual([
      "--fault",
      "--join",
      "--kill",
      "--leave",
      "--mirror",
      "--seed",
    ]);
  });

  it("provides the checks of the library", () => {
    const checks = checksOf(assembleTable);
    expect(Object.keys(checks)).toEqual(Object.keys(assembleTable));
    expect([checks.timestamp.isRequired, checks.gossip.isRequired]).toEqual([true, undefined]);
    expect([checks.concurrency.accepts(4), checks.concurrency.accepts("4")]).toEqual([true, false]);
  });
});

it("docs/OPTIONS.md equals the table of options (update it with vitest -u)", async () => {
  const file = "../../docs/OPTIONS.md";
  await access(new URL(file, import.meta.url));
  await expect(optionsDocument()).toMatchFileSnapshot(file);
});
