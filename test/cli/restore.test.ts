import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTemporaryDirectory, removeDirectory, temporaryDirectory } from "../helpers/temporary.ts";
import { hashedAccount, snapshotWith } from "../restore/restorable.ts";
import { commandLine } from "./command-line.ts";

const scratch = makeTemporaryDirectory();
let snapshot: string;
beforeAll(async () => {
  snapshot = await snapshotWith(scratch, hashedAccount, { globalAccounts: 2 });
});
afterAll(() => removeDirectory(scratch));

const toArchiver = (...more: string[]) => ["restore", snapshot, "--to", "archiver", ...more];

describe("the restore command", () => {
  it("prints each step on stderr, and on stdout what was restored and what to do now", async () => {
    const said = await commandLine(toArchiver("--archiver-db", temporaryDirectory()));
    expect(said.status, said.stderr).toBe(0);
    expect(said.stdout).toMatch(/^restored {6}\S+accounts\.sqlite3\n/);
    expect(said.stdout).toContain("102 accounts, 2 of them global; all read back");
    expect(said.stdout).toMatch(/combinedHash must be [0-9a-f]{64}/);
    expect(said.stderr).toContain("reading the database back");
    expect(said.stderr).toContain("warning: 2 global accounts");
  });

  it("prints only warnings with --quiet", async () => {
    const said = await commandLine(toArchiver("--archiver-db", temporaryDirectory(), "--quiet"));
    expect(said.stdout).toBe("");
    expect(said.stderr.trim().split("\n")).toEqual([expect.stringMatching(/^warning: /)]);
  });

  it("prints each step and the summary as JSON lines with --json", async () => {
    const said = await commandLine(toArchiver("--archiver-db", temporaryDirectory(), "--json", "--dry-run"));
    const steps = said.objects().flatMap(({ type, step }) => (type === "step" ? [step] : []));
    expect(steps).toEqual(["verify", "write", "read-back", "done"]);
    expect(said.summary()).toMatchObject({
      type: "summary",
      ok: true,
      to: "archiver",
      snapshot: { directory: snapshot, cycle: 8 },
      accounts: { total: 102, global: 2 },
      file: null,
      warnings: [expect.stringContaining("2 global accounts")],
    });
  });

  it("has every field of the summary after a failure", async () => {
    const said = await commandLine([
      "restore",
      scratch,
      "--to",
      "archiver",
      "--archiver-db",
      scratch,
      "--json",
    ]);
    expect(said.status).toBe(10);
    expect(said.summary()).toMatchObject({ ok: false, to: null, file: null, warnings: [], nextSteps: [] });
  });

  it("refuses to restore without the folder of the archiver", async () => {
    const said = await commandLine(toArchiver());
    expect(said.status).toBe(2);
    expect(said.stderr).toContain("--archiver-db");
  });

  it("refuses archivers that are none", async () => {
    const said = await commandLine(toArchiver("--append-shutdown", "--archivers", "192.0.2.1:4000"));
    expect(said.status).toBe(2);
    expect(said.stderr).toContain("ip:port:publicKey");
  });
});
