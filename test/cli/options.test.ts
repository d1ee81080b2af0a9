/** Every argument of the command line is used or refused. */

import type { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { readCommandLine } from "../../src/cli/command-line.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { synonyms } from "../../src/options/synonyms.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";
import { commandLine } from "./command-line.ts";

function makeProgram(): Command {
  const io = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: {},
    signal: new AbortController().signal,
  };
  return buildProgram({ io, clusterHelp: "", end: () => undefined });
}

/** Every option with restricted values accepts one of these. */
const values = [
  ...["7", "3s", "7d", "1/3", "ab".repeat(32), "127.0.0.1:1"],
  ...["http://127.0.0.1:9", "latest", "0:busy", "proved"],
  `192.0.2.1:4000:${"ab".repeat(32)}`,
];

function valueFor({ long, argChoices, parseArg }: Option): string {
  if (argChoices?.[0] !== undefined) return argChoices[0];
  const value =
    parseArg === undefined ? "file" : values.find((each) => isTaken(() => parseArg(each, undefined)));
  if (value === undefined) throw new Error(`add a valid value of ${long} to this test`);
  return value;
}

function isTaken(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}

/** The options that a command parsed, or the message of the refusal. */
async function parsed(args: readonly string[]): Promise<Record<string, unknown> | string> {
  const program = makeProgram();
  let taken: Record<string, unknown> | undefined;
  for (const each of [program, ...program.commands]) {
    each.action(() => {
      taken = { ...each.opts(), command: each.name() };
    });
  }
  const line = readCommandLine(args, program);
  if (line.problem !== undefined) return line.problem.message;
  try {
    await program.parseAsync([...line.args], { from: "user" });
  } catch (error) {
    return (error as Error).message;
  }
  if (taken === undefined) throw new Error("no command was run");
  return taken;
}

const program = makeProgram();
const allOptions = [program, ...program.commands].flatMap(({ options }) => options);
const longNames = [...new Set(allOptions.flatMap(({ long }) => long ?? []))].filter((n) => n !== "--version");
const rest: Readonly<Record<string, string[]>> = {
  verify: ["directory"],
  restore: ["directory", "--to", "archiver"],
  resume: ["directory", "--receipts", "file", "--archiver-db", "folder"],
  serve: ["directory"],
  nodes: ["--hash-db", "file"],
};

describe.each(program.commands.map((command) => command.name()))("before %s", (name) => {
  it.each(longNames)("%s is either used or refused by name", async (long) => {
    const option = [
      ...(program.commands.find((command) => command.name() === name)?.options ?? []),
      ...allOptions,
    ];
    const found = option.find((each) => each.long === long);
    if (found === undefined) throw new Error(`there is no ${long}`);
    const isOwn = program.commands.some((each) => each.name() === name && each.options.includes(found));
    const others = rest[name] ?? [];
    // An option that is given twice has the same value both times.
    const given = others.includes(long) ? others[others.indexOf(long) + 1] : undefined;
    const value = found.required ? [given ?? valueFor(found)] : [];
    const before = await parsed([long, ...value, name, ...others]);
    const after = await parsed([name, ...others, long, ...value]);
    expect(before).toEqual(after);
    if (isOwn) expect(before).toMatchObject({ command: name, [found.attributeName()]: expect.anything() });
    else expect(before).toContain(long);
  });
});

it("an option takes a value in every command, or in none", () => {
  for (const long of longNames) {
    const same = allOptions.filter((option) => option.long === long);
    expect(new Set(same.map(({ required }) => required)).size, long).toBe(1);
  }
});

describe("an empty value", () => {
  const cases = [program, ...program.commands].flatMap((command) =>
    command.options
      .filter(({ required }) => required)
      .map(({ long }) => ({ long: long ?? "", words: command === program ? [] : [command.name()] })),
  );
  it.each(cases)("is refused: $words $long", async ({ long, words }) => {
    for (const args of [[long, ""], [`${long}=`], [long, " "]]) {
      const said = await commandLine([...words, ...(rest[words[0] ?? ""] ?? []), ...args]);
      expect(said).toMatchObject({ status: 2, stdout: "" });
      expect(said.stderr).toContain(`error: the value of ${long} is empty`);
    }
  });

  it("is refused as the directory of verify", async () => {
    expect(await commandLine(["verify", ""])).toMatchObject({ status: 2 });
  });
});

describe("a contradiction in the options", () => {
  it.each([
    {
      id: "two keys",
      args: ["--archiver-key", "aa".repeat(32), "collect", "--archiver-key", "bb".repeat(32)],
    },
    { id: "two timestamps", args: ["--timestamp", "latest", "--timestamp", "cycle:8"] },
    { id: "two directories", args: ["--out", "a", "--timestamp", "latest", "--out=b"] },
  ])("is refused by name: $id", async ({ args }) => {
    const said = await commandLine(args);
    expect(said).toMatchObject({ status: 2 });
    expect(said.stderr).toMatch(/^error: --[a-z-]+ is given twice/);
  });

  it("is neither a repeated value nor a second fault", async () => {
    expect(await parsed(["--out", "a", "--timestamp", "latest", "--out", "a"])).toMatchObject({ out: "a" });
    const faults = ["cluster", "--live", "--fault", "0:busy", "--fault", "1:busy"];
    expect(await parsed(faults)).toMatchObject({ faults: ["0:busy", "1:busy"] });
  });
});

