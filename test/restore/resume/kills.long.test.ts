/** A resumption that is killed at any step leaves the old database or the new one. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resume } from "../../../src/app/resume.ts";
import { copiesOf, createArchiverDatabase } from "../../helpers/archiver-database.ts";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../../helpers/temporary.ts";
import { accountsPath, filesOf, rowsOf, snapshotWith } from "../restorable.ts";
import { endOf, StoppedNetwork, settings, timedAccount } from "./stopped-network.ts";

const scratch = makeTemporaryDirectory();
const library = new URL("../../../dist/app/resume.js", import.meta.url).href;
let snapshot: string;
let network: StoppedNetwork;

beforeAll(async () => {
  snapshot = await snapshotWith(scratch, timedAccount, settings);
  network = new StoppedNetwork(snapshot);
  for (let number = 0; number < 20; number++) {
    network.transfer([network.account(number % 7).accountId], endOf(9) - 50_000 + number);
  }
});
afterAll(() => removeDirectory(scratch));

async function killedResumption(options: object, step: string): Promise<void> {
  const script = `
    const { resume } = await import(${JSON.stringify(library)});
    const report = ({ step }) => step === ${JSON.stringify(step)} && process.kill(process.pid, "SIGKILL");
    await resume(${JSON.stringify(snapshot)}, { ...${JSON.stringify(options)}, reporter: { report } });
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
}

describe("a resumption that is killed", () => {
  it.each([
    { step: "write", isNew: false },
    { step: "read-back", isNew: false },
    { step: "replay", isNew: false },
    { step: "measure", isNew: false },
    { step: "keep", isNew: false },
    { step: "place", isNew: false },
    { step: "done", isNew: true },
  ])("at the step $step leaves a whole database, and can be repeated", async ({ step, isNew }) => {
    const options = network.write();
    const [made, path] = [temporaryDirectory(), accountsPath(options.archiverDb)];
    const old = createArchiverDatabase(accountsPath(made), copiesOf(snapshot).slice(0, 7));
    old.pragma("wal_checkpoint(TRUNCATE)");
    copyFileSync(accountsPath(made), path);
    const before = readFileSync(path);
    await killedResumption(options, step);
    const sorted = () => rowsOf(path).sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
    if (isNew) expect(sorted()).toEqual(network.expected);
    else expect(readFileSync(path).equals(before)).toBe(true);
    await resume(snapshot, options);
    expect(sorted()).toEqual(network.expected);
    const kept = filesOf(options.archiverDb).filter((file) => file.includes(".before-"));
    expect(readFileSync(join(options.archiverDb, kept[0] ?? "")).equals(before)).toBe(true);
    const files = ["accounts.sqlite3", ...kept, "cycles.sqlite3", "receipts.sqlite3"];
    expect(filesOf(options.archiverDb)).toEqual(files);
  });
});
