import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../temporary.ts";
import { commandLine } from "./command-line.ts";

it("an error is red on a terminal, whatever stdout is", async () => {
  expect((await commandLine(["--timestamp", "soon"], { isTTY: true })).stderr).toContain("\u001b[31m");
});

it("a list that cannot be read has a hint", async () => {
  const args = [
    "--nodes",
    join(temporaryDirectory(), "no"),
    "--cycles",
    "no",
    "--timestamp",
    "latest",
    "--json",
  ];
  expect((await commandLine(args)).summary()).toMatchObject({ error: { hint: expect.stringMatching(/./) } });
});
