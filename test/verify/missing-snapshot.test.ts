import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { missingSnapshot } from "../../src/verify/missing-snapshot.ts";
import { temporaryDirectory } from "../helpers/temporary.ts";

const hint = /^Give the directory of a published snapshot/;

it("a missing path is named with its topmost missing parent", async () => {
  const directory = temporaryDirectory();
  expect(await missingSnapshot(join(directory, "a"))).toMatchObject({
    code: "no-such-snapshot",
    message: `${directory}/a does not exist`,
    hint: expect.stringMatching(/^Check the path\. /),
  });
  const { message } = await missingSnapshot(join(directory, "a", "b", "c"));
  expect(message).toBe(`${directory}/a/b/c does not exist: there is no directory ${directory}/a`);
});

it("a file, and a path below a file, are named as such", async () => {
  const file = join(temporaryDirectory(), "file");
  writeFileSync(file, "");
  expect(await missingSnapshot(file)).toMatchObject({
    message: `${file} is a file, not a snapshot`,
    hint: expect.stringMatching(hint),
  });
  const { message } = await missingSnapshot(join(file, "below"));
  expect(message).toBe(`${file}/below does not exist: a part of the path is a file`);
});

it("a directory without a manifest is not a snapshot", async () => {
  const directory = temporaryDirectory();
  expect(await missingSnapshot(directory)).toMatchObject({
    message: `${directory} is not a snapshot: it has no export-manifest.json`,
    hint: expect.stringMatching(hint),
  });
});

it("a directory of snapshots is named with the newest of them", async () => {
  const directory = temporaryDirectory();
  for (const name of ["snapshot-1700000000000", "snapshot-1700000060000", "snapshot-x", ".snapshot-1"])
    mkdirSync(join(directory, name));
  expect(await missingSnapshot(directory)).toMatchObject({
    message: `${directory} is not a snapshot, but contains 2 snapshots`,
    hint: `Give one of them, such as ${directory}/snapshot-1700000060000.`,
  });
});

it("a path that the system cannot examine is not a snapshot", async () => {
  const path = join(temporaryDirectory(), "x".repeat(300));
  const { message } = await missingSnapshot(path);
  expect(message).toBe(`${path} is not a snapshot: it has no export-manifest.json`);
});
