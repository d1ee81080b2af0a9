/** Each row of the options' table reaches the command line and the library, without a mapping between them. */

import type { Option } from "commander";
import { describe, expect, it } from "vitest";
import { libraryOptionsOf } from "../../src/cli/library-options.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { assembleTable, planTable } from "../../src/options/assemble-table.ts";
import { clusterTable } from "../../src/options/cluster-table.ts";
import { collectTable, nodesTable } from "../../src/options/collect-table.ts";
import { type CommandName, type CommandOption, commandOptions } from "../../src/options/command-options.ts";
import { checksOf, longFlag, type OptionTable } from "../../src/options/option-row.ts";
import { optionsDocument } from "../../src/options/options-document.ts";
import { restoreTable } from "../../src/options/restore-table.ts";
import { resumeTable } from "../../src/options/resume-table.ts";
import { serveTable } from "../../src/options/serve-table.ts";
import { verifyTable } from "../../src/options/verify-table.ts";

/** The table that the library checks its options with. */
const tables: Readonly<Record<CommandName, OptionTable>> = {
  "": assembleTable,
  plan: planTable,
  verify: verifyTable,
  restore: restoreTable,
  serve: serveTable,
  resume: resumeTable,
  cluster: clusterTable,
  collect: collectTable,
  nodes: nodesTable,
};

/** Options that only a program can give. */
const ofLibraryOnly = ["signal", "reporter"];

const rows = (Object.keys(tables) as CommandName[]).flatMap((command) =>
  Object.entries(tables[command])
    .filter(([name]) => !ofLibraryOnly.includes(name))
    .map(([name, row]) => ({ id: `${command} ${name}`.trim(), command, name, row })),
);

const others: Readonly<Record<string, readonly string[]>> = {
  verify: ["directory"],
  restore: ["directory", "--to", "archiver"],
  serve: ["directory"],
  resume: ["directory", "--receipts", "file", "--archiver-db", "folder"],
  nodes: ["--hash-db", "file"],
};

/** Every option with restricted values takes one of these. */
const values = [
  "7",
  "3s",
  "7d",
  "1/3",
  "ab".repeat(32),
  "127.0.0.1:1",
  "http://127.0.0.1:9",
  "latest",
  `192.0.2.1:4000:${"ab".repeat(32)}`,
  "0:busy",
];

function textFor({ argChoices, parseArg }: Option): string {
  const isTaken = (text: string) => {
    try {
      parseArg?.(text, undefined);
      return true;
    } catch {
      return false;
    }
  };
  return argChoices?.[0] ?? values.find(isTaken) ?? "";
}

/** Parses a command line with one option, and returns what the library would receive. */
async function received(command: CommandName, name: string): Promise<Record<string, unknown>> {
  const io = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: {},
    signal: new AbortController().signal,
  };
  const program = buildProgram({ io, clusterHelp: "", end: () => undefined });
  const own = program.commands.find((each) => each.name() === command) ?? program;
  let flags: object = {};
  own.action(() => {
    flags = own.opts();
  });
  const option = own.options.find((each) => each.attributeName() === name);
  if (option === undefined) throw new Error(`${command} does not take ${name}`);
  const words = [option.long ?? "", ...(option.required ? [textFor(option)] : [])];
  const begin = command === "" ? [] : [command];
  await program.parseAsync([...begin, ...(others[command] ?? []), ...words], { from: "user" });
  return libraryOptionsOf(command, flags, {});
}

describe("the table's row", () => {
  it.each(rows)(
    "reaches the library from the command line under its own name, with a value that it takes: $id",
    async ({ command, name, row }) => {
      const options = await received(command, name);
      expect(Object.keys(options)).toContain(name);
      expect(row.kind.accepts(options[name])).toBe(true);
    },
  );

  it.each(rows)("has a check in the library: $id", ({ command, name }) => {
    expect(checksOf(tables[command])).toHaveProperty(name);
  });

  it.each(rows)("is in the help and in the documentation: $id", ({ command, row }) => {
    const flags = commandOptions[command].map(({ flag }) => flag);
    expect(flags).toContain(row.flag);
    expect(optionsDocument()).toContain(longFlag(row.flag ?? ""));
  });
});

describe("an option of the command line alone", () => {
  const alone = (Object.keys(commandOptions) as CommandName[]).flatMap((command) =>
    (commandOptions[command] as readonly CommandOption[])
      .filter(({ name }) => name === undefined)
      .map(({ flag }) => ({ id: `${command} ${flag}`.trim(), command, flag })),
  );

  it.each(alone)("does not reach the library: $id", ({ command, flag }) => {
    const name = longFlag(flag).slice(2);
    expect(libraryOptionsOf(command, { [name]: true }, {})).toEqual({});
  });
});

describe("an environment variable", () => {
  const key = "AB".repeat(32);

  it("replaces an option that is not given, parsed like the option", () => {
    const env = { ARCHIVER_HASH_KEY: key };
    expect(libraryOptionsOf("plan", {}, env)).toEqual({ hashKey: key.toLowerCase() });
    expect(libraryOptionsOf("plan", { hashKey: "c" }, env)).toEqual({ hashKey: "c" });
    expect(libraryOptionsOf("plan", {}, { ARCHIVER_HASH_KEY: "" })).toEqual({});
  });

  it("that is invalid is a usage error with its name", () => {
    expect(() => libraryOptionsOf("plan", {}, { ARCHIVER_HASH_KEY: "short" })).toThrow(
      /^ARCHIVER_HASH_KEY: /,
    );
  });
});