describe("an option", () => {
  it("that can be repeated replaces its default by its values", async () => {
    const seeds = async (...args: string[]) => await parsed(["--timestamp", "latest", ...args]);
    expect(await seeds()).toMatchObject({ seed: ["auto"] });
    expect(await seeds("--seed", "none")).toMatchObject({ seed: ["none"] });
    expect(await seeds("--seed", "auto", "--seed", "a")).toMatchObject({ seed: ["auto", "a"] });
    expect(await seeds("--seed", "a", "--seed", "b")).toMatchObject({ seed: ["a", "b"] });
  });

  it("does not take the next option as its value", async () => {
    const said = await commandLine(["--timestamp", "latest", "--out", "--json"]);
    expect(said.summary()).toMatchObject({ exitCode: 2, error: { message: "missing value of --out" } });
  });

  it("before a double dash and a command is refused, since the command would ignore it", async () => {
    const said = await commandLine([
      "--json",
      "--archiver-key",
      "ab".repeat(32),
      "--",
      "verify",
      "directory",
    ]);
    expect(said.summary()).toMatchObject({ exitCode: 2 });
  });

  it("is refused before help, which takes no options", async () => {
    expect(await commandLine(["--out", "a", "help", "verify"])).toMatchObject({ status: 2 });
    expect(await commandLine(["help", "verify"])).toMatchObject({ status: 0 });
    expect(await commandLine(["--help", "verify"])).toMatchObject({ status: 0 });
    expect(await commandLine(["--version"])).toMatchObject({ status: 0 });
  });

  it("--json before a command makes its output JSON", async () => {
    const said = await commandLine(["--json", "verify", temporaryDirectory()]);
    expect(said.stderr).toBe("");
    expect(said.summary()).toMatchObject({ exitCode: 10, error: { code: "no-such-snapshot" } });
  });
});

it("an empty environment variable counts as unset", async () => {
  const args = ["plan", "--nodes", "no-such-file"];
  const unset = await commandLine(args);
  expect(await commandLine(args, { env: { ARCHIVER_HASH_KEY: "" } })).toMatchObject({
    status: unset.status,
    stderr: unset.stderr,
  });
});

describe("a typing mistake", () => {
  it("in an option with a value is not reported as an unknown command", async () => {
    const { status, stderr } = await commandLine(["--timestmap", "latest"]);
    expect(status).toBe(2);
    expect(stderr).toContain("unknown option '--timestmap' (Did you mean --timestamp?)");
  });

  it("in the command after help is named", async () => {
    const { status, stderr } = await commandLine(["help", "verfy"]);
    expect(status).toBe(2);
    expect(stderr).toContain("unknown command verfy");
  });
});

describe("an unknown option with a known meaning", () => {
  it.each([
    { args: ["collect", "--db", "x"], says: "'--db' (Did you mean --hash-db?)" },
    { args: ["--db", "x", "collect"], says: "'--db' (Did you mean --hash-db?)" },
    { args: ["--db", "x"], says: "'--db' (Did you mean --hash-db?)" },
    { args: ["plan", "--timeout", "3s"], says: "(Did you mean one of --connect-timeout, --stall-timeout?)" },
    { args: ["verify", "d", "--node-list", "x"], says: "(Did you mean --trust-node-list?)" },
    { args: ["--debug"], says: "(Did you mean --verbose?)" },
    { args: ["-q"], says: "(Did you mean --quiet?)" },
  ])("gets a suggestion of the option that is meant: $args", async ({ args, says }) => {
    const said = await commandLine(args);
    expect(said).toMatchObject({ status: 2, stdout: "" });
    expect(said.stderr).toMatch(/^error: unknown option /);
    expect(said.stderr).toContain(says);
  });

  it("does not name an option that the command does not have", async () => {
    expect((await commandLine(["nodes", "--hash-db", "x", "--jobs", "3"])).stderr).not.toContain(
      "Did you mean",
    );
  });

  it.each(Object.entries(synonyms))(
    "%s means existing options, and is not an option itself",
    (word, flags) => {
      expect(allOptions.flatMap(({ long, short }) => [long, short])).not.toContain(word);
      for (const flag of flags) expect([...longNames, "--version"]).toContain(flag);
    },
  );
});

describe("a URL", () => {
  const url = "http://user:password@127.0.0.1:9/?token=1";

  it.each([
    ["--timestamp", "latest", "--archiver", "http://127.0.0.1:9", "--hash-db", url],
    ["--timestamp", "latest", "--nodes", url, "--cycles", url],
    ["--timestamp", "latest", "--archiver", "http://127.0.0.1:9", `--gossip=${url}`],
    ["--timestamp", url],
    ["nodes", "--hash-db", url],
    ["verify", url],
    ["verify", "--trust-node-list", url, "."],
    ["cluster", url],
  ])("is refused and not repeated if no URL is expected: %s %s", async (...args) => {
    const { status, stdout, stderr } = await commandLine(args);
    expect(status).toBe(2);
    expect(stdout + stderr).toMatch(/does not take a URL|is a URL/);
    expect(stdout + stderr).not.toMatch(/password|token/);
  });
});
