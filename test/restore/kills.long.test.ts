/** A restore that is killed at any moment leaves the old database or the new one. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { restore } from "../../src/app/restore.ts";
import { copiesOf, createArchiverDatabase, type StoredCopy } from "../helpers/archiver-database.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { accountsPath, filesOf, rowsOf, snapshotWith } from "./restorable.ts";

const scratch = makeTemporaryDirectory();
const library = new URL("../../dist/app/restore.js", import.meta.url).href;
let snapshot: string;
let copies: StoredCopy[];

beforeAll(async () => {
  snapshot = await snapshotWith(scratch, undefined, { accounts: 3_000 });
  copies = copiesOf(snapshot);
});
afterAll(() => removeDirectory(scratch));

/** Restores in a process of its own, which is killed: at a step, or some milliseconds after one. */
async function killedRestore(folder: string, step: string, delayMs: number): Promise<void> {
  const script = `
    const { restore } = await import(${JSON.stringify(library)});
    const kill = () => process.kill(process.pid, "SIGKILL");
    const report = ({ step }) => {
      if (step !== ${JSON.stringify(step)}) return;
      if (${delayMs} === 0) kill();
      setTimeout(kill, ${delayMs});
    };
    await restore(${JSON.stringify(snapshot)}, {
      to: "archiver", archiverDb: ${JSON.stringify(folder)}, reporter: { report },
    });
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
}

function archiverThatWasStopped(): { readonly folder: string; readonly old: Buffer } {
  const [made, folder] = [temporaryDirectory(), temporaryDirectory()];
  const database = createArchiverDatabase(accountsPath(made), copies.slice(0, 7));
  database.pragma("wal_checkpoint(TRUNCATE)");
  copyFileSync(accountsPath(made), accountsPath(folder));
  return { folder, old: readFileSync(accountsPath(folder)) };
}

const steps = [
  { step: "verify", isNew: false },
  { step: "write", isNew: false },
  { step: "read-back", isNew: false },
  { step: "keep", isNew: false },
  { step: "place", isNew: false },
  { step: "done", isNew: true },
];

describe("a restore that is killed", () => {
  it.each(steps)(
    "at the step $step leaves a whole database, and can be repeated",
    async ({ step, isNew }) => {
      const { folder, old } = archiverThatWasStopped();
      await killedRestore(folder, step, 0);
      if (isNew) expect(rowsOf(accountsPath(folder))).toHaveLength(copies.length);
      else expect(readFileSync(accountsPath(folder)).equals(old)).toBe(true);
      const { keptFile } = await restore(snapshot, { to: "archiver", archiverDb: folder });
      expect(rowsOf(accountsPath(folder))).toHaveLength(copies.length);
      const first = `${accountsPath(folder)}.before-${keptFile?.match(/before-(\d+)/)?.[1]}`;
      expect(readFileSync(first).equals(old)).toBe(true);
      const kept = filesOf(folder).filter((file) => file.includes(".before-"));
      expect(filesOf(folder)).toEqual(["accounts.sqlite3", ...kept]);
    },
  );

  it.each([1, 5, 20, 60, 150, 400])(
    "%i ms after it began to write leaves the old database or the new one",
    async (delayMs) => {
      const { folder, old } = archiverThatWasStopped();
      await killedRestore(folder, "write", delayMs);
      const found = readFileSync(accountsPath(folder));
      if (!found.equals(old)) expect(rowsOf(accountsPath(folder))).toHaveLength(copies.length);
      await restore(snapshot, { to: "archiver", archiverDb: folder });
      expect(rowsOf(accountsPath(folder))).toHaveLength(copies.length);
    },
  );
});
